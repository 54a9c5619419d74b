"""What people do in Feishu: write, edit, recall, react, join, leave. Apps that listen are told.

See docs/platforms/feishu.md ("Events and their fields").
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox.feishu.core import Core, Outgoing
from sandbox.feishu.state import TENANT, App, Chat, Mention, Message, Reaction, Upload, User, millis, new_id

Recipients = list[Outgoing]


class People(Core):
    def add_user(
        self,
        name: str,
        open_id: str | None = None,
        en_name: str = "",
        locale: str = "zh_cn",
        mobile: str = "",
        email: str = "",
    ) -> User:
        with self.world.lock:
            user = self.store.add_user(name, open_id, en_name, locale, mobile, email)
            self.world.changed()
            return user

    def add_chat(
        self, name: str, members: Sequence[str | User], with_bot: bool = True, chat_id: str | None = None
    ) -> Chat:
        """A group of these people (open ids or users), with the sandbox app's bot in it."""
        with self.world.lock:
            people = [one.open_id if isinstance(one, User) else self.store.user(one).open_id for one in members]
            bots = {self.app.app_id} if with_bot else set()
            chat = Chat(chat_id or new_id("oc_"), name, "group", people, bots, owner=people[0] if people else "")
            self.store.chats[chat.chat_id] = chat
            self.world.changed()
            return chat

    def p2p(self, open_id: str, app: App | None = None) -> Chat:
        """The private chat of a person and the bot, made on demand."""
        with self.world.lock:
            return self.store.p2p(self.store.user(open_id).open_id, (app or self.app).app_id)[0]

    def join(self, open_id: str, chat_id: str) -> None:
        with self.world.lock:
            chat, user = self.store.chat(chat_id), self.store.user(open_id)
            if open_id in chat.members:
                return
            chat.members.append(open_id)
            self.world.changed()
            out = self._membership(chat, "im.chat.member.user.added_v1", chat.owner, [user])
        self.emit(out)

    def leave_chat(self, open_id: str, chat_id: str) -> None:
        with self.world.lock:
            chat, user = self.store.chat(chat_id), self.store.user(open_id)
            chat.members.remove(open_id)
            self.world.changed()
            out = self._membership(chat, "im.chat.member.user.deleted_v1", open_id, [user])
        self.emit(out)

    def user_sends(
        self,
        open_id: str,
        chat_id: str,
        text: str = "",
        mention_bot: bool = True,
        reply_to: str | None = None,
        msg_type: str = "text",
        content: Mapping[str, Any] | None = None,
    ) -> Message:
        """A person writes. `@name`, `@ou_...` and `@所有人` in the text become mentions, as in the client.

        In a group the bot is mentioned first unless the text does so or `mention_bot` is off; without a mention the
        event only reaches apps with the scope for all group messages. `content` is for message types other than text.
        """
        with self.world.lock:
            chat, user = self.store.chat(chat_id), self.store.user(open_id)
            if open_id not in chat.members:
                raise ValueError(f"{user.name} is not in the chat")
            if user.resigned:
                raise ValueError(f"{user.name} has left the company")
            if msg_type == "text":
                stored, mentions = self._written(chat, text, mention_bot and chat.kind == "group")
            else:
                stored, mentions = dict(content or {}), ()
            parent = self.store.message(reply_to) if reply_to else None
            message = self._post(chat, user, msg_type, stored, mentions, parent)
            self.store.read_up_to[open_id, chat_id] = message.number
            out = self._received(chat, user, message)
        self.emit(out)
        return message

    def user_uploads(self, open_id: str, data: bytes, name: str, content_type: str) -> Upload:
        """What a person attaches; send it with `user_sends(..., msg_type="image", content={"image_key": key})`."""
        kind = "image" if content_type.startswith("image/") else "file"
        with self.world.lock:
            key = new_id("img_v3_" if kind == "image" else "file_v3_")
            upload = Upload(key, self.store.user(open_id).open_id, kind, data, name, content_type)
            self.store.uploads[key] = upload
            return upload

    def user_edits(self, message_id: str, text: str) -> Message:
        """Changes what is shown and read back; no event tells apps about it."""
        with self.world.lock:
            message = self.store.message(message_id)
            if message.sender_kind != "user" or message.recalled or message.msg_type != "text":
                raise ValueError("only a person's own text that was not recalled can be edited")
            mentioned = any(one.kind == "bot" for one in message.mentions)
            message.content, message.mentions = self._written(self.store.chat(message.chat_id), text, mentioned)
            message.edits += 1
            message.updated = True
            message.updated_at = self.store.now()
            self.world.changed()
            return message

    def user_recalls(self, message_id: str) -> None:
        with self.world.lock:
            message = self.store.message(message_id)
            if message.sender_kind != "user" or message.recalled:
                raise ValueError("only a person's own message can be recalled, once")
            message.recalled = True
            message.updated_at = now = self.store.now()
            self.world.changed()
            event = {
                "message_id": message_id,
                "chat_id": message.chat_id,
                "recall_time": str(millis(now)),
                "recall_type": "message_owner",
            }
            bots = self.store.bots_of(self.store.chat(message.chat_id))
            out = [Outgoing(app, "im.message.recalled_v1", event) for app in bots]
        self.emit(out)

    def user_reacts(self, open_id: str, message_id: str, emoji: str) -> Reaction:
        with self.world.lock:
            message, user = self.store.message(message_id), self.store.user(open_id)
            reaction = Reaction(new_id("ZCaCIjUBVVWSrm5L-"), emoji, open_id, "user", self.store.now())
            message.reactions.append(reaction)
            self.world.changed()
            out = [
                Outgoing(
                    app,
                    "im.message.reaction.created_v1",
                    {
                        "message_id": message_id,
                        "reaction_type": {"emoji_type": emoji},
                        "operator_type": "user",
                        "user_id": user.ids(app),
                        "action_time": str(millis(reaction.at)),
                    },
                )
                for app in self.store.bots_of(self.store.chat(message.chat_id))
            ]
        self.emit(out)
        return reaction

    def user_reads(self, open_id: str, chat_id: str) -> None:
        """Opening a chat: nothing in it is unread or urgent any more, and bots learn it in private chats."""
        with self.world.lock:
            chat, user = self.store.chat(chat_id), self.store.user(open_id)
            seen = self.store.read_up_to.get((open_id, chat_id), 0)
            messages = [one for one in self.store.in_chat(chat_id) if not one.shown_to or one.shown_to == open_id]
            for message in messages:
                message.urgent.discard(open_id)
            fresh = [one for one in messages if one.number > seen and one.sender_kind == "bot"]
            if not messages or messages[-1].number <= seen:
                return
            self.store.read_up_to[open_id, chat_id] = messages[-1].number
            self.world.changed()
            out = self._read(chat, user, fresh) if chat.kind == "p2p" and fresh else []
        self.emit(out)

    def user_opens_p2p(self, open_id: str) -> Chat:
        """Opening the private chat with the bot; the event comes every time."""
        with self.world.lock:
            chat, user = self.p2p(open_id), self.store.user(open_id)
            before = self.store.in_chat(chat.chat_id)
            event: dict[str, Any] = {"chat_id": chat.chat_id, "operator_id": user.ids(self.app)}
            if before:
                event["last_message_id"] = before[-1].message_id
                event["last_message_create_time"] = str(millis(before[-1].created_at))
            out = [Outgoing(self.app, "im.chat.access_event.bot_p2p_chat_entered_v1", event)]
            self.world.changed()
        self.emit(out)
        self.user_reads(open_id, chat.chat_id)
        return chat

    def bot_menu(self, open_id: str, event_key: str) -> None:
        """A press on the bot's menu. The event names no chat, and its time is in seconds."""
        with self.world.lock:
            user = self.store.user(open_id)
            event = {
                "operator": {"operator_name": user.name, "operator_id": user.ids(self.app)},
                "event_key": event_key,
                "timestamp": int(self.world.clock.seconds()),
            }
        self.emit([Outgoing(self.app, "application.bot.menu_v6", event)])

    def user_leaves(self, open_id: str) -> None:
        """Leaving the company: out of every group, unreachable, and apps that see the person are told."""
        with self.world.lock:
            user = self.store.user(open_id)
            user.resigned, user.activated = True, False
            for chat in self.store.chats.values():
                if chat.kind == "group" and open_id in chat.members:
                    chat.members.remove(open_id)
            self.world.changed()
            out = [
                Outgoing(
                    app,
                    "contact.user.deleted_v3",
                    {
                        "object": {
                            **user.ids(app),
                            "name": user.name,
                            "en_name": user.en_name,
                            "department_ids": [],
                            "status": user.status(),
                        },
                        "old_object": {"department_ids": [user.department_id], "open_id": open_id},
                    },
                    user.name,
                )
                for app in self.store.apps.values()
                if app.sees(open_id)
            ]
        self.emit(out)

    def add_bot(self, chat_id: str, operator: str = "", app: App | None = None) -> None:
        self._bot_moves(chat_id, operator, app or self.app, "im.chat.member.bot.added_v1")

    def remove_bot(self, chat_id: str, operator: str = "", app: App | None = None) -> None:
        self._bot_moves(chat_id, operator, app or self.app, "im.chat.member.bot.deleted_v1")

    def _bot_moves(self, chat_id: str, operator: str, app: App, event_type: str) -> None:
        with self.world.lock:
            chat = self.store.chat(chat_id)
            if event_type.endswith("added_v1"):
                chat.bots.add(app.app_id)
            else:
                chat.bots.discard(app.app_id)
            self.world.changed()
            event = self._chat_event(chat, app, operator or (chat.members[0] if chat.members else ""))
        self.emit([Outgoing(app, event_type, event, chat.name)])

    def _membership(self, chat: Chat, event_type: str, operator: str, users: list[User]) -> Recipients:
        return [
            Outgoing(
                app,
                event_type,
                {
                    **self._chat_event(chat, app, operator),
                    "users": [{"name": one.name, "tenant_key": TENANT, "user_id": one.ids(app)} for one in users],
                },
                chat.name,
            )
            for app in self.store.bots_of(chat)
        ]

    def _chat_event(self, chat: Chat, app: App, operator: str) -> dict[str, Any]:
        user = self.store.users.get(operator)
        return {
            "chat_id": chat.chat_id,
            "operator_id": user.ids(app) if user else {"open_id": operator},
            "external": False,
            "operator_tenant_key": TENANT,
            "name": chat.name,
            "i18n_names": {"zh_cn": chat.name, "en_us": chat.name, "ja_jp": chat.name},
        }

    def _written(self, chat: Chat, text: str, mention_bot: bool) -> tuple[dict[str, Any], tuple[Mention, ...]]:
        """The text with keys in place of names, numbered in order of appearance."""
        known: dict[str, tuple[str, str, str]] = {}
        for app in self.store.bots_of(chat):
            known[app.name] = known[app.bot_open_id] = (app.bot_open_id, app.name, "bot")
        for member in chat.members:
            user = self.store.user(member)
            for word in (user.name, user.en_name, user.open_id):
                if word:
                    known.setdefault(word, (user.open_id, user.name, "user"))
        words = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
        pattern = re.compile(f"@(?:(所有人|all\\b)|({words}))" if words else "@(?:(所有人|all\\b)|($^))")
        if mention_bot and not any(found[2] and known[found[2]][2] == "bot" for found in pattern.finditer(text)):
            text = f"@{self.app.bot_open_id} {text}" if self.app.app_id in chat.bots else text
        mentions: dict[str, Mention] = {}

        def keyed(found: re.Match[str]) -> str:
            if found[1]:
                return "@_all"
            open_id, name, kind = known[found[2]]
            mention = mentions.setdefault(open_id, Mention(f"@_user_{len(mentions) + 1}", open_id, name, kind))
            return mention.key

        return {"text": pattern.sub(keyed, text)}, tuple(mentions.values())

    def _post(
        self,
        chat: Chat,
        user: User,
        msg_type: str,
        stored: dict[str, Any],
        mentions: tuple[Mention, ...],
        parent: Message | None,
    ) -> Message:
        def make(message_id: str, at: datetime, number: int) -> Message:
            return Message(
                message_id=message_id,
                chat_id=chat.chat_id,
                sender=user.open_id,
                sender_kind="user",
                msg_type=msg_type,
                content=stored,
                created_at=at,
                updated_at=at,
                number=number,
                mentions=mentions,
                parent_id=parent.message_id if parent else "",
                root_id=(parent.root_id or parent.message_id) if parent else "",
                thread_id=parent.thread_id if parent else (new_id("omt_") if chat.topic else ""),
            )

        return self.store.add_message(make)

    def _received(self, chat: Chat, user: User, message: Message) -> Recipients:
        out = []
        for app in self.store.bots_of(chat):
            mentioned = any(one.open_id == app.bot_open_id for one in message.mentions)
            if chat.kind == "p2p":
                told = app.has("im:message.p2p_msg:readonly")
            else:
                told = app.has("im:message.group_msg") or (mentioned and app.has("im:message.group_at_msg:readonly"))
            if told:
                out.append(
                    Outgoing(
                        app,
                        "im.message.receive_v1",
                        receive_event(self, app, chat, user, message),
                        chat.name or user.name,
                    )
                )
        return out

    def _read(self, chat: Chat, user: User, messages: list[Message]) -> Recipients:
        now = str(millis(self.store.now()))
        return [
            Outgoing(
                app,
                "im.message.message_read_v1",
                {
                    "reader": {"reader_id": user.ids(app), "read_time": now, "tenant_key": TENANT},
                    "message_id_list": [one.message_id for one in messages],
                },
            )
            for app in self.store.bots_of(chat)
        ]


def receive_event(core: Core, app: App, chat: Chat, user: User, message: Message) -> dict[str, Any]:
    body: dict[str, Any] = {
        "message_id": message.message_id,
        "create_time": str(millis(message.created_at)),
        "update_time": str(millis(message.updated_at)),
        "chat_id": chat.chat_id,
        "chat_type": chat.kind,
        "message_type": message.msg_type,
        "content": json.dumps(message.content, ensure_ascii=False),
    }
    for name in ("root_id", "parent_id", "thread_id"):
        if getattr(message, name):
            body[name] = getattr(message, name)
    if message.mentions:
        body["mentions"] = [
            {
                "key": one.key,
                "id": core.store.users[one.open_id].ids(app) if one.kind == "user" else {"open_id": one.open_id},
                "mentioned_type": one.kind,
                "name": one.name,
                "tenant_key": TENANT,
            }
            for one in message.mentions
        ]
    return {"sender": {"sender_id": user.ids(app), "sender_type": "user", "tenant_key": TENANT}, "message": body}
