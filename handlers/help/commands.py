"""Help that shows what this person may do, the home card, and what waits for them."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bot.cards.values import Action, Block, Button, Buttons, Card, Facts, Item, Items, Line, Note, Tone, Words
from bot.contributions.home import HomeBlock, TodoBlock
from bot.contributions.routing import Asked, Click, Clicked, Command, NoArguments
from bot.drawing import Look
from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.permissions import Actor
from bot.texts import Text, text
from bot.unit import Unit, receiver_of, to_chat, to_person
from storage.areas.people import EVERYWHERE
from storage.core.inbox import InboxState

HELP, HOME, TODO = "help", "home", "todo"


class HelpArguments(BaseModel):
    command: str = Field(default="", title="命令", max_length=40)


def draw_help(look: Look) -> Card:
    actor = look.actor(str(look.params.get("for", "")))
    wanted = str(look.params.get("command") or "")
    permitted = [pair for pair in look.areas.with_areas(Command) if actor.may(pair[1].permission)]
    one = [command for _, command in permitted if wanted in command.names]
    if one:
        return _one_command(one[0])
    blocks: list[Block] = _no_roles(actor)
    if wanted:
        blocks.append(Line(text("help.no_such", word=wanted)))
    for area in dict.fromkeys(area.name for area, _ in permitted):
        found = [(home, command) for home, command in permitted if home.name == area]
        if (title := found[0][0].title) is not None:
            blocks.append(Line(title, strong=True, tone=Tone.CALM))
        blocks.append(Items(tuple(Item(_usage(command), command.help) for _, command in found)))
    blocks.append(Note(text("help.how")))
    return Card(text("help.title"), tuple(blocks), Tone.CALM)


def _usage(command: Command) -> Words:
    return command.usage or f"/{command.names[0]}"


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
    actor = look.actor(str(look.params.get("for", "")))
    brought = look.areas.of(HomeBlock)
    buttons = (
        *(block.button for block in brought if block.button is not None),
        Button(text("home.todo"), Action("home.todo")),
        Button(text("home.help"), Action("home.help")),
    )
    standing = [drawn for block in brought for drawn in block.draw(look, actor)]
    blocks = (*_no_roles(actor), *standing, Buttons(buttons), Note(text("home.hello")))
    return Card(text("home.title"), blocks, Tone.CALM)


def draw_todo(look: Look) -> Card:
    """What waits for one person, in every area."""
    actor = look.actor(str(look.params.get("for", "")))
    items = [item for block in look.areas.of(TodoBlock) for item in block.items(look, actor)]
    title = text("todo.title", who=actor.name) if actor.id is not None else text("home.todo")
    if not items:
        return Card(title, (*_no_roles(actor), Line(text("todo.empty"))), Tone.GOOD)
    return Card(title, (Items(tuple(items[:12])),), Tone.WAITING)


def help_command(unit: Unit, asked: Asked, arguments: HelpArguments) -> None:
    params = {"for": asked.actor.open_id, "command": arguments.command.casefold().lstrip("/／")}
    unit.send_card(HELP, str(asked.actor.id or 0), asked.chat, params=params, reply_to=asked.message_id)


def home_command(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    params = {"for": asked.actor.open_id}
    unit.send_card(HOME, str(asked.actor.id or 0), asked.chat, params=params, reply_to=asked.message_id)


def todo_command(unit: Unit, asked: Asked, arguments: NoArguments) -> None:
    """What waits for somebody concerns nobody else: it goes to their private chat."""
    params = {"for": asked.actor.open_id}
    unit.send_card(TODO, str(asked.actor.id or 0), to_person(asked.actor.open_id), params=params)
    if asked.is_group:
        unit.send_text(asked.chat, text("home.todo_sent"), reply_to=asked.message_id)


def press(unit: Unit, clicked: Clicked) -> None:
    """The buttons of the home card: each opens its card in the same place, or in private."""
    card = unit.card_of_message(clicked.message_id)
    place = receiver_of(card.receiver) if card is not None else to_chat(clicked.chat_id)
    params = {"for": clicked.actor.open_id}
    subject = str(clicked.actor.id or 0)
    if clicked.action.name == "home.todo":
        unit.send_card(TODO, subject, to_person(clicked.actor.open_id), params=params)
    else:
        unit.send_card(HELP, subject, place, params=params)


def on_added(unit: Unit, event: BotAddedToChat) -> None:
    """The bot was put into a group: say what it is for."""
    chat = unit.configuration.chat(event.chat_id)
    if chat is not None:
        chat.bot_present = True
    unit.send_card(HOME, "0", to_chat(event.chat_id), params={"for": event.operator_open_id})


def on_removed(unit: Unit, event: BotRemovedFromChat | ChatDisbanded) -> None:
    """The bot can no longer speak in a group: the administrators must know, for deadlines run on there."""
    chat_gone(unit, event.chat_id, event.name)


def chat_gone(unit: Unit, chat_id: str, name: str) -> None:
    chat = unit.configuration.chat(chat_id)
    if chat is None or not chat.bot_present:
        return
    chat.bot_present = False
    unit.audit("chat.lost", f"chat:{chat_id}", None, name=name or chat.name)
    for admin in unit.people.holding("admin", EVERYWHERE):
        unit.send_text(to_person(admin.open_id), text("chat.lost", name=name or chat.name))


def on_recalled(unit: Unit, event: MessageRecalled) -> None:
    """A command taken back before it was carried out is not carried out."""
    id = f"feishu:message:{event.message_id}"
    if unit.inbox.take(id) is not None:
        unit.inbox.settle(id, InboxState.IGNORED, unit.now)


def on_menu(unit: Unit, event: BotMenu) -> None:
    kind = {"help": HELP, "todo": TODO}.get(event.event_key, HOME)
    actor = unit.actor(event.open_id)
    unit.send_card(kind, str(actor.id or 0), to_person(event.open_id), params={"for": event.open_id})


CLICKS = (
    Click("home.todo", None, press, done=text("home.todo_sent")),
    Click("home.help", None, press, done=text("click.opened")),
)

COMMANDS = (
    Command(
        ("帮助", "help", "h", "?", "？"), None, HelpArguments, help_command, text("help.help"), text("help.usage.help")
    ),
    Command(
        ("首页", "home", "开始", "start"), None, NoArguments, home_command, text("help.home"), text("help.usage.home")
    ),
    Command(("待办", "todo"), None, NoArguments, todo_command, text("help.todo"), text("help.usage.todo")),
)
