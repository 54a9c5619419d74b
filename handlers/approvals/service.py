"""Voting, withdrawing, and what time does to a request that nobody answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.contributions.approvals import Outcome
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.permissions import Actor
from bot.texts import Text, text
from bot.unit import Unit
from handlers.shared.intents import quorum, requests
from handlers.shared.intents.policy import Rule, may_vote
from handlers.shared.intents.requests import CARD
from handlers.shared.intents.states import Event
from storage.areas.approvals import ApprovalRequest, Approvals, ApprovalVote, Decision, RequestState
from storage.areas.people import Person
from storage.core.schedule import Deadline

# --- voting --------------------------------------------------------------------------------------------------------


def check_approve(unit: Unit, clicked: Clicked) -> Text:
    request = _votable(unit, clicked)
    return text("approval.you_approved", number=request.number)


def approve(unit: Unit, clicked: Clicked) -> None:
    request = _votable(unit, clicked)
    _vote(unit, request, clicked.actor, Decision.APPROVE, None)
    if quorum.is_reached(unit, request):
        requests.end(unit, request, Event.QUORUM, Outcome.APPROVED, None)
    else:
        requests.touch(unit, request)


def check_open_reject(unit: Unit, clicked: Clicked) -> Text:
    _votable(unit, clicked)
    return text("click.opened")


def open_reject(unit: Unit, clicked: Clicked) -> None:
    _votable(unit, clicked)
    _view(unit, clicked, {"view": "reject"})


def back(unit: Unit, clicked: Clicked) -> None:
    _view(unit, clicked, {})


def check_reject(unit: Unit, clicked: Clicked) -> Text:
    request, _ = _rejected(unit, clicked)
    return text("approval.you_rejected", number=request.number)


def _rejected(unit: Unit, clicked: Clicked) -> tuple[ApprovalRequest, str]:
    """The request, and why not."""
    request, reason = _votable(unit, clicked), clicked.form.get("reason", "").strip()[:500]
    if not reason:
        raise Refused(text("approval.reason_needed"))
    return request, reason


def reject(unit: Unit, clicked: Clicked) -> None:
    request, reason = _rejected(unit, clicked)
    _vote(unit, request, clicked.actor, Decision.REJECT, reason)
    requests.end(unit, request, Event.REJECTED, Outcome.REJECTED, reason)


# --- withdrawing ---------------------------------------------------------------------------------------------------


def check_withdraw(unit: Unit, clicked: Clicked) -> Text:
    request = requests.pending(unit, int(clicked.action.subject))
    if request.requested_by != clicked.actor.id:
        raise Refused(text("approval.only_requester"))
    return text("approval.withdrawn", number=request.number)


def withdraw(unit: Unit, clicked: Clicked) -> None:
    requests.withdraw(unit, int(clicked.action.subject), clicked.actor)


def withdraw_all(unit: Unit, person: Person) -> int:
    """Somebody left: what they asked for and nobody decided is off. Nothing of it is anybody else's to do."""
    for request in unit.of(Approvals).pending():
        if request.requested_by == person.id:
            unit.audit("approval.dropped", request.story, None, number=request.number)
            requests.end(unit, request, Event.WITHDRAWN, Outcome.WITHDRAWN, None)
    return 0


# --- time ----------------------------------------------------------------------------------------------------------


def due(unit: Unit, deadline: Deadline) -> datetime | None:
    """Nobody decided in time: ask those behind them once, then let it expire."""
    request = unit.of(Approvals).get(int(deadline.subject), lock=True)
    if request is None or request.state != RequestState.PENDING:
        return None
    rule = Rule(**request.policy)
    if request.due_at > unit.now:
        return request.due_at  # escalated before its time
    if request.escalated_at is None and rule.escalate:
        requests.escalate(unit, request, rule)
        return request.due_at
    unit.audit("approval.expired", request.story, None, number=request.number)
    requests.end(unit, request, Event.EXPIRED, Outcome.EXPIRED, None)
    return None


# -------------------------------------------------------------------------------------------------------------------


def _votable(unit: Unit, clicked: Clicked) -> ApprovalRequest:
    request = requests.pending(unit, int(clicked.action.subject))
    last_chance = request.escalated_at is not None or not Rule(**request.policy).escalate
    if unit.now >= request.due_at and last_chance:
        raise Refused(text("approval.too_late", number=request.number))
    if request.requested_by == clicked.actor.id:
        raise Refused(text("approval.own"))
    if any(vote.person_id == clicked.actor.id for vote in unit.of(Approvals).votes(request.id)):
        raise Refused(text("approval.voted"))
    escalated = request.escalated_at is not None
    rule = Rule(**request.policy)
    not_id = request.requested_by
    if not may_vote(unit, clicked.actor, rule, request.scope, escalated=escalated, not_id=not_id):
        raise Refused(text("approval.not_approver"))
    return request


def _vote(unit: Unit, request: ApprovalRequest, actor: Actor, decision: Decision, reason: str | None) -> None:
    assert actor.id is not None  # may_vote admits only people who are known
    unit.of(Approvals).vote(
        ApprovalVote(request_id=request.id, person_id=actor.id, decision=decision, reason=reason, at=unit.now)
    )
    words: Mapping[str, str] = {"reason": reason} if reason else {}
    unit.audit(f"approval.{decision}", request.story, actor, number=request.number, **words)


def _view(unit: Unit, clicked: Clicked, params: dict[str, str]) -> None:
    card = unit.card_of_message(clicked.message_id)
    if card is None or card.kind != CARD:
        raise Refused(text("card.moved"))
    unit.refresh_card(card, params=params)
