"""The card of a request for approval, the same in the group and before each approver."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from sqlalchemy.orm import Session

from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    ButtonStyle,
    Card,
    Confirm,
    Facts,
    Form,
    Input,
    Line,
    Note,
    Rule,
    Tag,
    Tone,
    Warning,
    Words,
)
from bot.drawing import Look
from bot.texts import Instant, Mention, Text, text
from handlers.complaints.times import countdown
from storage.approvals import ApprovalRequest, Approvals, Decision, RequestState
from storage.people import People

Show = Callable[[Session, ApprovalRequest], tuple[Text, Sequence[Block]]]
_TONES = {
    RequestState.PENDING: Tone.WAITING,
    RequestState.APPROVED: Tone.GOOD,
    RequestState.REJECTED: Tone.URGENT,
    RequestState.WITHDRAWN: Tone.NEUTRAL,
    RequestState.EXPIRED: Tone.NEUTRAL,
}


def drawing(shows: Mapping[str, Show]) -> Callable[[Look], Card]:
    """`shows`: how each action is told to an approver."""

    def draw(look: Look) -> Card:
        request = Approvals(look.session).get(int(look.subject))
        if request is None or request.action not in shows:
            return Card(text("card.gone.title"), (Line(text("card.gone")),), Tone.NEUTRAL)
        return _draw(look, request, shows[request.action])

    return draw


def _name(people: People, id: int) -> Text:
    person = people.by_id(id)
    return text("person.mention", who=Mention(person.open_id, person.name)) if person else text("person.nobody")


def _draw(look: Look, request: ApprovalRequest, show: Show) -> Card:
    people = People(look.session)
    state = RequestState(request.state)
    title, told = show(look.session, request)
    votes = Approvals(look.session).votes(request.id)
    agreed = sum(vote.decision == Decision.APPROVE for vote in votes)
    pairs: list[tuple[Text, Words]] = [
        (text("approval.requester"), _name(people, request.requested_by)),
        (text("approval.asked_at"), text("moment", at=Instant(request.requested_at))),
        (text("approval.votes"), text("approval.count", agreed=agreed, quorum=request.quorum)),
    ]
    stale_at = None
    if state is RequestState.PENDING:
        left, stale_at = countdown(request.due_at, look.now)
        pairs.append((text("approval.due"), left))
    blocks: list[Block] = [*told, Rule(), Facts(tuple(pairs))]
    for vote in votes:
        words = text(f"approval.voted.{vote.decision}", who=_name(people, vote.person_id), at=Instant(vote.at))
        blocks.append(Line(words))
    if request.reason:
        blocks.append(Warning(text("approval.because", reason=request.reason)))
    if state is RequestState.PENDING:
        if request.escalated_at is not None:
            blocks.append(Note(text("approval.escalated")))
        blocks += _controls(look, request)
    else:
        at = Instant(request.decided_at or look.now)
        blocks.append(Note(text(f"approval.ended.{state}", at=at)))
    tag = Tag(text(f"approval.state.{state}"), _TONES[state])
    summary = text("approval.summary", number=request.number, title=title)
    view = look.params.get("view") if state is RequestState.PENDING else None
    return Card(title, tuple(blocks), _TONES[state], tags=(tag,), summary=summary, stale_at=None if view else stale_at)


def _controls(look: Look, request: ApprovalRequest) -> list[Block]:
    act = partial(Action, subject=str(request.id), version=request.row_version)
    if look.params.get("view") == "reject":
        field = Input("reason", text("approval.reason"), text("approval.reason_hint"), lines=2, longest=200)
        submit = Button(text("approval.reject"), act("approval.reject"), ButtonStyle.DANGER)
        return [Form("reject_form", (field,), submit, (Button(text("card.back"), act("approval.back")),))]
    sure = Confirm(text("approval.approve"), text("approval.sure"))
    return [
        Buttons(
            (
                Button(text("approval.approve"), act("approval.approve"), ButtonStyle.PRIMARY, confirm=sure),
                Button(text("approval.reject"), act("approval.open_reject"), ButtonStyle.DANGER),
                Button(text("approval.withdraw"), act("approval.withdraw")),
            )
        )
    ]
