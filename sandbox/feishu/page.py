"""What the console's page shows of Feishu: one person's chats, and the open one with its messages."""

from __future__ import annotations

from typing import Any

from sandbox.feishu.snapshot import snapshot
from sandbox.feishu.store import Store
from sandbox.panel import Viewer


def page(store: Store, who: Viewer) -> dict[str, Any]:
    """An unknown person becomes the first one, an unknown chat the one that spoke last."""
    own = who.me
    if own not in store.users:
        own = next((one for one, user in store.users.items() if not user.resigned), "")
    if not own:
        return {"me": "", "chat": "", "people": [], "chats": [], "messages": []}
    seen = snapshot(store, own)
    chats = seen["chats"]
    open_chat = next((one for one in chats if one["chat_id"] == who.chat), None)
    if open_chat is None:
        open_chat = max(chats, key=lambda one: (_last_number(one), one["kind"] == "group"), default=None)
    people = [
        {
            "id": one["open_id"],
            "kind": "user",
            "name": one["name"],
            "en_name": one["en_name"],
            "colour": one["avatar"],
            "left": one["resigned"],
        }
        for one in seen["users"]
    ]
    people += [{"id": one["open_id"], "kind": "app", "name": one["name"]} for one in seen["bots"]]
    rows = [_row(one) for one in chats]
    messages = open_chat["messages"] if open_chat else []
    for message in messages:
        # The readable text no longer tells a real mention of everybody from the same words typed by somebody.
        if "@_all" in str(store.messages[message["message_id"]].content.get("text", "")):
            message["mentions"].append({"open_id": "all", "name": "所有人"})
    if not any(one["kind"] == "p2p" for one in chats):
        # Nobody has to be written to first to find the bot: its private chat is offered before it exists.
        rows += [
            {
                "chat_id": f"bot:{one['app_id']}",
                "name": one["name"],
                "kind": "p2p",
                "members": [own],
                "bots": [],
                "unread": 0,
            }
            for one in seen["bots"]
        ]
    return {
        "me": own,
        "chat": open_chat["chat_id"] if open_chat else "",
        "people": people,
        "chats": rows,
        "messages": messages,
    }


def _row(chat: dict[str, Any]) -> dict[str, Any]:
    row = {key: value for key, value in chat.items() if key != "messages"}
    messages = chat["messages"]
    return {**row, "last": messages[-1] if messages else None}


def _last_number(chat: dict[str, Any]) -> int:
    return int(chat["messages"][-1]["number"]) if chat["messages"] else 0
