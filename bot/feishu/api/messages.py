"""Messages: sent, answered, changed, taken back, urged; and the pictures for them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Sequence
from typing import Any

from bot.feishu import slim_import
from bot.feishu.api.base import IM, Api, chunks, required, texts_of
from bot.feishu.errors import BadRequest
from bot.feishu.port import Receiver

_URGENT_AT_ONCE = 200


class LarkMessages(Api):
    """`MessagesPort` over lark-oapi."""

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
            sdk = slim_import.module(IM)
            body = sdk.PatchMessageRequestBody.builder().content(content).build()
            request = sdk.PatchMessageRequest.builder().message_id(message_id).request_body(body).build()
            return self._im.message.patch(request, option)

        self._caller.call("card.patch", invoke, with_card=True)

    def recall(self, message_id: str) -> None:
        def invoke(option: Any) -> Any:
            request = slim_import.module(IM).DeleteMessageRequest.builder().message_id(message_id).build()
            return self._im.message.delete(request, option)

        self._caller.call("message.recall", invoke)

    def add_reaction(self, message_id: str, emoji: str) -> None:
        """`emoji` is Feishu's key: OK, DONE, OnIt, CheckMark."""

        def invoke(option: Any) -> Any:
            sdk = slim_import.module(IM)
            kind = sdk.Emoji.builder().emoji_type(emoji).build()
            body = sdk.CreateMessageReactionRequestBody.builder().reaction_type(kind).build()
            request = sdk.CreateMessageReactionRequest.builder().message_id(message_id).request_body(body).build()
            return self._im.message_reaction.create(request, option)

        self._caller.call("reaction.add", invoke)

    def urgent(self, message_id: str, open_ids: Sequence[str]) -> tuple[str, ...]:
        """Remind people of one of our messages in the app; the open ids that Feishu did not take."""

        def some(part: Sequence[str]) -> Callable[[Any], Any]:
            def invoke(option: Any) -> Any:
                sdk = slim_import.module(IM)
                body = sdk.UrgentReceivers.builder().user_id_list(list(part)).build()
                request = sdk.UrgentAppMessageRequest.builder().message_id(message_id).user_id_type("open_id")
                return self._im.message.urgent_app(request.request_body(body).build(), option)

            return invoke

        parts = [self._caller.call("message.urgent", some(part)) for part in chunks(open_ids, _URGENT_AT_ONCE)]
        return tuple(each for answer in parts for each in texts_of(answer.data.get("invalid_user_id_list")))

    def upload_image(self, data: bytes, content_type: str) -> str:
        """The image key for use in cards; at most 10 MB. `content_type` is that of the picture, as image/png."""
        name = "image." + (content_type.split("/")[-1].split(";")[0].strip() or "bin")

        def invoke(option: Any) -> Any:
            sdk = slim_import.module(IM)
            # A bare stream is sent without a file name, and then Feishu does not take it for a file.
            picture = (name, io.BytesIO(data), content_type)
            body = sdk.CreateImageRequestBody.builder().image_type("message").image(picture).build()
            return self._im.image.create(sdk.CreateImageRequest.builder().request_body(body).build(), option)

        return required(self._caller.call("image.upload", invoke), "image_key", "image.upload")

    def _send(self, what: str, receive: Receiver, kind: str, content: str, uuid: str) -> str:
        id_type = "chat_id" if receive.kind == "chat" else "open_id"

        def invoke(option: Any) -> Any:
            sdk = slim_import.module(IM)
            body = sdk.CreateMessageRequestBody.builder().receive_id(receive.id).msg_type(kind).content(content)
            request = sdk.CreateMessageRequest.builder().receive_id_type(id_type)
            return self._im.message.create(request.request_body(body.uuid(uuid).build()).build(), option)

        answer = self._caller.call(what, invoke, with_card=kind == "interactive")
        return required(answer, "message_id", what)

    def _reply(self, what: str, message_id: str, kind: str, content: str, uuid: str, in_thread: bool) -> str:
        if not message_id:
            raise BadRequest(what, "no message to reply to")

        def invoke(option: Any) -> Any:
            sdk = slim_import.module(IM)
            body = sdk.ReplyMessageRequestBody.builder().msg_type(kind).content(content).reply_in_thread(in_thread)
            request = sdk.ReplyMessageRequest.builder().message_id(message_id)
            return self._im.message.reply(request.request_body(body.uuid(uuid).build()).build(), option)

        return required(self._caller.call(what, invoke, with_card=kind == "interactive"), "message_id", what)


def _text(text: str) -> str:
    return json.dumps({"text": text}, ensure_ascii=False)
