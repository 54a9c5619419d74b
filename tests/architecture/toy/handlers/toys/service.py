"""Making a toy, polishing it, and giving it away once somebody agreed."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from adapters.values import ComplaintNotice
from bot.card_context import Look
from bot.contributions.approvals import Approvable, Outcome, Shown
from bot.contributions.routing import Asked, Click, Clicked, Command
from bot.contributions.search import Located, Lookup
from bot.errors import Refused
from bot.texts import Text, text
from bot.unit import Unit, to_chat
from handlers.shared.intents import requests
from handlers.toys.permissions import MAKE
from storage.areas.approvals import ApprovalRequest
from storage.areas.people import Person
from storage.areas.toys import Toy, Toys
from storage.core.schedule import Deadline

CARD = "toy"
DUE = "toy.due"
GIVE = "toy.give"


class ToyArguments(BaseModel):
    name: str = Field(title="名字", max_length=40)
    complaint: str = Field(default="", title="投诉", max_length=10)


def make(unit: Unit, asked: Asked, arguments: ToyArguments) -> None:
    digits = arguments.complaint.lstrip("Cc")
    lookup = unit.areas.named(Lookup, "complaint")
    complaint = lookup.find(unit.session, int(digits)) if lookup is not None and digits.isdigit() else None
    if arguments.complaint and complaint is None:
        raise Refused(text("toy.no_complaint", number=arguments.complaint))
    toy = unit.of(Toys).add(
        Toy(
            name=arguments.name,
            chat_id=asked.chat_id,
            complaint_id=int(digits) if complaint is not None else None,
            maker_id=asked.actor.id,
        )
    )
    unit.deadlines.set(DUE, str(toy.id), unit.now + timedelta(hours=1), unit.now + timedelta(hours=1))
    unit.audit("toy.made", f"toy:{toy.id}", asked.actor, number=toy.number)
    unit.send_card(CARD, str(toy.id), asked.chat, reply_to=asked.message_id)
    _show_on_complaint(unit, toy)


def _show_on_complaint(unit: Unit, toy: Toy) -> None:
    unit.session.flush()
    if toy.complaint_id is not None:
        unit.refresh("complaint", str(toy.complaint_id))


def _toy(unit: Unit, clicked: Clicked) -> Toy:
    toy = unit.of(Toys).get(int(clicked.action.subject))
    if toy is None or toy.given_at is not None:
        raise Refused(text("toy.over"))
    return toy


def check(unit: Unit, clicked: Clicked) -> Text:
    return text("toy.taken", number=_toy(unit, clicked).number)


def polish(unit: Unit, clicked: Clicked) -> None:
    toy = _toy(unit, clicked)
    toy.polished += 1
    unit.session.flush()
    unit.refresh(CARD, str(toy.id))


def ask_to_give(unit: Unit, clicked: Clicked) -> None:
    toy = _toy(unit, clicked)
    subject = f"toy:{toy.id}"
    scope = next((program.key for program in unit.configuration.programs() if program.chat_id == toy.chat_id), "*")
    requests.ask(
        unit, action=GIVE, scope=scope, subject=subject, story=subject, chat_id=toy.chat_id, amount_fen=None,
        by=clicked.actor,
    )  # fmt: skip


def show(look: Look, request: ApprovalRequest) -> Shown:
    toy = Toys(look.session).get(int(request.subject.partition(":")[2]))
    return Shown(text("toy.give_title", name=toy.name if toy is not None else "?"), ())


def decided(unit: Unit, request: ApprovalRequest, outcome: Outcome) -> None:
    toy = unit.of(Toys).get(int(request.subject.partition(":")[2]))
    if toy is None or outcome is not Outcome.APPROVED:
        return
    toy.given_at = unit.now
    unit.deadlines.meet(DUE, str(toy.id), unit.now)
    unit.send_text(to_chat(toy.chat_id), text("toy.given", number=toy.number))
    unit.refresh(CARD, str(toy.id))
    _show_on_complaint(unit, toy)


def due(unit: Unit, deadline: Deadline) -> datetime | None:
    toy = unit.of(Toys).get(int(deadline.subject))
    if toy is not None:
        unit.send_text(to_chat(toy.chat_id), text("toy.late", number=toy.number))
    return None


def on_notice(unit: Unit, account: str, notice: ComplaintNotice) -> None:
    """Something happened to some complaint: every toy that is not given yet hears of it."""
    for toy in unit.of(Toys).open():
        toy.told += 1


def maker_left(unit: Unit, person: Person) -> int:
    made = [toy for toy in unit.of(Toys).open() if toy.maker_id == person.id]
    for toy in made:
        toy.maker_id = None
    return len(made)


def find(session: Session, id: int) -> Located | None:
    toy = Toys(session).get(id)
    return Located(toy.number, f"toy:{toy.id}", "") if toy is not None else None


COMMANDS = (Command(("玩具", "toy"), MAKE, ToyArguments, make, text("help.toy"), text("help.usage.toy")),)
CLICKS = (
    Click("toy.polish", MAKE, polish, check),
    Click("toy.give", MAKE, ask_to_give, check),
)
APPROVABLE = Approvable(GIVE, show, decided)
