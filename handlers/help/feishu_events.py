"""What Feishu tells of the bot's own place: put into a group, taken out of it, its menu, a message taken back."""

from __future__ import annotations

from bot.feishu.values import BotAddedToChat, BotMenu, BotRemovedFromChat, ChatDisbanded, MessageRecalled
from bot.texts import text
from bot.unit import Unit, to_chat, to_person
from handlers.help.cards import HELP, HOME, TODO
from storage.areas.people import EVERYWHERE
from storage.core.inbox import InboxState


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
