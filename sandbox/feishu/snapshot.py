"""What one person's Feishu client shows now, as plain JSON for the console."""

from __future__ import annotations

import re
from typing import Any

from sandbox.feishu.state import Chat, Message, User, millis
from sandbox.feishu.store import Store

NEWEST = 300


def snapshot(store: Store, open_id: str) -> dict[str, Any]:
    me = store.user(open_id)
    chats = [chat for chat in store.chats.values() if open_id in chat.members and not chat.dissolved]
    return {
        "me": person(me),
        "users": [person(user) for user in store.users.values()],
        "bots": [{"app_id": app.app_id, "open_id": app.bot_open_id, "name": app.name} for app in store.apps.values()],
        "chats": [_chat(store, chat, open_id) for chat in chats],
    }


def person(user: User) -> dict[str, Any]:
    return {
        "open_id": user.open_id,
        "name": user.name,
        "en_name": user.en_name,
        "avatar": user.avatar,
        "locale": user.locale,
        "resigned": user.resigned,
    }


def _chat(store: Store, chat: Chat, reader: str) -> dict[str, Any]:
    messages = [m for m in store.in_chat(chat.chat_id) if not m.shown_to or m.shown_to == reader]
    seen = store.read_up_to.get((reader, chat.chat_id), 0)
    unread = sum(m.number > seen and m.sender != reader and not m.recalled for m in messages)
    others = [store.users[member].name for member in chat.members if member != reader]
    bots = [store.apps[app_id] for app_id in sorted(chat.bots)]
    name = chat.name if chat.kind == "group" else (bots[0].name if bots else (others[0] if others else ""))
    return {
        "chat_id": chat.chat_id,
        "name": name,
        "kind": chat.kind,
        "members": list(chat.members),
        "bots": [app.bot_open_id for app in bots],
        "unread": unread,
        "messages": [_message(store, message, reader) for message in messages[-NEWEST:]],
    }


def _message(store: Store, message: Message, reader: str) -> dict[str, Any]:
    if message.sender_kind == "bot":
        app = store.apps[message.sender]
        sender = {"kind": "bot", "open_id": app.bot_open_id, "name": app.name}
    else:
        user = store.users[message.sender]
        sender = {"kind": "user", "open_id": user.open_id, "name": user.name}
    shown: dict[str, Any] = {
        "message_id": message.message_id,
        "number": message.number,
        "sender": sender,
        "msg_type": message.msg_type,
        "created_at": millis(message.created_at),
        "updated_at": millis(message.updated_at),
        "revision": message.revision,
        "recalled": message.recalled,
        "edited": message.edits > 0,
        "parent_id": message.parent_id,
        "root_id": message.root_id,
        "only_for_me": bool(message.shown_to),
        "urgent": reader in message.urgent,
        "mentions": [{"open_id": m.open_id, "name": m.name} for m in message.mentions],
        "reactions": [
            {"emoji": reaction.emoji, "by": reaction.operator, "mine": reaction.operator == reader}
            for reaction in message.reactions
        ],
    }
    if not message.recalled:
        shown.update(_content(store, message))
    return shown


def _content(store: Store, message: Message) -> dict[str, Any]:
    content = message.content
    if message.is_card:
        return {"card": content, "clickable": store.clickable(message)}
    if message.msg_type == "text":
        return {"text": readable(message)}
    if message.msg_type == "image":
        return {"image_key": content.get("image_key", "")}
    if message.msg_type in ("file", "audio", "media"):
        return {"file_key": content.get("file_key", ""), "file_name": content.get("file_name", "")}
    return {"content": content}


def readable(message: Message) -> str:
    """The text with `@_user_1` keys put back into names, in one pass so that a name cannot forge another mention."""
    names = {mention.key: f"@{mention.name}" for mention in message.mentions} | {"@_all": "@所有人"}
    return re.sub(
        r"@_user_\d+|@_all", lambda found: names.get(found[0], found[0]), str(message.content.get("text", ""))
    )
