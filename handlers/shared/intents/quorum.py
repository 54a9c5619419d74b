"""The quorum: how many must agree to a request, and how many of those who did still count."""

from __future__ import annotations

from bot.unit import Unit
from handlers.shared.intents.policy import Rule, voters
from storage.areas.approvals import ApprovalRequest, Approvals, Decision


def needed(rule: Rule, amount_fen: int | None) -> int:
    """How many must agree; above the policy's amount it may be more."""
    if amount_fen is not None and rule.above_fen is not None and amount_fen > rule.above_fen:
        return max(rule.quorum, rule.quorum_above or rule.quorum)
    return rule.quorum


def agreed(unit: Unit, request: ApprovalRequest) -> int:
    """How many of those who agreed may still decide; the vote of somebody who left since does not count."""
    rule, escalated = Rule(**request.policy), request.escalated_at is not None
    able = {person.id for person in voters(unit, rule, request.scope, escalated=escalated, not_id=request.requested_by)}
    votes = unit.of(Approvals).votes(request.id)
    return sum(vote.decision == Decision.APPROVE and vote.person_id in able for vote in votes)


def is_reached(unit: Unit, request: ApprovalRequest) -> bool:
    """Whether enough agreed, by the number that was kept with the request when it was asked."""
    return agreed(unit, request) >= request.quorum
