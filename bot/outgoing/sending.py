"""Handing a rendered message to Feishu, with what may go wrong, and never faster than Feishu takes it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog

from bot.feishu import errors
from bot.feishu.port import MessagesPort
from bot.outgoing.rate_limit import RateLimiter
from bot.outgoing.rendering import MessageRenderer, RenderedMessage
from bot.texts import Text, text
from storage.core.outbox import OutboxState

log = structlog.get_logger("outbox")

_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")  # goes into an address; with anything else no try would ever arrive
_TO_CHAT = 5  # messages a second; docs/platforms/feishu.md ("Message limits and rates"), as the next line
_A_SECOND, _A_MINUTE = 50, 1000  # calls of one API


class MessageSender:
    """Hands rendered messages to Feishu, never faster than Feishu allows.

    The limits of the app are shared out evenly among the living processes that send (`peers`), so that together they
    keep them; a chat's limit is kept by whoever has its partition, which is one process at a time.
    """

    def __init__(self, feishu: MessagesPort, renderer: MessageRenderer, peers: Callable[[], int]) -> None:
        self._feishu = feishu
        self._renderer = renderer
        self._to_chat = RateLimiter(lambda: _TO_CHAT, 1.0)
        self._a_second = RateLimiter(lambda: _A_SECOND // peers(), 1.0)
        self._a_minute = RateLimiter(lambda: _A_MINUTE // peers(), 60.0)

    def saw(self, partition: str, ages: list[float]) -> None:
        """Messages sent to that chat by somebody else, so many seconds ago."""
        self._to_chat.saw(partition, ages)

    @contextmanager
    def _limited(self, api: str, partition: str) -> Iterator[None]:
        with self._to_chat.acquire(partition), self._a_minute.acquire(api), self._a_second.acquire(api):
            yield

    def send(self, rendered: RenderedMessage) -> tuple[str | None, OutboxState]:
        """The message that now shows the card (None: none does), and how the sending ended."""
        if rendered.card is None:
            return self._post(rendered, None), OutboxState.SENT
        if rendered.message_id is None:
            return self._post_card(rendered, rendered.card.json), OutboxState.SENT
        if rendered.drawn == rendered.digest:
            return rendered.message_id, OutboxState.SKIPPED
        try:
            self._patch(rendered, rendered.message_id, rendered.card.json)
        except errors.MessageClosed:
            # Recalled, or older than cards live: the item is still there, so it gets a new card.
            return self._post_card(rendered, rendered.card.json), OutboxState.SENT
        except errors.CardRefused as error:
            log.error("card.refused", outbox=rendered.id, subcode=error.subcode, log_id=error.log_id)
            # What stands there is no longer true: say the truth in plain words and take the old buttons away.
            self._post(rendered, None)
            self._blank(rendered.message_id, rendered, text("card.refused"))
        return rendered.message_id, OutboxState.SENT

    def _post_card(self, rendered: RenderedMessage, card: str) -> str | None:
        if rendered.old_message_id is not None:
            self._blank(rendered.old_message_id, rendered, text("card.moved"))
        try:
            message_id = self._post(rendered, card)
        except errors.CardRefused as error:
            log.error("card.refused", outbox=rendered.id, subcode=error.subcode, log_id=error.log_id)
            self._post(rendered, None)
            return None
        if rendered.attempts > 1:
            # An earlier attempt may have arrived: then the uuid gave us its id, and its picture is of that time.
            self._patch(rendered, message_id, card)
        return message_id

    def _blank(self, message_id: str, rendered: RenderedMessage, words: Text) -> None:
        """Leave only a sentence where a card was, so that no dead button stands there. Its failure changes nothing."""
        bare = self._renderer.bare(rendered.title or words, words, rendered.receiver)
        try:
            self._patch(rendered, message_id, bare)
        except errors.FeishuError as error:
            log.info("card.not_blanked", outbox=rendered.id, code=error.code)

    def _post(self, rendered: RenderedMessage, card: str | None) -> str:
        # The moment is in it because ids begin anew from those of the backup when one was restored.
        uuid = f"mpops-{rendered.id}-{rendered.created_at.timestamp() * 1000:.0f}-{'c' if card is not None else 't'}"
        to = rendered.receiver
        if rendered.reply_to is not None and _ID.fullmatch(rendered.reply_to):
            try:
                with self._limited("reply", rendered.partition):
                    if card is not None:
                        return self._feishu.reply_card(rendered.reply_to, card, uuid)
                    return self._feishu.reply_text(rendered.reply_to, rendered.words or "", uuid)
            except errors.MessageClosed:
                pass  # the message was recalled meanwhile: the answer still goes to its chat
        with self._limited("create", rendered.partition):
            if card is not None:
                return self._feishu.send_card(to, card, uuid)
            return self._feishu.send_text(to, rendered.words or "", uuid)

    def _patch(self, rendered: RenderedMessage, message_id: str, card: str) -> None:
        with self._limited("patch", rendered.partition):
            self._feishu.patch_card(message_id, card)
