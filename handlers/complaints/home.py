"""Complaints on the home card and among what waits for one person, with the buttons there."""

from __future__ import annotations

from bot.card_context import Look
from bot.cards.values import Action, Block, Button, ButtonStyle, Facts, Item, Words
from bot.contributions.home import HomeBlock, TodoBlock
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.permissions import Actor
from bot.texts import Text, text
from bot.unit import Unit, receiver_of, to_chat, to_person
from handlers.complaints.cards import CARD
from handlers.complaints.listing import LIST, item
from handlers.complaints.permissions import VIEW
from storage.areas.complaints import ComplaintFilter, Complaints
from storage.areas.people import People


def _standing(look: Look, actor: Actor) -> list[Block]:
    if not actor.may(VIEW):
        return []
    complaints = Complaints(look.session)
    chat = look.receiver.partition(":")[2] if look.receiver.startswith("chat:") else None
    programs = actor.programs(VIEW)
    _, open_total = complaints.listed(ComplaintFilter(chat_id=chat, programs=programs), offset=0, limit=1)
    _, unclaimed = complaints.listed(
        ComplaintFilter(chat_id=chat, programs=programs, unclaimed=True), offset=0, limit=1
    )
    pairs: tuple[tuple[Text, Words], ...] = (
        (text("home.open"), text("number", n=open_total)),
        (text("home.unclaimed"), text("number", n=unclaimed)),
    )
    return [Facts(pairs)]


def _handled_by(look: Look, actor: Actor) -> list[Item]:
    if actor.id is None:
        return []
    mine = Complaints(look.session).claimed_open(actor.id)
    mine.sort(key=lambda each: each.finish_due if each.first_replied_at is not None else each.first_reply_due)
    people = People(look.session)
    return [item(complaint, people, look) for complaint in mine]


HOME = HomeBlock(
    "complaints", _standing, Button(text("home.complaints"), Action("home.complaints"), ButtonStyle.PRIMARY)
)
TODO = TodoBlock("complaints", _handled_by)


def open_list(unit: Unit, clicked: Clicked) -> None:
    """The list of open ones, in the place where the button was pressed."""
    card = unit.card_of_message(clicked.message_id)
    place = receiver_of(card.receiver) if card is not None else to_chat(clicked.chat_id)
    if not clicked.actor.may(VIEW):
        raise Refused(text("command.stranger"))
    where = {"chat": place.id} if place.kind == "chat" else {}
    params = {"for": clicked.actor.open_id, **where, "filter": "open", "page": 1}
    unit.send_card(LIST, str(clicked.actor.id or 0), place, params=params)


def open_one(unit: Unit, clicked: Clicked) -> None:
    complaint = unit.of(Complaints).get(int(clicked.action.subject))
    if complaint is None or not clicked.actor.may(VIEW, complaint.program_key):
        raise Refused(text("card.gone"))
    unit.send_card(CARD, str(complaint.id), to_person(clicked.actor.open_id))
