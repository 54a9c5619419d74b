"""What came from Feishu, in our own words: frozen values with nothing of Feishu's JSON in them. Times are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Somebody named in a message with @; in the text stands `@{open_id}` in that place."""

    open_id: str
    name: str


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """Somebody wrote to the bot or in a chat where it listens.

    `text` has the bot's own mention taken out, every other person's turned into `@{ou_...}` and @all into `@{all}`; it
    is hostile text. It is "" for pictures and other kinds without words. `chat_type` is "p2p" or "group",
    `sender_type` "user" or "bot".
    """

    message_id: str
    chat_id: str
    chat_type: str
    sender_open_id: str
    sender_type: str
    text: str
    mentions_bot: bool
    created_at: datetime
    parent_id: str = ""
    thread_id: str = ""
    message_type: str = "text"
    mentions: tuple[Mentioned, ...] = ()
    mentions_all: bool = False


@dataclass(frozen=True, slots=True)
class MessageRecalled:
    message_id: str
    chat_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class CardClicked:
    """A click on a card, a choice in it or a form sent from it.

    `value` is what the component carries (an object as a rule, text from foreign cards). `option`/`options`,
    `input_value` and `checked` come from components outside a form; `form` maps each field's name to its text, or to a
    tuple for fields of many choices. `token` allows two delayed updates within 30 min. `timezone` is IANA's or "".
    """

    operator_open_id: str
    message_id: str
    chat_id: str
    value: object = None
    option: str = ""
    options: tuple[str, ...] = ()
    input_value: str = ""
    checked: bool | None = None
    form: Mapping[str, str | tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    name: str = ""
    tag: str = ""
    token: str = ""
    timezone: str = ""


@dataclass(frozen=True, slots=True)
class FeishuUser:
    """A person as the contact service shows them; `active` is False for who left, is frozen or is leaving."""

    open_id: str
    name: str
    en_name: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True)
class UserLeft:
    open_id: str


@dataclass(frozen=True, slots=True)
class UserChanged:
    """Something about a person changed; fields that the app may not see are empty."""

    user: FeishuUser


@dataclass(frozen=True, slots=True)
class BotAddedToChat:
    chat_id: str
    name: str
    operator_open_id: str


@dataclass(frozen=True, slots=True)
class BotRemovedFromChat:
    chat_id: str
    name: str
    operator_open_id: str


@dataclass(frozen=True, slots=True)
class ChatDisbanded:
    chat_id: str
    name: str


@dataclass(frozen=True, slots=True)
class BotMenu:
    """A press on an entry of the bot's menu; answered to the person, for no chat is told."""

    open_id: str
    event_key: str


@dataclass(frozen=True, slots=True)
class P2pEntered:
    """Somebody opened the private chat with the bot. Comes every time, not only the first."""

    open_id: str
    chat_id: str


@dataclass(frozen=True, slots=True)
class Other:
    """An event that nothing here needs; stored and counted."""

    event_type: str


Incoming: TypeAlias = (
    MessageReceived
    | MessageRecalled
    | CardClicked
    | UserLeft
    | UserChanged
    | BotAddedToChat
    | BotRemovedFromChat
    | ChatDisbanded
    | BotMenu
    | P2pEntered
    | Other
)
