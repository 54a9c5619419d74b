"""What the bot can do in Feishu: the port everybody writes against, and the one implementation over lark-oapi."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from bot.clock import Clock
from bot.feishu import slim
from bot.feishu.calling import Answer, Caller, Watch
from bot.feishu.errors import BadRequest, Unreachable
from bot.feishu.events import read_user
from bot.feishu.values import FeishuUser

_IM = "lark_oapi.api.im.v1"
_CONTACT = "lark_oapi.api.contact.v3"
_PEOPLE_AT_ONCE = 50
_URGENT_AT_ONCE = 200


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


class Feishu(Protocol):
    """Calls to Feishu. Each raises `FeishuError`; with the same `uuid` a send has one effect within 1 h, however often
    it is repeated. `content` of a card is its JSON as text.
    """

    def send_card(self, receive: Receiver, content: str, uuid: str) -> str: ...

    def send_text(self, receive: Receiver, text: str, uuid: str) -> str: ...

    def reply_card(self, message_id: str, content: str, uuid: str, in_thread: bool = False) -> str: ...

    def reply_text(self, message_id: str, text: str, uuid: str, in_thread: bool = False) -> str: ...

    def patch_card(self, message_id: str, content: str) -> None: ...

    def recall(self, message_id: str) -> None: ...

    def upload_image(self, data: bytes, content_type: str) -> str: ...

    def add_reaction(self, message_id: str, emoji: str) -> None: ...

    def urgent(self, message_id: str, open_ids: Sequence[str]) -> tuple[str, ...]: ...

    def user(self, open_id: str) -> FeishuUser: ...

    def users(self, open_ids: Sequence[str]) -> tuple[FeishuUser, ...]: ...

    def bot_open_id(self) -> str: ...

    def chat(self, chat_id: str) -> Chat: ...

    def chats(self) -> tuple[Chat, ...]: ...

    def is_member(self, chat_id: str, open_id: str) -> bool: ...


class LarkFeishu:
    """The port over lark-oapi's per-API services. Safe to share between threads; makes nothing until the first call.

    `domain` is `feishu`, `lark` or an origin; `timeout` in seconds.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        domain: str,
        clock: Clock,
        timeout: float = 10.0,
        watch: Watch | None = None,
    ) -> None:
        self._caller = Caller(app_id, app_secret, domain, clock, timeout, watch)
        self._bot_open_id = ""

    def token_age(self) -> timedelta | None:
        """How long ago the app's token was fetched; None while there is none."""
        return self._caller.token_age()

    def warm_up(self) -> None:
        """Load what sending needs; the first message would wait for it otherwise."""
        slim.module(_IM)
        _ = self._im

    # --- messages ---------------------------------------------------------------------------------------------------

    def send_card(self, receive: Receiver, content: str, uuid: str) -> str:
        """The new message's id."""
        return self._send("card.send", receive, "interactive", content, uuid)

    def send_text(self, receive: Receiver, text: str, uuid: str) -> str:
        """The new message's id. Feishu reads `<at …>` and some markup in `text`: escape what is not ours."""
        return self._send("text.send", receive, "text", _text(text), uuid)

    def reply_card(self, message_id: str, content: str, uuid: str, in_thread: bool = False) -> str:
        return self._reply("card.reply", message_id, "interactive", content, uuid, in_thread)

    def reply_text(self, message_id: str, text: str, uuid: str, in_thread: bool = False) -> str:
        return self._reply("text.reply", message_id, "text", _text(text), uuid, in_thread)

    def patch_card(self, message_id: str, content: str) -> None:
        """Draw the card anew for everybody; at most 14 days after it was sent."""

        def invoke(option: Any) -> Any:
            sdk = slim.module(_IM)
            body = sdk.PatchMessageRequestBody.builder().content(content).build()
            request = sdk.PatchMessageRequest.builder().message_id(message_id).request_body(body).build()
            return self._im.message.patch(request, option)

        self._caller.call("card.patch", invoke, with_card=True)

    def recall(self, message_id: str) -> None:
        def invoke(option: Any) -> Any:
            request = slim.module(_IM).DeleteMessageRequest.builder().message_id(message_id).build()
            return self._im.message.delete(request, option)

        self._caller.call("message.recall", invoke)

    def add_reaction(self, message_id: str, emoji: str) -> None:
        """`emoji` is Feishu's key: OK, DONE, OnIt, CheckMark."""

        def invoke(option: Any) -> Any:
            sdk = slim.module(_IM)
            kind = sdk.Emoji.builder().emoji_type(emoji).build()
            body = sdk.CreateMessageReactionRequestBody.builder().reaction_type(kind).build()
            request = sdk.CreateMessageReactionRequest.builder().message_id(message_id).request_body(body).build()
            return self._im.message_reaction.create(request, option)

        self._caller.call("reaction.add", invoke)

    def urgent(self, message_id: str, open_ids: Sequence[str]) -> tuple[str, ...]:
        """Remind people of one of our messages in the app; the open ids that Feishu did not take."""

        def some(part: Sequence[str]) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                sdk = slim.module(_IM)
                body = sdk.UrgentReceivers.builder().user_id_list(list(part)).build()
                request = sdk.UrgentAppMessageRequest.builder().message_id(message_id).user_id_type("open_id")
                return self._im.message.urgent_app(request.request_body(body).build(), option)

            return invoke

        parts = [self._caller.call("message.urgent", some(part)) for part in _cut(open_ids, _URGENT_AT_ONCE)]
        return tuple(each for answer in parts for each in _texts(answer.data.get("invalid_user_id_list")))

    def upload_image(self, data: bytes, content_type: str) -> str:
        """The image key for use in cards; at most 10 MB. `content_type` is that of the picture, as image/png."""
        name = "image." + (content_type.split("/")[-1].split(";")[0].strip() or "bin")

        def invoke(option: Any) -> Any:
            sdk = slim.module(_IM)
            # A bare stream is sent without a file name, and then Feishu does not take it for a file.
            picture = (name, io.BytesIO(data), content_type)
            body = sdk.CreateImageRequestBody.builder().image_type("message").image(picture).build()
            return self._im.image.create(sdk.CreateImageRequest.builder().request_body(body).build(), option)

        return _need(self._caller.call("image.upload", invoke), "image_key", "image.upload")

    # --- people -----------------------------------------------------------------------------------------------------

    def user(self, open_id: str) -> FeishuUser:
        def invoke(option: Any) -> Any:
            request = slim.module(_CONTACT).GetUserRequest.builder().user_id(open_id).user_id_type("open_id").build()
            return self._contact.user.get(request, option)

        raw = self._caller.call("user.get", invoke).data.get("user")
        if not isinstance(raw, Mapping):
            raise Unreachable("user.get", "the answer holds no user")
        return read_user(open_id, raw)

    def users(self, open_ids: Sequence[str]) -> tuple[FeishuUser, ...]:
        """Those of them whom the app may see, in any order."""

        def some(part: Sequence[str]) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                request = slim.module(_CONTACT).BatchUserRequest.builder().user_ids(list(part)).user_id_type("open_id")
                return self._contact.user.batch(request.build(), option)

            return invoke

        found: list[FeishuUser] = []
        for part in _cut(list(dict.fromkeys(open_ids)), _PEOPLE_AT_ONCE):
            items = _items(self._caller.call("user.batch", some(part)))
            found += [read_user(each["open_id"], each) for each in items if isinstance(each.get("open_id"), str)]
        return tuple(found)

    def contact_range(self) -> ContactRange:
        def invoke(option: Any) -> Any:
            request = slim.module(_CONTACT).ListScopeRequest.builder().user_id_type("open_id").page_size(100)
            return self._contact.scope.list(request.build(), option)

        data = self._caller.call("contact.range", invoke).data
        return ContactRange(_texts(data.get("department_ids")), _texts(data.get("user_ids")))

    # --- chats ------------------------------------------------------------------------------------------------------

    def chat(self, chat_id: str) -> Chat:
        def invoke(option: Any) -> Any:
            request = slim.module(_IM).GetChatRequest.builder().chat_id(chat_id).user_id_type("open_id").build()
            return self._im.chat.get(request, option)

        return _chat(chat_id, self._caller.call("chat.get", invoke).data)

    def chats(self) -> tuple[Chat, ...]:
        """All chats that the bot is in."""

        def page(token: str) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                request = slim.module(_IM).ListChatRequest.builder().user_id_type("open_id").page_size(100)
                return self._im.chat.list((request.page_token(token) if token else request).build(), option)

            return invoke

        return tuple(_chat(str(each.get("chat_id", "")), each) for each in self._pages("chat.list", page))

    def is_member(self, chat_id: str, open_id: str) -> bool:
        """Whether a person is in a chat. Feishu's own call of this name is about the bot, so the members are read."""

        def page(token: str) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                request = slim.module(_IM).GetChatMembersRequest.builder().chat_id(chat_id).member_id_type("open_id")
                request = request.page_size(100)
                return self._im.chat_members.get((request.page_token(token) if token else request).build(), option)

            return invoke

        return any(each.get("member_id") == open_id for each in self._pages("chat.members", page))

    # --- the app itself ---------------------------------------------------------------------------------------------

    def bot_open_id(self) -> str:
        """The bot's own open id; asked once."""
        if not self._bot_open_id:
            self._bot_open_id = self.bot()[0].open_id
        return self._bot_open_id

    def bot(self) -> tuple[Bot, datetime | None]:
        """The bot, and Feishu's own time by the answer's Date header."""
        answer = self._caller.plain("bot.info", "GET", "/open-apis/bot/v3/info")
        raw = answer.body.get("bot")
        if not isinstance(raw, Mapping) or not isinstance(raw.get("open_id"), str):
            raise Unreachable("bot.info", "the answer holds no bot")
        return Bot(raw["open_id"], str(raw.get("app_name", "")), raw.get("activate_status", 2) == 2), answer.date

    def granted_scopes(self) -> frozenset[str]:
        """The scopes that this company granted the app. docs: application-v6/scope/list"""
        answer = self._caller.plain("scope.list", "GET", "/open-apis/application/v6/scopes")
        raw = answer.data.get("scopes")
        entries = [each for each in raw if isinstance(each, Mapping)] if isinstance(raw, list) else []
        return frozenset(str(each.get("scope_name")) for each in entries if each.get("grant_status") == 1)

    # --- how --------------------------------------------------------------------------------------------------------

    @property
    def _im(self) -> Any:
        return self._caller.service("lark_oapi.api.im.v1.version", "V1")

    @property
    def _contact(self) -> Any:
        return self._caller.service("lark_oapi.api.contact.v3.version", "V3")

    def _send(self, what: str, receive: Receiver, kind: str, content: str, uuid: str) -> str:
        id_type = "chat_id" if receive.kind == "chat" else "open_id"

        def invoke(option: Any) -> Any:
            sdk = slim.module(_IM)
            body = sdk.CreateMessageRequestBody.builder().receive_id(receive.id).msg_type(kind).content(content)
            request = sdk.CreateMessageRequest.builder().receive_id_type(id_type)
            return self._im.message.create(request.request_body(body.uuid(uuid).build()).build(), option)

        answer = self._caller.call(what, invoke, with_card=kind == "interactive")
        return _need(answer, "message_id", what)

    def _reply(self, what: str, message_id: str, kind: str, content: str, uuid: str, in_thread: bool) -> str:
        if not message_id:
            raise BadRequest(what, "no message to reply to")

        def invoke(option: Any) -> Any:
            sdk = slim.module(_IM)
            body = sdk.ReplyMessageRequestBody.builder().msg_type(kind).content(content).reply_in_thread(in_thread)
            request = sdk.ReplyMessageRequest.builder().message_id(message_id)
            return self._im.message.reply(request.request_body(body.uuid(uuid).build()).build(), option)

        return _need(self._caller.call(what, invoke, with_card=kind == "interactive"), "message_id", what)

    def _pages(self, what: str, page: Callable[[str], Callable[[Any], Any]]) -> Iterator[Mapping[str, Any]]:
        token = ""
        for _ in range(1000):  # a bound, should Feishu ever hand out page tokens in a circle
            answer = self._caller.call(what, page(token))
            yield from _items(answer)
            token = str(answer.data.get("page_token") or "")
            if answer.data.get("has_more") is not True or not token:
                return


def _text(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False)


def _need(answer: Answer, key: str, what: str) -> str:
    value = answer.data.get(key)
    if not isinstance(value, str) or not value:
        raise Unreachable(what, f"the answer holds no {key}")
    return value


def _items(answer: Answer) -> list[Mapping[str, Any]]:
    items = answer.data.get("items")
    return [each for each in items if isinstance(each, Mapping)] if isinstance(items, list) else []


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _cut(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (values[start : start + size] for start in range(0, len(values), size))


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
