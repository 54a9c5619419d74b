"""Requests for approval: asked, shown to those who may decide, escalated, withdrawn, ended.

One workflow for every action that some area brings as `Approvable`.
"""

from __future__ import annotations

from datetime import timedelta

from bot.contributions.approvals import Approvable, Outcome
from bot.errors import Refused
from bot.permissions import Actor
from bot.texts import Text, text
from bot.unit import Unit, to_chat, to_person
from handlers.shared.intents.policy import Rule, rule_for, voters
from handlers.shared.intents.quorum import needed
from handlers.shared.intents.states import Event, advance
from storage.areas.approvals import ApprovalRequest, Approvals, RequestState

CARD = "approval"
DUE = "approval.due"


def check(unit: Unit, action: str, scope: str, by: Actor, amount_fen: int | None) -> None:
    """Raises Refused when nobody could approve: better said before than after."""
    rule = rule_for(unit, action, scope)
    able = voters(unit, rule, scope, escalated=False, not_id=by.id or 0)
    backup = voters(unit, rule, scope, escalated=True, not_id=by.id or 0)
    if len(backup) < needed(rule, amount_fen) or not (able or backup):
        raise Refused(text("approval.nobody", needed=needed(rule, amount_fen), found=len(backup)))


def ask(
    unit: Unit,
    *,
    action: str,
    scope: str,
    subject: str,
    story: str,
    chat_id: str,
    amount_fen: int | None,
    weight_fen: int | None = None,
    by: Actor,
) -> ApprovalRequest:
    """Write the request down and put its card before everybody who may decide, and into the group.

    `weight_fen` is the amount by which the policy judges, where that is more than what is asked for now.
    """
    weight = amount_fen if weight_fen is None else weight_fen
    check(unit, action, scope, by, weight)
    assert by.id is not None  # a stranger has no permission to ask
    rule = rule_for(unit, action, scope)
    due = unit.now + timedelta(seconds=rule.deadline_seconds)
    request = unit.of(Approvals).add(
        ApprovalRequest(
            action=action, scope=scope, subject=subject, story=story, chat_id=chat_id, amount_fen=amount_fen,
            requested_by=by.id, requested_at=unit.now, state=RequestState.PENDING,
            quorum=needed(rule, weight), policy=rule.stored(), due_at=due,
        )
    )  # fmt: skip
    unit.deadlines.set(DUE, str(request.id), due, due)
    _show(unit, request, rule, escalated=False)
    if chat_id:
        unit.send_card(CARD, str(request.id), to_chat(chat_id))
    if len(voters(unit, rule, scope, escalated=False, not_id=by.id)) < request.quorum:
        escalate(unit, request, rule)  # too few of them are here: do not wait for the deadline
    return request


def pending(unit: Unit, id: int) -> ApprovalRequest:
    """The request, locked. Raises Refused where it is decided already."""
    request = unit.of(Approvals).get(id, lock=True)
    if request is None:
        raise Refused(text("card.gone"))
    if request.state != RequestState.PENDING:
        raise Refused(_over(request))
    return request


def withdraw(unit: Unit, request_id: int, by: Actor) -> None:
    request = pending(unit, request_id)
    if request.requested_by != by.id:
        raise Refused(text("approval.only_requester"))
    unit.audit("approval.withdrawn", request.story, by, number=request.number)
    end(unit, request, Event.WITHDRAWN, Outcome.WITHDRAWN, None)


def escalate(unit: Unit, request: ApprovalRequest, rule: Rule) -> None:
    """Ask also those behind the approvers, with the time that the policy gives once more."""
    request.escalated_at = unit.now
    request.due_at = unit.now + timedelta(seconds=rule.deadline_seconds)
    unit.deadlines.set(DUE, str(request.id), request.due_at, request.due_at)
    unit.audit("approval.escalated", request.story, None, number=request.number)
    _show(unit, request, rule, escalated=True)
    touch(unit, request)


def end(unit: Unit, request: ApprovalRequest, event: Event, outcome: Outcome, reason: str | None) -> None:
    """Decide it, and have the decision carried out in the same unit of work."""
    target = advance(RequestState(request.state), event)
    if target is None:
        raise Refused(_over(request))
    request.state, request.decided_at, request.reason = target, unit.now, reason
    unit.deadlines.meet(DUE, str(request.id), unit.now)
    _approvable(unit, request.action).decided(unit, request, outcome)
    touch(unit, request)


def touch(unit: Unit, request: ApprovalRequest) -> None:
    """Make its cards show the truth; what is decided is looked at without any form."""
    unit.session.flush()
    for card in unit.cards_of(CARD, str(request.id)):
        unit.refresh_card(card, params={} if request.state != RequestState.PENDING else None)


def refresh(unit: Unit, request_id: int) -> None:
    """What is asked for has changed: its cards tell of it."""
    unit.refresh(CARD, str(request_id))


def _show(unit: Unit, request: ApprovalRequest, rule: Rule, *, escalated: bool) -> None:
    for person in voters(unit, rule, request.scope, escalated=escalated, not_id=request.requested_by):
        if not unit.has_card(CARD, str(request.id), to_person(person.open_id)):
            unit.send_card(CARD, str(request.id), to_person(person.open_id))


def _over(request: ApprovalRequest) -> Text:
    return text("approval.over", number=request.number, state=text(f"approval.state.{request.state}"))


def _approvable(unit: Unit, action: str) -> Approvable:
    known = unit.areas.named(Approvable, action)
    if known is None:
        raise LookupError(f"nobody here carries out the action {action!r}")
    return known
