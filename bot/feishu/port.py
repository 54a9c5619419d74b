"""What the bot can do in Feishu: the ports everybody writes against, one for each of Feishu's APIs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.feishu.values import FeishuUser


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where a message goes: a chat by chat id (`oc_`), or a person's private chat by open id (`ou_`)."""

    kind: Literal["chat", "person"]
    id: str


@dataclass(frozen=True, slots=True)
class Chat:
    chat_id: str
    name: str
    mode: str = ""  # group, topic, p2p
    owner_open_id: str = ""
    people: int = 0  # how many, without bots; 0 where not told
    external: bool = False


@dataclass(frozen=True, slots=True)
class Bot:
    open_id: str
    name: str
    active: bool


@dataclass(frozen=True, slots=True)
class ContactRange:
    """What the app may see of the company: ids at the top of its contact range, "0" being the whole company."""

    departments: tuple[str, ...]
    people: tuple[str, ...]


class MessagesPort(Protocol):
    """Messages, and what hangs on them. Each raises `FeishuError`; with the same `uuid` a send has one effect within
    1 h, however often it is repeated. `content` of a card is its JSON as text.
    """

    def send_card(self, receive: Receiver, content: str, uuid: str) -> str: ...

    def send_text(self, receive: Receiver, text: str, uuid: str) -> str: ...

    def reply_card(self, message_id: str, content: str, uuid: str, in_thread: bool = False) -> str: ...

    def reply_text(self, message_id: str, text: str, uuid: str, in_thread: bool = False) -> str: ...

    def patch_card(self, message_id: str, content: str) -> None: ...

    def recall(self, message_id: str) -> None: ...

    def add_reaction(self, message_id: str, emoji: str) -> None: ...

    def urgent(self, message_id: str, open_ids: Sequence[str]) -> tuple[str, ...]: ...

    def upload_image(self, data: bytes, content_type: str) -> str: ...


class ContactsPort(Protocol):
    """People of the company, as far as the app may see them. Each raises `FeishuError`."""

    def user(self, open_id: str) -> FeishuUser: ...

    def users(self, open_ids: Sequence[str]) -> tuple[FeishuUser, ...]: ...


class ChatsPort(Protocol):
    """The chats that the bot is in, and who is in them. Each raises `FeishuError`."""

    def chat(self, chat_id: str) -> Chat: ...

    def chats(self) -> tuple[Chat, ...]: ...

    def is_member(self, chat_id: str, open_id: str) -> bool: ...


class ApplicationPort(Protocol):
    """The app itself. Raises `FeishuError`."""

    def bot_open_id(self) -> str: ...

    @property
    def known_bot_open_id(self) -> str: ...


class FeishuPort(MessagesPort, ContactsPort, ChatsPort, ApplicationPort, Protocol):
    """All of it. Whoever needs one API asks for that port alone."""
