"""What the console's page shows, as plain JSON. Times are milliseconds since 1970, amounts are fen."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.calls import Call
from sandbox.faults import CallFault, Fault, PushFault
from sandbox.wechatpay.samples import SAMPLES

if TYPE_CHECKING:
    from sandbox.server import Sandbox

PLATFORMS = ("feishu", "wechatpay", "wechat", "alipay", "douyin", "backend")
NEWEST = 100  # complaints and refunds shown


def state(sandbox: Sandbox, me: str, chat: str, version: int, since: int, *, charts: bool) -> dict[str, Any]:
    """Time, faults and new calls always; the world only when it changed since `version` of it.

    An unknown `me` becomes the first person, an unknown `chat` the one that spoke last.
    """
    world = sandbox.world
    told: dict[str, Any] = {
        "version": world.version,  # read first: a change meanwhile is told again next time
        "now": _millis(world.clock.now()),
        "offset": world.clock.offset.total_seconds(),
        "faults": [_fault(fault) for fault in world.faults.active()],
        "calls": [_call(call) for call in world.calls.since(since)],
    }
    if version == told["version"]:
        return {**told, "unchanged": True}
    return {**told, "world": {**_feishu(sandbox, me, chat), **_around(sandbox), "charts": charts}}


def _feishu(sandbox: Sandbox, me: str, chat: str) -> dict[str, Any]:
    store = sandbox.feishu.store
    with sandbox.world.lock:
        everybody = list(store.users)
        own = me if me in store.users else next((one for one in everybody if not store.users[one].resigned), "")
    if not own:
        return {"me": "", "chat": "", "people": [], "chats": [], "messages": []}
    seen = sandbox.feishu.snapshot(own)
    chats = seen["chats"]
    open_chat = next((one for one in chats if one["chat_id"] == chat), None)
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
    with sandbox.world.lock:
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


def _around(sandbox: Sandbox) -> dict[str, Any]:
    pay = getattr(sandbox, "wechatpay", None)
    told: dict[str, Any] = {
        "platforms": [name for name in PLATFORMS if getattr(sandbox, name, None) is not None],
        "fault_kinds": [{"kind": kind.value, "push": False} for kind in CallFault]
        + [{"kind": kind.value, "push": True} for kind in PushFault],
        "samples": [],
        "merchants": [],
        "books": {},
    }
    if pay is not None:
        told["samples"] = [
            {"key": one.key, "title": one.title, "text": one.text[:400], "amount_fen": one.amount_fen}
            for one in SAMPLES
        ]
        shown = pay.snapshot()
        told["merchants"] = [{"id": one["id"], "name": one["name"]} for one in shown["merchants"]]
        told["books"] = {"wechatpay": _pay_books(shown, pay.books())}
    return told


def _pay_books(shown: dict[str, Any], books: Any) -> dict[str, Any]:
    return {
        "complaints": [
            {**one, "refunded_fen": books.refunded_by_complaint.get(one["id"], 0)}
            for one in shown["complaints"][:NEWEST]
        ],
        "refunds": shown["refunds"][:NEWEST],
        "complaint_count": len(shown["complaints"]),
        "refund_count": len(shown["refunds"]),
        "refunded_fen": books.refunded_fen,
        "under_way_fen": books.under_way_fen,
        "refund_create_calls": books.refund_create_calls,
    }


def _fault(fault: Fault) -> dict[str, Any]:
    return {**dataclasses.asdict(fault), "kind": fault.kind.value}


def _call(call: Call) -> dict[str, Any]:
    return {**dataclasses.asdict(call), "at": _millis(call.at)}


def _millis(at: datetime) -> int:
    return int(at.timestamp() * 1000)
