"""From a proven envelope to a value. Unknown keys and missing optional ones are nothing; what is vital and not there is
`Malformed`, and no shape of JSON gets anything else out of here.
See docs/platforms/feishu.md ("Events and their fields", "Forms and clicks").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from bot.feishu.envelope import Envelope, moment
from bot.feishu.message_text import clean, read_mentions, read_text
from bot.feishu.values import (
    BotAddedToChat,
    BotMenu,
    BotRemovedFromChat,
    CardClicked,
    ChatDisbanded,
    FeishuUser,
    Incoming,
    MessageRecalled,
    MessageReceived,
    Other,
    P2pEntered,
    UserChanged,
    UserLeft,
)


class Malformed(Exception):
    """An event of a known type lacks what its type is about. Repeating it would not help."""

    def __init__(self, event_type: str, missing: str) -> None:
        super().__init__(f"{event_type}: {missing} is missing or unreadable")
        self.event_type = event_type
        self.missing = missing


class _Fields:
    """An event's JSON read by path, as `operator.open_id`, taking whatever has the wrong type for missing."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope

    def get(self, path: str) -> Any:
        value: Any = self.envelope.event
        for key in path.split("."):
            value = value.get(key) if isinstance(value, Mapping) else None
        return value

    def text(self, path: str) -> str:
        value = self.get(path)
        return clean(value) if isinstance(value, str) else ""

    def need(self, path: str) -> str:
        value = self.text(path)
        if not value:
            raise Malformed(self.envelope.event_type, path)
        return value


def parse(envelope: Envelope, bot_open_id: str) -> Incoming:
    """The value of an event; `Other` for types that nothing needs, `Malformed` for a broken one."""
    reader = _READERS.get(envelope.event_type)
    if reader is None:
        return Other(envelope.event_type)
    return reader(_Fields(envelope), bot_open_id)


def _message(fields: _Fields, bot_open_id: str) -> Incoming:
    mentions = read_mentions(fields.get("message.mentions"))
    kind = fields.text("message.message_type")
    content = fields.get("message.content")
    text, to_all = read_text(kind, content if isinstance(content, str) else "", mentions, bot_open_id)
    return MessageReceived(
        message_id=fields.need("message.message_id"),
        chat_id=fields.need("message.chat_id"),
        chat_type=fields.text("message.chat_type"),
        sender_open_id=fields.need("sender.sender_id.open_id"),
        sender_type=fields.text("sender.sender_type"),
        text=text,
        mentions_bot=bool(bot_open_id) and any(who.open_id == bot_open_id for who in mentions.values()),
        created_at=moment(fields.get("message.create_time")) or fields.envelope.created_at,
        parent_id=fields.text("message.parent_id"),
        thread_id=fields.text("message.thread_id"),
        message_type=kind,
        mentions=tuple(who for who in mentions.values() if who.open_id and who.open_id != bot_open_id),
        mentions_all=to_all,
    )


def _recalled(fields: _Fields, bot_open_id: str) -> Incoming:
    at = moment(fields.get("recall_time")) or fields.envelope.created_at
    return MessageRecalled(fields.need("message_id"), fields.text("chat_id"), at)


def _click(fields: _Fields, bot_open_id: str) -> Incoming:
    form = fields.get("action.form_value")
    checked = fields.get("action.checked")
    return CardClicked(
        operator_open_id=fields.need("operator.open_id"),
        message_id=fields.text("context.open_message_id"),
        chat_id=fields.text("context.open_chat_id"),
        value=fields.get("action.value"),
        option=fields.text("action.option"),
        options=_texts(fields.get("action.options")),
        input_value=fields.text("action.input_value"),
        checked=checked if isinstance(checked, bool) else None,
        form=MappingProxyType(_form(form) if isinstance(form, Mapping) else {}),
        name=fields.text("action.name"),
        tag=fields.text("action.tag"),
        token=fields.text("token"),
        timezone=fields.text("action.timezone"),
    )


def _form(raw: Mapping[str, Any]) -> dict[str, str | tuple[str, ...]]:
    form: dict[str, str | tuple[str, ...]] = {}
    for name, value in raw.items():
        if isinstance(value, list):
            form[clean(name)] = _texts(value)
        elif isinstance(value, bool):
            form[clean(name)] = "true" if value else "false"
        elif isinstance(value, str | int | float):
            form[clean(name)] = clean(str(value))
    return form


def _texts(value: object) -> tuple[str, ...]:
    return tuple(clean(each) for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _left(fields: _Fields, bot_open_id: str) -> Incoming:
    return UserLeft(fields.text("object.open_id") or fields.text("old_object.open_id") or fields.need("object.open_id"))


def _changed(fields: _Fields, bot_open_id: str) -> Incoming:
    return UserChanged(read_user(fields.need("object.open_id"), fields.get("object")))


def read_user(open_id: str, raw: Mapping[str, Any]) -> FeishuUser:
    """A person as events and answers of the contact service show them; a status that is not shown counts as active."""
    status = raw.get("status")
    gone = isinstance(status, Mapping) and any(status.get(key) is True for key in _GONE)
    names = [raw.get(key) for key in ("name", "en_name")]
    name, en_name = (clean(each) if isinstance(each, str) else "" for each in names)
    return FeishuUser(open_id, name, en_name, active=not gone)


def _added(fields: _Fields, bot_open_id: str) -> Incoming:
    return BotAddedToChat(fields.need("chat_id"), fields.text("name"), fields.text("operator_id.open_id"))


def _removed(fields: _Fields, bot_open_id: str) -> Incoming:
    return BotRemovedFromChat(fields.need("chat_id"), fields.text("name"), fields.text("operator_id.open_id"))


def _disbanded(fields: _Fields, bot_open_id: str) -> Incoming:
    return ChatDisbanded(fields.need("chat_id"), fields.text("name"))


def _menu(fields: _Fields, bot_open_id: str) -> Incoming:
    return BotMenu(fields.need("operator.operator_id.open_id"), fields.need("event_key"))


def _entered(fields: _Fields, bot_open_id: str) -> Incoming:
    return P2pEntered(fields.need("operator_id.open_id"), fields.need("chat_id"))


def _first_entered(fields: _Fields, bot_open_id: str) -> Incoming:
    return P2pEntered(fields.text("user.open_id") or fields.need("operator.open_id"), fields.need("chat_id"))


_GONE = ("is_frozen", "is_resigned", "is_exited")
_READERS: Mapping[str, Callable[[_Fields, str], Incoming]] = MappingProxyType(
    {
        "im.message.receive_v1": _message,
        "im.message.recalled_v1": _recalled,
        "card.action.trigger": _click,
        "contact.user.deleted_v3": _left,
        "contact.user.updated_v3": _changed,
        "im.chat.member.bot.added_v1": _added,
        "im.chat.member.bot.deleted_v1": _removed,
        "im.chat.disbanded_v1": _disbanded,
        "application.bot.menu_v6": _menu,
        "im.chat.access_event.bot_p2p_chat_entered_v1": _entered,
        "p2p_chat_create": _first_entered,  # 1.0, the very first time
    }
)
EVENT_TYPES = tuple(_READERS)
"""What to subscribe in the console, the card callback included."""
