"""Help, the home card and what waits for somebody, asked for by command or button."""

from __future__ import annotations

from pydantic import BaseModel, Field

from bot.contributions.routing import Asked, Click, Clicked, Command, NoArguments
from bot.texts import text
from bot.unit import Unit, receiver_of, to_chat, to_person
from handlers.help.cards import HELP, HOME, TODO


class HelpArguments(BaseModel):
    command: str = Field(default="", title="命令", max_length=40)


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
