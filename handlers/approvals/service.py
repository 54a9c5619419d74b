"""Asking for approval, voting, withdrawing, and what time does to a request that nobody answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from bot.permissions import Actor
from bot.refusals import Refused
from bot.router import Clicked
from bot.texts import Text, text
from bot.unit import Unit, to_chat, to_person
from handlers.approvals.policy import Rule, may_vote, rule_for, voters
from handlers.approvals.states import Event, advance
from storage.approvals import ApprovalRequest, Approvals, ApprovalVote, Decision, RequestState
from storage.schedule import Deadline

CARD = "approval"
DUE = "approval.due"


class Outcome(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


OnDecided = Callable[[Unit, ApprovalRequest, Outcome], None]


@dataclass(slots=True)
class Approving:
    """One workflow for every action that needs approval. `owners` carry out what was decided, in the same unit."""

    owners: dict[str, OnDecided] = field(default_factory=dict)

    def owner(self, action: str, decided: OnDecided) -> None:
        self.owners[action] = decided

    def check(self, unit: Unit, action: str, scope: str, by: Actor, amount_fen: int | None) -> None:
        """Raises Refused when nobody could approve: better said before than after."""
        rule = rule_for(unit, action, scope)
        able = voters(unit, rule, scope, escalated=False, not_id=by.id or 0)
        backup = voters(unit, rule, scope, escalated=True, not_id=by.id or 0)
        if len(backup) < rule.needed(amount_fen) or not (able or backup):
            raise Refused(text("approval.nobody", needed=rule.needed(amount_fen), found=len(backup)))

    def request(
        self,
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
        self.check(unit, action, scope, by, weight)
        assert by.id is not None  # a stranger has no permission to ask
        rule = rule_for(unit, action, scope)
        due = unit.now + timedelta(seconds=rule.deadline_seconds)
        request = Approvals(unit.session).add(
            ApprovalRequest(
                action=action, scope=scope, subject=subject, story=story, chat_id=chat_id, amount_fen=amount_fen,
                requested_by=by.id, requested_at=unit.now, state=RequestState.PENDING,
                quorum=rule.needed(weight), policy=rule.stored(), due_at=due,
            )
        )  # fmt: skip
        unit.deadlines.set(DUE, str(request.id), due, due)
        self._show(unit, request, rule, escalated=False)
        if chat_id:
            unit.post(CARD, str(request.id), to_chat(chat_id))
        if len(voters(unit, rule, scope, escalated=False, not_id=by.id)) < request.quorum:
            self._escalate(unit, request, rule)  # too few of them are here: do not wait for the deadline
        return request

    # --- voting ----------------------------------------------------------------------------------------------------

    def check_approve(self, unit: Unit, clicked: Clicked) -> Text:
        request = self._votable(unit, clicked)
        return text("approval.you_approved", number=request.number)

    def approve(self, unit: Unit, clicked: Clicked) -> None:
        request = self._votable(unit, clicked)
        self._vote(unit, request, clicked.actor, Decision.APPROVE, None)
        if self._agreed(unit, request) >= request.quorum:
            self._end(unit, request, Event.QUORUM, Outcome.APPROVED, None)
        else:
            self._touch(unit, request)

    def check_open_reject(self, unit: Unit, clicked: Clicked) -> Text:
        self._votable(unit, clicked)
        return text("click.opened")

    def open_reject(self, unit: Unit, clicked: Clicked) -> None:
        self._votable(unit, clicked)
        self._view(unit, clicked, {"view": "reject"})

    def back(self, unit: Unit, clicked: Clicked) -> None:
        self._view(unit, clicked, {})

    def check_reject(self, unit: Unit, clicked: Clicked) -> Text:
        request = self._votable(unit, clicked)
        if not clicked.form.get("reason", "").strip():
            raise Refused(text("approval.reason_needed"))
        return text("approval.you_rejected", number=request.number)

    def reject(self, unit: Unit, clicked: Clicked) -> None:
        self.check_reject(unit, clicked)
        request = self._votable(unit, clicked)
        reason = clicked.form["reason"].strip()[:500]
        self._vote(unit, request, clicked.actor, Decision.REJECT, reason)
        self._end(unit, request, Event.REJECTED, Outcome.REJECTED, reason)

    def check_withdraw(self, unit: Unit, clicked: Clicked) -> Text:
        request = self._pending(unit, int(clicked.action.subject))
        if request.requested_by != clicked.actor.id:
            raise Refused(text("approval.only_requester"))
        return text("approval.withdrawn", number=request.number)

    def withdraw_click(self, unit: Unit, clicked: Clicked) -> None:
        self.check_withdraw(unit, clicked)
        self.withdraw(unit, int(clicked.action.subject), clicked.actor)

    def withdraw(self, unit: Unit, request_id: int, by: Actor) -> None:
        request = self._pending(unit, request_id)
        if request.requested_by != by.id:
            raise Refused(text("approval.only_requester"))
        unit.audit("approval.withdrawn", request.story, by, number=request.number)
        self._end(unit, request, Event.WITHDRAWN, Outcome.WITHDRAWN, None)

    # --- time ------------------------------------------------------------------------------------------------------

    def due(self, unit: Unit, deadline: Deadline) -> datetime | None:
        """Nobody decided in time: ask those behind them once, then let it expire."""
        request = Approvals(unit.session).get(int(deadline.subject), lock=True)
        if request is None or request.state != RequestState.PENDING:
            return None
        rule = Rule(**request.policy)
        if request.due_at > unit.now:
            return request.due_at  # escalated before its time
        if request.escalated_at is None and rule.escalate:
            self._escalate(unit, request, rule)
            return request.due_at
        unit.audit("approval.expired", request.story, None, number=request.number)
        self._end(unit, request, Event.EXPIRED, Outcome.EXPIRED, None)
        return None

    def _escalate(self, unit: Unit, request: ApprovalRequest, rule: Rule) -> None:
        request.escalated_at = unit.now
        request.due_at = unit.now + timedelta(seconds=rule.deadline_seconds)
        unit.deadlines.set(DUE, str(request.id), request.due_at, request.due_at)
        unit.audit("approval.escalated", request.story, None, number=request.number)
        self._show(unit, request, rule, escalated=True)
        self._touch(unit, request)

    def withdraw_all(self, unit: Unit, person_id: int) -> None:
        """Somebody left: what they asked for and nobody decided is off."""
        for request in Approvals(unit.session).pending():
            if request.requested_by == person_id:
                unit.audit("approval.dropped", request.story, None, number=request.number)
                self._end(unit, request, Event.WITHDRAWN, Outcome.WITHDRAWN, None)

    # ---------------------------------------------------------------------------------------------------------------

    def _agreed(self, unit: Unit, request: ApprovalRequest) -> int:
        """How many of those who agreed may still decide; the vote of somebody who left since does not count."""
        rule, escalated = Rule(**request.policy), request.escalated_at is not None
        able = {
            person.id for person in voters(unit, rule, request.scope, escalated=escalated, not_id=request.requested_by)
        }
        votes = Approvals(unit.session).votes(request.id)
        return sum(vote.decision == Decision.APPROVE and vote.person_id in able for vote in votes)

    def _votable(self, unit: Unit, clicked: Clicked) -> ApprovalRequest:
        request = self._pending(unit, int(clicked.action.subject))
        last_chance = request.escalated_at is not None or not Rule(**request.policy).escalate
        if unit.now >= request.due_at and last_chance:
            raise Refused(text("approval.too_late", number=request.number))
        if request.requested_by == clicked.actor.id:
            raise Refused(text("approval.own"))
        if any(vote.person_id == clicked.actor.id for vote in Approvals(unit.session).votes(request.id)):
            raise Refused(text("approval.voted"))
        escalated = request.escalated_at is not None
        rule = Rule(**request.policy)
        not_id = request.requested_by
        if not may_vote(unit, clicked.actor, rule, request.scope, escalated=escalated, not_id=not_id):
            raise Refused(text("approval.not_approver"))
        return request

    def _pending(self, unit: Unit, id: int) -> ApprovalRequest:
        request = Approvals(unit.session).get(id, lock=True)
        if request is None:
            raise Refused(text("card.gone"))
        if request.state != RequestState.PENDING:
            raise Refused(text("approval.over", number=request.number, state=text(f"approval.state.{request.state}")))
        return request

    def _vote(self, unit: Unit, request: ApprovalRequest, actor: Actor, decision: Decision, reason: str | None) -> None:
        assert actor.id is not None  # may_vote admits only people who are known
        Approvals(unit.session).vote(
            ApprovalVote(request_id=request.id, person_id=actor.id, decision=decision, reason=reason, at=unit.now)
        )
        words: Mapping[str, str] = {"reason": reason} if reason else {}
        unit.audit(f"approval.{decision}", request.story, actor, number=request.number, **words)

    def _end(self, unit: Unit, request: ApprovalRequest, event: Event, outcome: Outcome, reason: str | None) -> None:
        target = advance(RequestState(request.state), event)
        if target is None:
            raise Refused(text("approval.over", number=request.number, state=text(f"approval.state.{request.state}")))
        request.state, request.decided_at, request.reason = target, unit.now, reason
        unit.deadlines.meet(DUE, str(request.id), unit.now)
        self.owners[request.action](unit, request, outcome)
        self._touch(unit, request)

    def _show(self, unit: Unit, request: ApprovalRequest, rule: Rule, *, escalated: bool) -> None:
        for person in voters(unit, rule, request.scope, escalated=escalated, not_id=request.requested_by):
            if not unit.has_card(CARD, str(request.id), to_person(person.open_id)):
                unit.post(CARD, str(request.id), to_person(person.open_id))

    def _touch(self, unit: Unit, request: ApprovalRequest) -> None:
        unit.session.flush()
        for card in unit.cards_of(CARD, str(request.id)):
            unit.redraw_card(card, params={} if request.state != RequestState.PENDING else None)

    def _view(self, unit: Unit, clicked: Clicked, params: dict[str, str]) -> None:
        card = unit.card_of_message(clicked.message_id)
        if card is None or card.kind != CARD:
            raise Refused(text("card.moved"))
        unit.redraw_card(card, params=params)
