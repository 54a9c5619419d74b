"""HTTP of im/v1 messages, ephemeral cards and the delayed card update. docs/platforms/feishu.md ("Messages")."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.feishu.api import Api, Caller, Data
from sandbox.feishu.errors import Refused, field_error
from sandbox.feishu.messages import as_answer
from sandbox.feishu.state import Reaction, millis

MESSAGES = "/open-apis/im/v1/messages"
SEND = ("im:message", "im:message:send_as_bot")
READ = ("im:message", "im:message:readonly")
UpdateLater = Callable[[str, object, object], None]  # app id, token, card; raises Refused


def register(api: Api, delayed: UpdateLater) -> None:
    """`delayed` shows a card by the token of a click."""
    store, messages = api.core.store, api.core.messages

    def create(caller: Caller) -> Data:
        message = messages.create(caller.app, caller.text("receive_id_type", "open_id"), caller.body)
        return as_answer(store, message)

    def reply(caller: Caller, message_id: str) -> Data:
        return as_answer(store, messages.reply(caller.app, message_id, caller.body))

    def patch(caller: Caller, message_id: str) -> Data:
        messages.patch(caller.app, message_id, caller.body)
        return {}

    def edit(caller: Caller, message_id: str) -> Data:
        return as_answer(store, messages.edit(caller.app, message_id, caller.body))

    def recall(caller: Caller, message_id: str) -> Data:
        messages.recall(caller.app, message_id)
        return {}

    def get(caller: Caller, message_id: str) -> Data:
        message = messages.get(caller.app, message_id)
        group = store.chat(message.chat_id).kind == "group"
        if group and message.sender != caller.app.app_id and not caller.app.has("im:message.group_msg"):
            raise Refused(230027, "Lack of necessary permissions, ext=need scope: im:message.group_msg")
        original = caller.text("card_msg_content_type") == "user_card_content"
        return {"items": [as_answer(store, message, original)]}

    def list_messages(caller: Caller) -> Data:
        if caller.text("container_id_type") not in ("chat", "thread") or not caller.text("container_id"):
            raise field_error("container_id_type", "container_id_type and container_id are required")
        if caller.text("container_id_type") == "thread":
            thread = caller.text("container_id")
            found = [one for one in store.messages.values() if one.thread_id == thread]
        else:
            descending = caller.text("sort_type", "ByCreateTimeAsc") == "ByCreateTimeDesc"
            start, end = caller.number("start_time", 0), caller.number("end_time", 0)
            found = messages.in_chat(caller.app, caller.text("container_id"), start, end, descending)
        size, start_at = caller.number("page_size", 20, most=50), caller.number("page_token", 0)
        page = found[start_at : start_at + size]
        more = start_at + size < len(found)
        original = caller.text("card_msg_content_type") == "user_card_content"
        return {
            "has_more": more,
            "page_token": str(start_at + size) if more else "",
            "items": [as_answer(store, one, original) for one in page],
        }

    def read_users(caller: Caller, message_id: str) -> Data:
        message = messages.get(caller.app, message_id)
        if message.sender != caller.app.app_id:
            raise Refused(230012, "The message is NOT sent by this bot.")
        readers = [
            {"user_id_type": "open_id", "user_id": member, "timestamp": str(millis(store.now())), "tenant_key": ""}
            for member in store.chat(message.chat_id).members
            if store.read_up_to.get((member, message.chat_id), 0) >= message.number
        ]
        return {"items": readers, "has_more": False, "page_token": ""}

    def urgent(caller: Caller, message_id: str) -> Data:
        ids = caller.body.get("user_id_list")
        if not isinstance(ids, list):
            raise field_error("user_id_list", "user_id_list is required")
        kind = caller.text("user_id_type", "open_id")
        users = {one: store.find_user(kind, str(one)) for one in ids}
        open_ids = [user.open_id if user else str(one) for one, user in users.items()]
        return {"invalid_user_id_list": messages.urge(caller.app, message_id, open_ids)}

    def react(caller: Caller, message_id: str) -> Data:
        kind = caller.body.get("reaction_type")
        emoji = kind.get("emoji_type") if isinstance(kind, dict) else None
        return _reaction(messages.react(caller.app, message_id, str(emoji or "")))

    def unreact(caller: Caller, message_id: str, reaction_id: str) -> Data:
        message = messages.get(caller.app, message_id)
        for reaction in message.reactions:
            if reaction.reaction_id == reaction_id:
                if reaction.operator != caller.app.app_id:
                    raise Refused(231007, "The operator is not the one who added the reaction.")
                message.reactions.remove(reaction)
                store.world.changed()
                return _reaction(reaction)
        raise Refused(231010, "The reaction does not exist.")

    def reactions(caller: Caller, message_id: str) -> Data:
        message = messages.get(caller.app, message_id)
        wanted = caller.text("reaction_type")
        items = [_reaction(one) for one in message.reactions if wanted in ("", one.emoji)]
        return {"items": items, "has_more": False, "page_token": ""}

    def ephemeral(caller: Caller) -> Data:
        return {"message_id": messages.ephemeral(caller.app, caller.body).message_id}

    def end_ephemeral(caller: Caller) -> Data:
        messages.end_ephemeral(caller.app, str(caller.body.get("message_id")))
        return {}

    def update_later(caller: Caller) -> Data:
        delayed(caller.app.app_id, caller.body.get("token"), caller.body.get("card"))
        return {}

    api.on("POST", MESSAGES, create, SEND)
    api.on("GET", MESSAGES, list_messages, READ)
    one = f"{MESSAGES}/<message_id>"
    api.on("POST", f"{one}/reply", reply, SEND)
    api.on("PATCH", one, patch, SEND)
    api.on("PUT", one, edit, SEND)
    api.on("DELETE", one, recall, SEND)
    api.on("GET", one, get, READ)
    api.on("GET", f"{one}/read_users", read_users, READ)
    api.on("PATCH", f"{one}/urgent_app", urgent, ("im:message.urgent",))
    api.on("POST", f"{one}/reactions", react, ("im:message", "im:message.reactions:write_only"))
    api.on("GET", f"{one}/reactions", reactions, ("im:message", "im:message.reactions:read"))
    api.on("DELETE", f"{one}/reactions/<reaction_id>", unreact, ("im:message", "im:message.reactions:write_only"))
    api.on("POST", "/open-apis/ephemeral/v1/send", ephemeral, SEND, per_second=40)
    api.on("POST", "/open-apis/ephemeral/v1/delete", end_ephemeral, SEND)
    api.on("POST", "/open-apis/interactive/v1/card/update", update_later)


def _reaction(reaction: Reaction) -> Data:
    return {
        "reaction_id": reaction.reaction_id,
        "operator": {"operator_id": reaction.operator, "operator_type": reaction.operator_kind},
        "action_time": str(millis(reaction.at)),
        "reaction_type": {"emoji_type": reaction.emoji},
    }
