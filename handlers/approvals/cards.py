"""The card of a request for approval, the same in the group and before each approver."""

from __future__ import annotations

from functools import partial

from bot.card_context import Look
from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    ButtonStyle,
    Card,
    Confirm,
    Facts,
    Fold,
    Form,
    Input,
    Line,
    Note,
    Rule,
    Tag,
    Tone,
    Toned,
    Warning,
    Words,
)
from bot.contributions.approvals import Approvable, Shown
from bot.texts import Instant, Mention, Text, text
from handlers.shared.due_times import countdown, until_changed, urgency
from storage.areas.approvals import ApprovalRequest, Approvals, Decision, RequestState
from storage.areas.people import People, Person

_VOTE_TONES = {Decision.APPROVE: Tone.GOOD, Decision.REJECT: Tone.URGENT}
_TONES = {
    RequestState.PENDING: Tone.WAITING,
    RequestState.APPROVED: Tone.GOOD,
    RequestState.REJECTED: Tone.URGENT,
    RequestState.WITHDRAWN: Tone.NEUTRAL,
    RequestState.EXPIRED: Tone.NEUTRAL,
}


def draw(look: Look) -> Card:
    request = Approvals(look.session).get(int(look.subject))
    known = look.areas.named(Approvable, request.action) if request is not None else None
    if request is None or known is None:
        return Card(text("card.gone.title"), (Line(text("card.gone")),), Tone.NEUTRAL)
    return _draw(look, request, known.show(look, request))


def _name(people: People, id: int) -> Text:
    person = people.by_id(id)
    return text("person.mention", who=Mention(person.open_id, person.name)) if person else text("person.nobody")


def _draw(look: Look, request: ApprovalRequest, shown: Shown) -> Card:
    people = People(look.session)
    state = RequestState(request.state)
    requester = people.by_id(request.requested_by)
    votes = Approvals(look.session).votes(request.id)
    agreed = sum(vote.decision == Decision.APPROVE for vote in votes)
    pairs: list[tuple[Text, Words | Toned]] = [
        (text("approval.requester"), _name(people, request.requested_by)),
        (text("approval.asked_at"), text("moment", at=Instant(request.requested_at))),
    ]
    stale_at = None
    if state is RequestState.PENDING:
        left, _ = countdown(request.due_at, look.now)
        stale_at = until_changed(request.due_at, look.now)
        near = urgency(request.due_at, look.now)
        pairs.append((text("approval.due"), Toned(left, near) if near is Tone.URGENT else left))
    pairs.append((text("approval.votes"), text("approval.count", agreed=agreed, quorum=request.quorum)))
    blocks: list[Block] = [*shown.blocks, Rule(), Facts(tuple(pairs))]
    for vote in votes:
        words = text(f"approval.voted.{vote.decision}", who=_name(people, vote.person_id), at=Instant(vote.at))
        blocks.append(Line(words, tone=_VOTE_TONES[Decision(vote.decision)]))
    if request.reason:
        blocks.append(Warning(text("approval.because", reason=request.reason)))
    if state is RequestState.PENDING:
        if request.escalated_at is not None:
            blocks.append(Warning(text("approval.escalated")))
        blocks += _controls(look, request, shown.title, requester)
    elif state in (RequestState.WITHDRAWN, RequestState.EXPIRED):  # who voted is said by the votes
        blocks.append(Note(text(f"approval.ended.{state}", at=Instant(request.decided_at or look.now))))
    tags = [Tag(text(f"approval.state.{state}"), _TONES[state])]
    if shown.outcome is not None:
        tags.append(shown.outcome)
    failed = shown.outcome is not None and shown.outcome.tone is Tone.URGENT
    view = look.params.get("view") if state is RequestState.PENDING else None
    return Card(
        title=shown.title,
        subtitle=text("approval.subtitle", number=request.number, who=_name(people, request.requested_by)),
        blocks=tuple(blocks),
        tone=Tone.URGENT if failed else _TONES[state],
        tags=tuple(tags),
        summary=text("approval.summary", number=request.number, title=shown.title),
        stale_at=None if view else stale_at,
    )


def _controls(look: Look, request: ApprovalRequest, title: Text, requester: Person | None) -> list[Block]:
    act = partial(Action, subject=str(request.id), version=request.row_version)
    if look.params.get("view") == "reject":
        field = Input("reason", text("approval.reason"), text("approval.reason_hint"), lines=2, longest=200)
        submit = Button(text("approval.reject"), act("approval.reject"), ButtonStyle.DANGER)
        return [Form("reject_form", (field,), submit, (Button(text("card.back"), act("approval.back")),))]
    sure = Confirm(text("approval.approve"), text("approval.sure", title=title))
    voting = Buttons(
        (
            Button(text("approval.approve"), act("approval.approve"), ButtonStyle.PRIMARY, confirm=sure),
            Button(text("approval.reject"), act("approval.open_reject"), ButtonStyle.DANGER),
        )
    )
    kind, _, reader = look.receiver.partition(":")
    if kind == "person" and (requester is None or reader != requester.open_id):
        return [voting]
    # Only the requester can withdraw: out of the way of those who decide, with a question against a slip.
    withdraw = Button(
        text("approval.withdraw"),
        act("approval.withdraw"),
        confirm=Confirm(text("approval.withdraw"), text("approval.withdraw_sure", title=title)),
    )
    return [voting, Fold(text("approval.for_requester"), (Buttons((withdraw,)),))]
