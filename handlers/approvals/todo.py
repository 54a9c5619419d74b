"""Requests that wait for one person's vote."""

from __future__ import annotations

from bot.card_context import Look
from bot.cards.values import Action, Button, Item, Tag, Tone
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.permissions import Actor
from bot.texts import Fen, text
from bot.unit import Unit, to_person
from handlers.shared.due_times import countdown
from handlers.shared.intents.policy import ReadBooks, Rule, may_vote
from handlers.shared.intents.requests import CARD
from storage.areas.approvals import ApprovalRequest, Approvals
from storage.areas.configuration import Configuration
from storage.areas.people import People


def items(look: Look, actor: Actor) -> list[Item]:
    found: list[Item] = []
    for request in _votable(look, actor):
        title = text("todo.approval", number=request.number, amount=Fen(request.amount_fen or 0))
        when, _ = countdown(request.due_at, look.now)
        detail = text("complaint.item_due", what=text("approval.due"), when=when)
        button = Button(text("complaint.show"), Action("todo.approval", str(request.id)))
        found.append(Item(title, detail, button, Tag(text("approval.state.pending"), Tone.WAITING)))
    return found


def _votable(look: Look, actor: Actor) -> list[ApprovalRequest]:
    books = ReadBooks(People(look.session), Configuration(look.session), look.areas)
    approvals = Approvals(look.session)
    waiting = []
    for request in approvals.pending():
        escalated = request.escalated_at is not None
        rule, asker = Rule(**request.policy), request.requested_by
        voted = any(vote.person_id == actor.id for vote in approvals.votes(request.id))
        if not voted and may_vote(books, actor, rule, request.scope, escalated=escalated, not_id=asker):
            waiting.append(request)
    return waiting


def show(unit: Unit, clicked: Clicked) -> None:
    request = unit.of(Approvals).get(int(clicked.action.subject))
    if request is None:
        raise Refused(text("card.gone"))
    rule = Rule(**request.policy)
    escalated = request.escalated_at is not None
    if not may_vote(unit, clicked.actor, rule, request.scope, escalated=escalated, not_id=request.requested_by):
        raise Refused(text("approval.not_approver"))
    unit.send_card(CARD, str(request.id), to_person(clicked.actor.open_id))
