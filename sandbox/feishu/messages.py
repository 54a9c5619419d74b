"""Sending, replying, updating, recalling: the rules of im/v1 messages for bots.

See docs/platforms/feishu.md ("Messages", "Card update rules and 14 days").
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.feishu import content
from sandbox.feishu.content import invalid
from sandbox.feishu.errors import Refused, field_error
from sandbox.feishu.limits import Limits
from sandbox.feishu.state import TENANT, App, Chat, Message, Reaction, millis, new_id
from sandbox.feishu.store import CARD_LIFE, Store

ID_TYPES = ("open_id", "user_id", "union_id", "email", "chat_id")
UUID_WINDOW = timedelta(hours=1)
UUID_LONGEST = 50
MOST_EDITS = 20
MOST_URGENT = 200


class Messages:
    """Callers hold `world.lock`; every refusal is a `Refused`."""

    def __init__(self, store: Store, limits: Limits) -> None:
        self._store, self._limits = store, limits
        self._uuids: dict[tuple[str, str], tuple[datetime, str]] = {}
        self.delivered = 0  # messages that bots really posted

    def create(self, app: App, receive_id_type: str, body: Mapping[str, Any]) -> Message:
        if receive_id_type not in ID_TYPES:
            raise field_error("receive_id_type", f"receive_id_type is optional, options: [{','.join(ID_TYPES)}]")
        for name in ("receive_id", "msg_type", "content"):
            if not body.get(name):
                raise field_error(name, f"{name} is required")
        chat = self._target(app, receive_id_type, str(body["receive_id"]))
        return self._send(app, chat, body, None)

    def reply(self, app: App, message_id: str, body: Mapping[str, Any]) -> Message:
        for name in ("msg_type", "content"):
            if not body.get(name):
                raise field_error(name, f"{name} is required")
        parent = self.find(message_id)
        if parent.recalled:
            raise Refused(230011, "The message was withdrawn.")
        if parent.shown_to:
            raise Refused(230054, "This operation is not supported for this message type.")
        return self._send(app, self._store.chat(parent.chat_id), body, parent)

    def patch(self, app: App, message_id: str, body: Mapping[str, Any]) -> Message:
        """Put another card in place of the one shown."""
        message = self._own(app, message_id)
        if not message.is_card or message.shown_to:
            raise invalid("This message is NOT a card.")
        if self._store.now() - message.created_at > CARD_LIFE:
            raise Refused(230031, "The message has expired, and messages older than 14 days cannot be updated.")
        self._limits.to_message(message_id)
        raw = body.get("content")
        card, _ = content.outgoing(self._store, app, "interactive", raw)
        self.show(message, content.changed_card(self._store, message.content, card))
        return message

    def show(self, message: Message, card: dict[str, Any]) -> None:
        message.content = card
        message.updated = True
        message.revision += 1
        message.updated_at = self._store.now()
        self._store.world.changed()

    def edit(self, app: App, message_id: str, body: Mapping[str, Any]) -> Message:
        """Change a text or post."""
        message = self.find(message_id)
        if message.sender != app.app_id:
            raise Refused(230071, "The operator is not the sender of the message.")
        self._must_live(app, message)
        if message.msg_type not in ("text", "post") or body.get("msg_type") not in ("text", "post"):
            raise Refused(230054, "This operation is not supported for this message type.")
        if message.edits >= MOST_EDITS:
            raise Refused(230072, "The message has reached the number of edits limit.")
        self._limits.to_message(message_id)
        message.content, message.mentions = content.outgoing(self._store, app, body["msg_type"], body.get("content"))
        message.msg_type = str(body["msg_type"])
        message.edits += 1
        message.updated = True
        message.updated_at = self._store.now()
        self._store.world.changed()
        return message

    def recall(self, app: App, message_id: str) -> None:
        message = self.find(message_id)
        if message.sender != app.app_id:
            raise Refused(230026, "No permission to recall this message.")
        self._must_live(app, message)
        message.recalled = True
        message.updated_at = self._store.now()
        self._store.world.changed()

    def get(self, app: App, message_id: str) -> Message:
        message = self.find(message_id)
        self._store.app_with_bot_in(app, self._store.chat(message.chat_id))
        return message

    def in_chat(self, app: App, chat_id: str, start: int, end: int, descending: bool) -> list[Message]:
        """The messages of a chat, `start` and `end` in seconds (0 means open); replies in threads are left out."""
        chat = self._store.chats.get(chat_id)
        if chat is None:
            raise invalid("invalid container_id")
        self._store.app_with_bot_in(app, chat)
        found = [
            message
            for message in self._store.in_chat(chat_id)
            if not message.shown_to
            and not (message.thread_id and message.root_id)
            and (not start or message.created_at.timestamp() >= start)
            and (not end or message.created_at.timestamp() <= end)
        ]
        return found[::-1] if descending else found

    def react(self, app: App, message_id: str, emoji: str) -> Reaction:
        message = self.get(app, message_id)
        if message.recalled:
            raise Refused(231003, "The message is not found, or has been withdrawn.")
        if not emoji:
            raise Refused(231001, "reaction type is invalid.")
        reaction = Reaction(new_id("ZCaCIjUBVVWSrm5L-"), emoji, app.app_id, "app", self._store.now())
        message.reactions.append(reaction)
        self._store.world.changed()
        return reaction

    def urge(self, app: App, message_id: str, open_ids: list[str]) -> list[str]:
        """Remind people of a message; answers the ids that could not be reminded."""
        message = self._own(app, message_id)
        if not open_ids or len(open_ids) > MOST_URGENT:
            raise invalid("invalid user_id_list")
        members = self._store.chat(message.chat_id).members
        good = {one for one in open_ids if one in members and not self._store.user(one).resigned}
        message.urgent |= good
        self._store.world.changed()
        return [one for one in open_ids if one not in good]

    def ephemeral(self, app: App, body: Mapping[str, Any]) -> Message:
        """A card that one member of a group sees; `card` is an object here."""
        chat = self._store.chats.get(str(body.get("chat_id")))
        user = self._store.users.get(str(body.get("open_id"))) or self._store.find_user("email", str(body.get("email")))
        if chat is None or user is None:
            raise Refused(10002, "chat_id or receiver is invalid", 200)
        if chat.kind != "group" or chat.topic:
            raise Refused(18053, "ephemeral cards need a normal group", 200)
        self._store.app_with_bot_in(app, chat)
        if user.open_id not in chat.members:
            raise Refused(18054, "the receiver is not in the group", 200)
        card = body.get("card")
        if body.get("msg_type") != "interactive" or not isinstance(card, dict):
            raise Refused(10002, "card must be an object", 200)
        shown = content.card_content(self._store, card)
        return self._post(app, chat, "interactive", shown, (), None, shown_to=user.open_id)

    def end_ephemeral(self, app: App, message_id: str) -> None:
        message = self._store.messages.get(message_id)
        if message is None or not message.shown_to or message.sender != app.app_id:
            raise Refused(18051, "the message is already gone", 200)
        self._store.drop_message(message_id)

    def find(self, message_id: str) -> Message:
        message = self._store.messages.get(message_id)
        if message is None:
            text = f"The request you send is not a valid {{open_message_id}} or not exists. Invalid ids: [{message_id}]"
            raise Refused(99992354, text)
        return message

    def _own(self, app: App, message_id: str) -> Message:
        message = self.find(message_id)
        if message.sender != app.app_id:
            raise Refused(230012, "The message is NOT sent by this bot.")
        self._must_live(app, message)
        return message

    def _must_live(self, app: App, message: Message) -> None:
        if message.recalled:
            raise Refused(230011, "The message was withdrawn.")
        self._store.app_with_bot_in(app, self._store.chat(message.chat_id))

    def _target(self, app: App, kind: str, value: str) -> Chat:
        if kind == "chat_id":
            chat = self._store.chats.get(value)
            if chat is None:
                raise invalid("invalid receive_id")
            return chat
        user = self._store.find_user(kind, value)
        if user is None:
            if kind == "email":
                raise Refused(230034, "The receive_id is invalid.")
            code = 99992360 if kind == "user_id" else 99992351
            raise Refused(code, f"The request you send is not a valid {{{kind}}} or not exists. Invalid ids: [{value}]")
        if user.resigned:
            raise Refused(230029, "The user has resigned.")
        if not app.serves(user.open_id):
            raise Refused(230013, "Bot has NO availability to this user.")
        return self._store.p2p(user.open_id, app.app_id)[0]

    def _send(self, app: App, chat: Chat, body: Mapping[str, Any], parent: Message | None) -> Message:
        self._store.app_with_bot_in(app, chat)
        if chat.kind == "p2p" and all(self._store.user(member).resigned for member in chat.members):
            raise Refused(230013, "Bot has NO availability to this user.")
        key = str(body.get("uuid") or "")
        if len(key) > UUID_LONGEST:
            raise invalid("uuid is longer than 50 characters")
        self._limits.to_chat(chat.chat_id)
        known = self._uuids.get((app.app_id, key)) if key else None
        if known is not None and self._store.now() - known[0] < UUID_WINDOW:
            return self._store.message(known[1])
        stored, mentions = content.outgoing(self._store, app, body["msg_type"], body["content"])
        threaded = bool(body.get("reply_in_thread"))
        message = self._post(app, chat, str(body["msg_type"]), stored, mentions, parent, threaded)
        if key:
            self._uuids[app.app_id, key] = (message.created_at, message.message_id)
        self.delivered += 1
        return message

    def _post(
        self,
        app: App,
        chat: Chat,
        msg_type: str,
        stored: dict[str, Any],
        mentions: tuple[Any, ...],
        parent: Message | None,
        threaded: bool = False,
        shown_to: str = "",
    ) -> Message:
        thread_id = ""
        if parent is not None:
            if threaded and not parent.thread_id:
                parent.thread_id = new_id("omt_")
            thread_id = parent.thread_id
        elif chat.topic:
            thread_id = new_id("omt_")
        return self._store.add_message(
            lambda message_id, at, number: Message(
                message_id=message_id,
                chat_id=chat.chat_id,
                sender=app.app_id,
                sender_kind="bot",
                msg_type=msg_type,
                content=stored,
                created_at=at,
                updated_at=at,
                number=number,
                mentions=mentions,
                parent_id=parent.message_id if parent else "",
                root_id=(parent.root_id or parent.message_id) if parent else "",
                thread_id=thread_id,
                shown_to=shown_to,
            )
        )


def as_answer(store: Store, message: Message, original_card: bool = False) -> dict[str, Any]:
    """The message object of answers. A card reads back rendered unless the original is asked for."""
    is_bot = message.sender_kind == "bot"
    if message.recalled:
        text = json.dumps({"text": "This message was recalled"})
    elif message.is_card and not original_card:
        text = json.dumps(_rendered(message.content), ensure_ascii=False)
    else:
        text = json.dumps(message.content, ensure_ascii=False)
    answer: dict[str, Any] = {
        "message_id": message.message_id,
        "msg_type": message.msg_type,
        "create_time": str(millis(message.created_at)),
        "update_time": str(millis(message.updated_at)),
        "deleted": message.recalled,
        "updated": message.updated,
        "chat_id": message.chat_id,
        "sender": {
            "id": message.sender,
            "id_type": "app_id" if is_bot else "open_id",
            "sender_type": "app" if is_bot else "user",
            "tenant_key": TENANT,
        },
        "body": {"content": text},
    }
    if message.mentions:
        answer["mentions"] = [
            {"key": one.key, "id": one.open_id, "id_type": "open_id", "name": one.name, "tenant_key": TENANT}
            for one in message.mentions
        ]
    for name in ("root_id", "parent_id", "thread_id"):
        if getattr(message, name):
            answer[name] = getattr(message, name)
    return answer


def _rendered(card: Mapping[str, Any]) -> dict[str, Any]:
    title = card.get("header", {}).get("title", {}).get("content")
    elements = card.get("body", {}).get("elements", []) or card.get("elements", [])
    texts = [str(part.get("content", "")) for part in elements if isinstance(part, dict)]
    return {"title": title, "elements": [[{"tag": "text", "text": text}] for text in texts]}
