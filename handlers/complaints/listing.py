"""The list of complaints: a card with pages and filters, and the command behind it."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel, Field

from bot.card_context import Look
from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    Card,
    Item,
    Items,
    Line,
    Menu,
    Note,
    Option,
    Tag,
    Tone,
    Toned,
)
from bot.contributions.routing import Asked, Clicked
from bot.errors import Refused
from bot.incoming.messages import mentioned
from bot.incoming.router import not_allowed
from bot.texts import Fen, Instant, Text, text
from bot.unit import Unit, receiver_of, to_person
from handlers.complaints.cards import CARD
from handlers.complaints.permissions import VIEW
from handlers.shared.due_times import brief, urgency
from handlers.shared.phrases import excerpt, named
from storage.areas.complaints import COUNTED, Complaint, ComplaintFilter, Complaints
from storage.areas.people import People

LIST = "complaint_list"
PAGE = 6
FILTERS = ("open", "mine", "unclaimed", "overdue", "all")
_WORDS = {
    "open": "open", "待处理": "open", "未完结": "open", "进行中": "open",
    "mine": "mine", "我的": "mine", "me": "mine",
    "unclaimed": "unclaimed", "待认领": "unclaimed", "未认领": "unclaimed",
    "overdue": "overdue", "超时": "overdue", "逾期": "overdue", "late": "overdue",
    "all": "all", "全部": "all", "所有": "all",
}  # fmt: skip
_NUMBER = re.compile(r"c?(\d{1,9})", re.IGNORECASE)
_PHONE = re.compile(r"1\d{10}")


class ListArguments(BaseModel):
    what: str = Field(default="open", title="筛选", max_length=40)
    page: int = Field(default=1, title="页", ge=1, le=10_000)


def show(unit: Unit, asked: Asked, arguments: ListArguments) -> None:
    """`/投诉`, `/投诉 我的`, `/投诉 C12`, `/投诉 13800001234`."""
    what = arguments.what.strip().casefold()
    if _PHONE.fullmatch(what):
        return _list(unit, asked, {"filter": "all", "phone": what}, arguments.page)
    if number := _NUMBER.fullmatch(what):
        return _one(unit, asked, int(number[1]))
    if mentioned(what) is not None or what in _WORDS:
        params = {"filter": _WORDS[what]} if what in _WORDS else {"filter": "open", "person": mentioned(what)}
        return _list(unit, asked, params, arguments.page)
    raise Refused(text("complaint.filter_unknown", given=what[:40]))


def _one(unit: Unit, asked: Asked, id: int) -> None:
    complaint = unit.of(Complaints).get(id)
    if complaint is None or not asked.actor.may(VIEW, complaint.program_key):
        raise Refused(text("complaint.none_such", number=f"C{id}"))
    if asked.is_group and complaint.chat_id != asked.chat_id:
        # Another group's complaint is not for everybody here.
        unit.send_card(CARD, str(id), to_person(asked.actor.open_id))
        unit.send_text(asked.chat, text("home.todo_sent"), reply_to=asked.message_id)
        return
    unit.send_card(CARD, str(id), asked.chat, reply_to=asked.message_id)


def _list(unit: Unit, asked: Asked, params: dict[str, Any], page: int) -> None:
    params = {**params, "page": page, "for": asked.actor.open_id}
    # In a group the list shows that group's; in private, everything this person may see.
    if asked.is_group and "phone" in params:
        # Whoever has this number complained about is not for everybody in a group.
        unit.send_card(LIST, str(asked.actor.id or 0), to_person(asked.actor.open_id), params=params)
        unit.send_text(asked.chat, text("home.todo_sent"), reply_to=asked.message_id)
        return
    if asked.is_group:
        params["chat"] = asked.chat_id
    unit.send_card(LIST, str(asked.actor.id or 0), asked.chat, params=params, reply_to=asked.message_id)


def change_page(unit: Unit, clicked: Clicked) -> None:
    """Another page or another filter of a list that stands there; open one of it."""
    card = unit.card_of_message(clicked.message_id)
    if card is None:
        raise Refused(text("card.gone"))
    if clicked.action.name == "complaint.show":
        complaint = unit.of(Complaints).get(int(clicked.action.subject))
        if complaint is None or not clicked.actor.may(VIEW, complaint.program_key):
            raise Refused(not_allowed(VIEW, clicked.actor))
        place = receiver_of(card.receiver)
        here = place.kind == "person" or place.id == complaint.chat_id
        unit.send_card(CARD, str(complaint.id), place if here else to_person(clicked.actor.open_id))
        return
    params = {**card.params, "for": clicked.actor.open_id}
    if clicked.action.name == "complaint.filter":
        params.update(filter=clicked.option if clicked.option in FILTERS else "open", page=1, person=None)
    else:
        params["page"] = int(clicked.action.extra.get("page", "1"))
    unit.refresh_card(card, params=params)


def draw(look: Look) -> Card:
    params = look.params
    people = People(look.session)
    reader = look.actor(str(params.get("for", "")))
    chosen = str(params.get("filter", "open"))
    handler = people.by_open_id(str(params["person"])) if params.get("person") else None
    if chosen == "mine":
        handler = people.by_id(reader.id) if reader.id is not None else None
    filter = ComplaintFilter(
        open_only=chosen != "all",
        chat_id=params.get("chat"),
        programs=reader.programs(VIEW),
        claimed_by=handler.id if handler is not None else (-1 if chosen == "mine" else None),
        unclaimed=chosen == "unclaimed",
        overdue_at=look.now if chosen == "overdue" else None,
        phone=params.get("phone"),
    )
    page = max(1, int(params.get("page", 1)))
    found, total = Complaints(look.session).listed(filter, offset=(page - 1) * PAGE, limit=PAGE)
    pages = max(1, -(-min(total, COUNTED) // PAGE))
    if page > pages:
        page = pages
        found, total = Complaints(look.session).listed(filter, offset=(page - 1) * PAGE, limit=PAGE)
    options = tuple(Option(name, text(f"complaint.filter.{name}")) for name in FILTERS)
    menu = Menu(text("complaint.filter"), options, Action("complaint.filter"), chosen)
    if not found:
        return Card(
            text("complaint.list", filter=text(f"complaint.filter.{chosen}")),
            (menu, Line(text("complaint.list_empty"))),
            Tone.GOOD,
        )
    items = Items(tuple(item(complaint, people, look) for complaint in found))
    turning = tuple(
        Button(text(f"list.{label}"), Action("complaint.page", extra={"page": str(target)}))
        for label, target in (("previous", page - 1), ("next", page + 1))
        if 1 <= target <= pages
    )
    blocks: list[Block] = [menu, items, *([Buttons(turning)] if turning else []), Note(_foot(page, pages, total, look))]
    return Card(text("complaint.list", filter=text(f"complaint.filter.{chosen}")), tuple(blocks), Tone.CALM)


def _foot(page: int, pages: int, total: int, look: Look) -> Text:
    if total > COUNTED:
        return text("list.foot_many", page=page, total=COUNTED, at=Instant(look.now))
    return text("list.foot", page=page, pages=pages, total=total, at=Instant(look.now))


def item(complaint: Complaint, people: People, look: Look) -> Item:
    """One complaint in a list: what it is about, what is due next, and who has it."""
    state = "unclaimed" if complaint.is_open and complaint.claimed_by is None else complaint.progress
    tag = Tag(text(f"complaint.state.{state}"), Tone.GOOD if not complaint.is_open else Tone.WAITING)
    detail: Text | Toned
    if not complaint.is_open:
        detail = text("complaint.item_over", at=Instant(complaint.finished_at or complaint.synced_at))
    else:
        replied = complaint.first_replied_at is not None
        due = complaint.finish_due if replied else complaint.first_reply_due
        label = text("complaint.finish" if replied else "complaint.first_reply")
        detail = text("complaint.item_due", what=label, when=brief(due, look.now))
        if complaint.claimed_by is not None:
            detail = text("complaint.item_detail", when=detail, who=named(people.by_id(complaint.claimed_by)))
        tone = urgency(due, look.now)
        if tone is not None:
            detail = Toned(detail, tone)
        tag = Tag(tag.label, tone or (Tone.WAITING if state in ("unclaimed", "waiting") else Tone.CALM))
    title = text("complaint.item_title", number=complaint.number, amount=Fen(complaint.amount_fen))
    button = Button(text("complaint.show"), Action("complaint.show", str(complaint.id), complaint.row_version))
    return Item(title, detail, button, tag, words=excerpt(complaint.words, 32))
