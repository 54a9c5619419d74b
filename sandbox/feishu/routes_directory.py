"""HTTP of chats and of the address book. docs/platforms/feishu.md ("Directory and contacts", "Chats")."""

from __future__ import annotations

from typing import Any

from flask import request

from sandbox.feishu.api import Api, Caller, Data
from sandbox.feishu.errors import Refused, field_error
from sandbox.feishu.state import TENANT, App, Chat, User, new_id
from sandbox.feishu.store import Store

CHATS = "/open-apis/im/v1/chats"
USERS = "/open-apis/contact/v3/users"
CHAT_SCOPES = ("im:chat", "im:chat:readonly")
USER_SCOPES = ("contact:contact.base:readonly", "contact:contact:readonly_as_app")


def register(api: Api) -> None:
    _chats(api)
    _users(api)


def _chats(api: Api) -> None:
    store = api.core.store

    def list_chats(caller: Caller) -> Data:
        mine = [one for one in store.chats.values() if _in(caller.app, one) and one.kind == "group"]
        return _page(caller, [_chat_item(one) for one in mine], most=100)

    def create(caller: Caller) -> Data:
        kind = caller.text("user_id_type", "open_id")
        people = [_person(store, kind, str(one)) for one in caller.body.get("user_id_list", [])]
        owner = caller.body.get("owner_id")
        if owner:
            people.insert(0, _person(store, kind, str(owner)))
        members = list(dict.fromkeys(one.open_id for one in people))
        chat = Chat(
            new_id("oc_"),
            str(caller.body.get("name", "")),
            "group",
            members,
            {caller.app.app_id},
            description=str(caller.body.get("description", "")),
            owner=members[0] if owner else "",
            topic=caller.body.get("group_message_type") == "thread",
        )
        store.chats[chat.chat_id] = chat
        store.world.changed()
        return _chat_details(chat)

    def get(caller: Caller, chat_id: str) -> Data:
        return _chat_details(_chat(store, chat_id))

    def members(caller: Caller, chat_id: str) -> Data:
        chat = _chat(store, chat_id, caller.app)
        kind = caller.text("member_id_type", "open_id")
        people = [store.user(one) for one in chat.members]
        items = [
            {
                "member_id_type": kind,
                "member_id": getattr(one, kind, one.open_id),
                "name": one.name,
                "tenant_key": TENANT,
            }
            for one in people
        ]
        return {**_page(caller, items, most=100), "member_total": len(items)}

    def is_in_chat(caller: Caller, chat_id: str) -> Data:
        return {"is_in_chat": _in(caller.app, _chat(store, chat_id))}

    api.on("GET", CHATS, list_chats, CHAT_SCOPES)
    api.on("POST", CHATS, create, ("im:chat", "im:chat:create"))
    api.on("GET", f"{CHATS}/<chat_id>", get, CHAT_SCOPES)
    api.on("GET", f"{CHATS}/<chat_id>/members", members, (*CHAT_SCOPES, "im:chat.members:read"))
    api.on("GET", f"{CHATS}/<chat_id>/members/is_in_chat", is_in_chat, CHAT_SCOPES)


def _users(api: Api) -> None:
    store = api.core.store

    def get(caller: Caller, user_id: str) -> Data:
        user = _person(store, caller.text("user_id_type", "open_id"), user_id)
        _must_see(caller.app, user)
        return {"user": _user(caller.app, user)}

    def batch(caller: Caller) -> Data:
        ids = request.args.getlist("user_ids")
        if not 1 <= len(ids) <= 50:
            raise field_error("user_ids", "user_ids: 1 to 50")
        kind = caller.text("user_id_type", "open_id")
        found = [store.find_user(kind, one) for one in ids]
        return {"items": [_user(caller.app, one) for one in found if one is not None and caller.app.sees(one.open_id)]}

    def batch_get_id(caller: Caller) -> Data:
        kind = caller.text("user_id_type", "open_id")
        emails, mobiles = caller.body.get("emails", []), caller.body.get("mobiles", [])
        if len(emails) > 50 or len(mobiles) > 50:
            raise field_error("emails", "at most 50")
        rows = []
        for field, wanted in (("email", emails), ("mobile", mobiles)):
            for value in wanted:
                row: dict[str, Any] = {field: value}
                user = store.find_user(field, str(value))
                resigned = user is not None and user.resigned and not caller.body.get("include_resigned")
                if user is not None and caller.app.sees(user.open_id) and not resigned:
                    row["user_id"] = getattr(user, kind, user.open_id)
                    row["status"] = user.status()
                rows.append(row)
        return {"user_list": rows}

    def by_department(caller: Caller) -> Data:
        department = caller.text("department_id")
        if not department:
            raise field_error("department_id", "department_id is required")
        if caller.app.contact_scope is not None and department == "0":
            raise Refused(40004, "no dept authority error")
        people = [one for one in store.users.values() if one.department_id == department and not one.resigned]
        items = [_user(caller.app, one) for one in people if caller.app.sees(one.open_id)]
        return _page(caller, items, most=50, default=10)

    def scopes(caller: Caller) -> Data:
        if caller.app.contact_scope is None:
            return {"department_ids": ["0"], "user_ids": [], "group_ids": [], "has_more": False}
        return {"department_ids": [], "user_ids": sorted(caller.app.contact_scope), "group_ids": [], "has_more": False}

    api.on("GET", f"{USERS}/batch", batch, USER_SCOPES)
    api.on("GET", f"{USERS}/find_by_department", by_department, USER_SCOPES)
    api.on("POST", f"{USERS}/batch_get_id", batch_get_id, ("contact:user.id:readonly",))
    api.on("GET", f"{USERS}/<user_id>", get, USER_SCOPES)
    api.on("GET", "/open-apis/contact/v3/scopes", scopes, USER_SCOPES)


def _in(app: App, chat: Chat) -> bool:
    return app.app_id in chat.bots and not chat.dissolved


def _chat(store: Store, chat_id: str, app: App | None = None) -> Chat:
    chat = store.chats.get(chat_id)
    if chat is None:
        raise Refused(232006, "Your request specifies a chat_id which is invalid.")
    if chat.dissolved:
        raise Refused(232009, "Your request specifies a chat which has already been dissolved.")
    if app is not None and not _in(app, chat):
        raise Refused(232011, "Operator can NOT be out of the chat.")
    return chat


def _person(store: Store, kind: str, value: str) -> User:
    user = store.find_user(kind, value)
    if user is None:
        code = 99992360 if kind == "user_id" else 99992351
        raise Refused(code, f"The request you send is not a valid {{{kind}}} or not exists. Invalid ids: [{value}]")
    return user


def _must_see(app: App, user: User) -> None:
    if not app.sees(user.open_id):
        raise Refused(41050, "no user authority error")


def _user(app: App, user: User) -> dict[str, Any]:
    """Only what the app's scopes open."""
    shown: dict[str, Any] = {"open_id": user.open_id, "union_id": user.union_id}
    if app.has("contact:user.base:readonly"):
        shown |= {"name": user.name, "en_name": user.en_name, "avatar": {}}
    if app.has("contact:user.employee:readonly"):
        shown["status"] = user.status()
    if app.has("contact:user.employee_id:readonly"):
        shown["user_id"] = user.user_id
    if app.has("contact:user.department:readonly"):
        shown["department_ids"] = [user.department_id]
    if app.has("contact:user.email:readonly") and user.email:
        shown["email"] = user.email
    if app.has("contact:user.phone:readonly") and user.mobile:
        shown["mobile"] = user.mobile
    return shown


def _chat_item(chat: Chat) -> dict[str, Any]:
    return {
        "chat_id": chat.chat_id,
        "name": chat.name,
        "avatar": "",
        "description": chat.description,
        "owner_id": chat.owner,
        "owner_id_type": "open_id",
        "external": False,
        "tenant_key": TENANT,
        "chat_status": "dissolved" if chat.dissolved else "normal",
    }


def _chat_details(chat: Chat) -> dict[str, Any]:
    return {
        **_chat_item(chat),
        "chat_mode": "p2p" if chat.kind == "p2p" else "group",
        "chat_type": "private",
        "group_message_type": "thread" if chat.topic else "chat",
        "user_count": str(len(chat.members)),
        "bot_count": str(len(chat.bots)),
    }


def _page(caller: Caller, items: list[dict[str, Any]], most: int, default: int = 20) -> dict[str, Any]:
    size, start = caller.number("page_size", default, most=most), caller.number("page_token", 0)
    more = start + size < len(items)
    return {
        "items": items[start : start + size],
        "has_more": more,
        "page_token": str(start + size) if more else "",
    }
