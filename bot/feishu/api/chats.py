"""Chats: which the bot is in, what they are called, and who is in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bot.feishu import slim_import
from bot.feishu.api.base import IM, Api
from bot.feishu.port import Chat


class LarkChats(Api):
    """`ChatsPort` over lark-oapi."""

    def chat(self, chat_id: str) -> Chat:
        def invoke(option: Any) -> Any:
            request = slim_import.module(IM).GetChatRequest.builder().chat_id(chat_id).user_id_type("open_id").build()
            return self._im.chat.get(request, option)

        return _chat(chat_id, self._caller.call("chat.get", invoke).data)

    def chats(self) -> tuple[Chat, ...]:
        """All chats that the bot is in."""

        def page(token: str) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                request = slim_import.module(IM).ListChatRequest.builder().user_id_type("open_id").page_size(100)
                return self._im.chat.list((request.page_token(token) if token else request).build(), option)

            return invoke

        return tuple(_chat(str(each.get("chat_id", "")), each) for each in self._pages("chat.list", page))

    def is_member(self, chat_id: str, open_id: str) -> bool:
        """Whether a person is in a chat. Feishu's own call of this name is about the bot, so the members are read."""

        def page(token: str) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                request = (
                    slim_import.module(IM).GetChatMembersRequest.builder().chat_id(chat_id).member_id_type("open_id")
                )
                request = request.page_size(100)
                return self._im.chat_members.get((request.page_token(token) if token else request).build(), option)

            return invoke

        return any(each.get("member_id") == open_id for each in self._pages("chat.members", page))


def _chat(chat_id: str, raw: Mapping[str, Any]) -> Chat:
    count = raw.get("user_count")
    return Chat(
        chat_id,
        str(raw.get("name") or ""),
        str(raw.get("chat_mode") or ""),
        str(raw.get("owner_id") or ""),
        int(count) if isinstance(count, int | str) and str(count).isdigit() else 0,
        raw.get("external") is True,
    )
