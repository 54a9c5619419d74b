"""Help that shows what this person may do, the home card, and what waits for them."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, Field

from bot.cards.values import (
    Action,
    Block,
    Button,
    Buttons,
    ButtonStyle,
    Card,
    Facts,
    Item,
    Items,
    Line,
    Note,
    Tag,
    Tone,
    Words,
)
from bot.drawing import Look
from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.permissions import Actor, Permission, find_actor
from bot.refusals import Refused
from bot.router import Asked, Clickable, Clicked, Command, NoArguments, Router
from bot.texts import Fen, Text, text
from bot.unit import Unit, receiver_of, to_chat, to_person
from handlers.approvals.policy import ReadBooks, Rule, may_vote
from handlers.approvals.service import CARD as APPROVAL
from handlers.complaints.listing import LIST
from handlers.complaints.listing import item as listed
from handlers.complaints.showing import CARD as COMPLAINT
from handlers.complaints.times import countdown
from storage.approvals import ApprovalRequest, Approvals
from storage.complaints import ComplaintFilter, Complaints
from storage.inbox import InboxState
from storage.people import EVERYWHERE, People
from storage.setup import Setup

HELP, HOME, TODO = "help", "home", "todo"


class HelpArguments(BaseModel):
    command: str = Field(default="", title="命令", max_length=40)


_AREAS = ("complaints", "help", "digests", "people", "status")  # in this order; others follow together
_USAGES = {
    "complaints": "help.usage.complaints",
    "help": "help.usage.help",
    "home": "help.usage.home",
    "todo": "help.usage.todo",
    "subscribe": "help.usage.subscribe",
    "unsubscribe": "help.usage.unsubscribe",
    "grant": "help.usage.grant",
    "revoke": "help.usage.revoke",
    "me": "help.usage.me",
    "audit": "help.usage.audit",
    "status": "help.usage.status",
}


def draw_help(router: Callable[[], Router]) -> Callable[[Look], Card]:
    def draw(look: Look) -> Card:
        actor = find_actor(People(look.session), str(look.params.get("for", "")))
        permitted = router().permitted(actor)
        wanted = str(look.params.get("command") or "")
        one = [command for command in permitted if wanted in command.names]
        if one:
            return _one_command(one[0])
        blocks: list[Block] = _no_roles(actor)
        if wanted:
            blocks.append(Line(text("help.no_such", word=wanted)))
        for area in (*_AREAS, "other"):
            found = [each for each in permitted if (each.area if each.area in _AREAS else "other") == area]
            if found:
                blocks.append(Line(text(f"help.area.{area}"), strong=True, tone=Tone.CALM))
                blocks.append(Items(tuple(Item(_usage(command), command.help) for command in found)))
        blocks.append(Note(text("help.how")))
        return Card(text("help.title"), tuple(blocks), Tone.CALM)

    return draw


def _usage(command: Command) -> Words:
    key = next((_USAGES[name] for name in command.names if name in _USAGES), None)
    return text(key) if key is not None else " · ".join(command.usage) or f"/{command.names[0]}"


def _one_command(command: Command) -> Card:
    pairs: list[tuple[Text, Words]] = [(text("help.examples"), _usage(command))]
    if len(command.names) > 1:
        pairs.append((text("help.aliases"), " ".join(f"/{name}" for name in command.names[1:])))
    return Card(text("help.of", name=command.names[0]), (Line(command.help), Facts(tuple(pairs))), Tone.CALM)


def _no_roles(actor: Actor) -> list[Block]:
    if actor.id is not None and actor.roles:
        return []
    return [Line(text("people.no_roles"), strong=True), Line(text("people.ask_admin"))]


def draw_home(look: Look) -> Card:
    actor = find_actor(People(look.session), str(look.params.get("for", "")))
    complaints = Complaints(look.session)
    chat = look.receiver.partition(":")[2] if look.receiver.startswith("chat:") else None
    programs = actor.programs(Permission.COMPLAINT_VIEW) if actor.id else ()
    _, open_total = complaints.listed(ComplaintFilter(chat_id=chat, programs=programs), offset=0, limit=1)
    _, unclaimed = complaints.listed(
        ComplaintFilter(chat_id=chat, programs=programs, unclaimed=True), offset=0, limit=1
    )
    pairs: tuple[tuple[Text, Words], ...] = (
        (text("home.open"), text("number", n=open_total)),
        (text("home.unclaimed"), text("number", n=unclaimed)),
    )
    buttons = (
        Button(text("home.complaints"), Action("home.complaints"), ButtonStyle.PRIMARY),
        Button(text("home.todo"), Action("home.todo")),
        Button(text("home.help"), Action("home.help")),
    )
    facts = [Facts(pairs)] if actor.may(Permission.COMPLAINT_VIEW) else []
    blocks = (*_no_roles(actor), *facts, Buttons(buttons), Note(text("home.hello")))
    return Card(text("home.title"), blocks, Tone.CALM)


def draw_todo(look: Look) -> Card:
    """What waits for one person: complaints they handle, requests they may decide."""
    people = People(look.session)
    actor = find_actor(people, str(look.params.get("for", "")))
    items: list[Item] = []
    for request in _votable(look, actor):
        title = text("todo.approval", number=request.number, amount=Fen(request.amount_fen or 0))
        when, _ = countdown(request.due_at, look.now)
        detail = text("complaint.item_due", what=text("approval.due"), when=when)
        button = Button(text("complaint.show"), Action("todo.approval", str(request.id)))
        items.append(Item(title, detail, button, Tag(text("approval.state.pending"), Tone.WAITING)))
    if actor.id is not None:
        mine = Complaints(look.session).claimed_open(actor.id)
        mine.sort(key=lambda each: each.finish_due if each.first_replied_at is not None else each.first_reply_due)
        items += [listed(complaint, people, look) for complaint in mine]
    title = text("todo.title", who=actor.name) if actor.id is not None else text("home.todo")
    if not items:
        return Card(title, (*_no_roles(actor), Line(text("todo.empty"))), Tone.GOOD)
    return Card(title, (Items(tuple(items[:12])),), Tone.WAITING)


def _votable(look: Look, actor: Actor) -> list[ApprovalRequest]:
    books = ReadBooks(People(look.session), Setup(look.session))
    approvals = Approvals(look.session)
    waiting = []
    for request in approvals.pending():
        escalated = request.escalated_at is not None
        rule, asker = Rule(**request.policy), request.requested_by
        voted = any(vote.person_id == actor.id for vote in approvals.votes(request.id))
        if not voted and may_vote(books, actor, rule, request.scope, escalated=escalated, not_id=asker):
            waiting.append(request)
    return waiting


def help_command(unit: Unit, asked: Asked, arguments: HelpArguments) -> None:
    params = {"for": asked.actor.open_id, "command": arguments.command.casefold().lstrip("/／")}
    unit.post(HELP, str(asked.actor.id or 0), asked.chat, params=params, reply_to=asked.message_id)


def home_command(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    params = {"for": asked.actor.open_id}
    unit.post(HOME, str(asked.actor.id or 0), asked.chat, params=params, reply_to=asked.message_id)


def todo_command(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    """What waits for somebody concerns nobody else: it goes to their private chat."""
    params = {"for": asked.actor.open_id}
    unit.post(TODO, str(asked.actor.id or 0), to_person(asked.actor.open_id), params=params)
    if asked.is_group:
        unit.say(asked.chat, text("home.todo_sent"), reply_to=asked.message_id)


def press(unit: Unit, clicked: Clicked) -> None:
    """The buttons of the home card: each opens its card in the same place."""
    card = unit.card_of_message(clicked.message_id)
    place = receiver_of(card.receiver) if card is not None else to_chat(clicked.chat_id)
    params = {"for": clicked.actor.open_id}
    subject = str(clicked.actor.id or 0)
    if clicked.action.name == "home.complaints":
        if not clicked.actor.may(Permission.COMPLAINT_VIEW):
            raise Refused(text("command.stranger"))
        where = {"chat": place.id} if place.kind == "chat" else {}
        unit.post(LIST, subject, place, params={**params, **where, "filter": "open", "page": 1})
    elif clicked.action.name == "home.todo":
        unit.post(TODO, subject, to_person(clicked.actor.open_id), params=params)
    else:
        unit.post(HELP, subject, place, params=params)


def show_approval(unit: Unit, clicked: Clicked) -> None:
    request = Approvals(unit.session).get(int(clicked.action.subject))
    if request is None:
        raise Refused(text("card.gone"))
    rule = Rule(**request.policy)
    escalated = request.escalated_at is not None
    if not may_vote(unit, clicked.actor, rule, request.scope, escalated=escalated, not_id=request.requested_by):
        raise Refused(text("approval.not_approver"))
    unit.post(APPROVAL, str(request.id), to_person(clicked.actor.open_id))


def show_complaint(unit: Unit, clicked: Clicked) -> None:
    complaint = Complaints(unit.session).get(int(clicked.action.subject))
    if complaint is None or not clicked.actor.may(Permission.COMPLAINT_VIEW, complaint.program_key):
        raise Refused(text("card.gone"))
    unit.post(COMPLAINT, str(complaint.id), to_person(clicked.actor.open_id))


def on_added(unit: Unit, event: BotAddedToChat) -> None:
    """The bot was put into a group: say what it is for."""
    chat = unit.setup.chat(event.chat_id)
    if chat is not None:
        chat.bot_present = True
    unit.post(HOME, "0", to_chat(event.chat_id), params={"for": event.operator_open_id})


def on_removed(unit: Unit, event: BotRemovedFromChat | ChatDisbanded) -> None:
    """The bot can no longer speak in a group: the administrators must know, for deadlines run on there."""
    chat_gone(unit, event.chat_id, event.name)


def chat_gone(unit: Unit, chat_id: str, name: str) -> None:
    chat = unit.setup.chat(chat_id)
    if chat is None or not chat.bot_present:
        return
    chat.bot_present = False
    unit.audit("chat.lost", f"chat:{chat_id}", None, name=name or chat.name)
    for admin in unit.people.holding("admin", EVERYWHERE):
        unit.say(to_person(admin.open_id), text("chat.lost", name=name or chat.name))


def on_recalled(unit: Unit, event: MessageRecalled) -> None:
    """A command taken back before it was carried out is not carried out."""
    id = f"feishu:message:{event.message_id}"
    if unit.inbox.take(id) is not None:
        unit.inbox.settle(id, InboxState.IGNORED, unit.now)


def on_menu(unit: Unit, event: BotMenu) -> None:
    kind = {"help": HELP, "todo": TODO}.get(event.event_key, HOME)
    actor = unit.actor(event.open_id)
    unit.post(kind, str(actor.id or 0), to_person(event.open_id), params={"for": event.open_id})


CLICKABLES = (
    Clickable("home.complaints", None, press, done=text("click.opened")),
    Clickable("home.todo", None, press, done=text("home.todo_sent")),
    Clickable("home.help", None, press, done=text("click.opened")),
    Clickable("todo.complaint", Permission.COMPLAINT_VIEW, show_complaint, done=text("click.opened")),
    Clickable("todo.approval", None, show_approval, done=text("click.opened")),
)

COMMANDS = (
    Command(("帮助", "help", "h", "?", "？"), None, HelpArguments, help_command, text("help.help"), ("/帮助",), "help"),
    Command(("首页", "home", "开始", "start"), None, NoArguments, home_command, text("help.home"), ("/首页",), "help"),
    Command(("待办", "todo"), None, NoArguments, todo_command, text("help.todo"), ("/待办",), "help"),
)
