"""Everything the fake Feishu remembers, with its look-ups. Callers hold `world.lock`."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from sandbox.feishu.errors import Refused
from sandbox.feishu.state import (
    COLOURS,
    App,
    CardToken,
    Chat,
    Message,
    Token,
    Upload,
    User,
    new_id,
)
from sandbox.world import World

CARD_LIFE = timedelta(days=14)


class Store:
    def __init__(self, world: World) -> None:
        self.world = world
        self.apps: dict[str, App] = {}
        self.users: dict[str, User] = {}
        self.chats: dict[str, Chat] = {}
        self.messages: dict[str, Message] = {}
        self.uploads: dict[str, Upload] = {}
        self.tokens: dict[str, Token] = {}
        self.card_tokens: dict[str, CardToken] = {}
        self.read_up_to: dict[tuple[str, str], int] = {}
        self.menu_entries: dict[str, str] = {}  # the bot's menu in private chats: event key -> label
        self._by_chat: dict[str, list[Message]] = {}
        self._numbers = itertools.count(1)

    def now(self) -> datetime:
        return self.world.clock.now()

    def add_app(
        self,
        app_id: str = "cli_sandbox",
        secret: str = "sandbox-secret",
        encrypt_key: str = "sandbox-encrypt-key",
        verification_token: str = "sandbox-verification-token",
        name: str = "运营助手",
    ) -> App:
        app = App(app_id, secret, encrypt_key, verification_token, name, new_id("ou_"))
        self.apps[app_id] = app
        return app

    def add_user(self, name: str, open_id: str | None, en_name: str, locale: str, mobile: str, email: str) -> User:
        fresh = open_id or new_id("ou_")
        if fresh in self.users:
            raise ValueError(f"{fresh} exists")
        number = len(self.users) + 1
        user = User(
            open_id=fresh,
            union_id=new_id("on_"),
            user_id=f"u{number:04d}",
            name=name,
            en_name=en_name,
            avatar=COLOURS[number % len(COLOURS)],
            locale=locale,
            mobile=mobile,
            email=email,
        )
        self.users[fresh] = user
        return user

    def user(self, open_id: str) -> User:
        if open_id not in self.users:
            raise KeyError(f"nobody has the open_id {open_id}")
        return self.users[open_id]

    def chat(self, chat_id: str) -> Chat:
        if chat_id not in self.chats:
            raise KeyError(f"no chat {chat_id}")
        return self.chats[chat_id]

    def message(self, message_id: str) -> Message:
        if message_id not in self.messages:
            raise KeyError(f"no message {message_id}")
        return self.messages[message_id]

    def bot_by_open_id(self, open_id: str) -> App | None:
        return next((app for app in self.apps.values() if app.bot_open_id == open_id), None)

    def find_user(self, kind: str, value: str) -> User | None:
        """By open_id, union_id, user_id or email; None when nobody has it."""
        if kind == "open_id":
            return self.users.get(value)
        return next((user for user in self.users.values() if value and getattr(user, kind, "") == value), None)

    def person_known(self, value: str) -> bool:
        """Whether a card may name this person. A leaver makes the whole card fail. docs/platforms/feishu.md."""
        if self.bot_by_open_id(value) is not None:
            return True
        here = [user for user in self.users.values() if not user.resigned]
        return any(value in (user.open_id, user.union_id, user.user_id) for user in here)

    def image_known(self, key: str) -> bool:
        upload = self.uploads.get(key)
        return upload is not None and upload.kind == "image"

    def p2p(self, open_id: str, app_id: str) -> tuple[Chat, bool]:
        """The private chat of a person and a bot, and whether it was created just now."""
        for chat in self.chats.values():
            if chat.kind == "p2p" and app_id in chat.bots and open_id in chat.members:
                return chat, False
        chat = Chat(new_id("oc_"), "", "p2p", [open_id], {app_id})
        self.chats[chat.chat_id] = chat
        return chat, True

    def in_chat(self, chat_id: str) -> list[Message]:
        return self._by_chat.get(chat_id, [])

    def add_message(self, make: Callable[[str, datetime, int], Message]) -> Message:
        """`make` gets the id, the time and the running number."""
        message = make(new_id("om_"), self.now(), next(self._numbers))
        self.messages[message.message_id] = message
        self._by_chat.setdefault(message.chat_id, []).append(message)
        self.world.changed()
        return message

    def drop_message(self, message_id: str) -> None:
        message = self.messages.pop(message_id)
        self._by_chat[message.chat_id].remove(message)
        self.world.changed()

    def clickable(self, message: Message) -> bool:
        return message.is_card and not message.recalled and self.now() - message.created_at <= CARD_LIFE

    def bots_of(self, chat: Chat) -> Iterable[App]:
        return [self.apps[app_id] for app_id in sorted(chat.bots) if app_id in self.apps]

    def app_with_bot_in(self, app: App, chat: Chat) -> None:
        """Raises what Feishu answers when the bot has no business in the chat."""
        if chat.dissolved:
            raise Refused(232009, "Your request specifies a chat which has already been dissolved.")
        if app.app_id not in chat.bots:
            raise Refused(230002, "Bot/User can NOT be out of the chat.")
        if chat.muted:
            raise Refused(230035, "Send Message Permission deny.")
