"""One message on its way out is put into words just before it is sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.card_context import Look
from bot.cards.actions import ActionSigner
from bot.cards.render import RenderedCard, render
from bot.cards.values import Card, Note, Tone
from bot.contributions.cards import CardKind
from bot.feishu.port import Receiver
from bot.telemetry import correlation
from bot.texts import Catalogue, Language, Text
from bot.texts.stored_text import load_text
from bot.unit import Units, receiver_of, stored_receiver
from storage.areas.configuration import Configuration
from storage.core.outbox import Outbox, OutboxMessage, PostedCard

CARD_LIFE = timedelta(days=14)  # docs/platforms/feishu.md ("Card update rules and 14 days")
_RENEW_AFTER = CARD_LIFE - timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class RenderedMessage:
    """What is to be sent now, read in one transaction."""

    id: int
    partition: str
    receiver: Receiver
    reply_to: str | None
    attempts: int
    created_at: datetime
    card_id: int | None
    message_id: str | None  # of the card that stands there
    drawn: str | None
    words: str | None
    card: RenderedCard | None
    digest: str = ""
    stale_at: datetime | None = None
    title: Text | None = None
    old_message_id: str | None = None  # of the card that the new one takes the place of


class MessageRenderer:
    """Puts a message into words, or draws its card, as things are at this moment."""

    def __init__(self, units: Units, signer: ActionSigner, catalogue: Catalogue, default_zone: str) -> None:
        self._units = units
        self._signer = signer
        self._catalogue = catalogue
        self._default_zone = default_zone

    def render_message(self, message: OutboxMessage) -> RenderedMessage:
        # A delivery sends what waits in a chat, whichever event it came from.
        correlation.follow(message.correlation_id or correlation.id_of(f"deliver-{message.id}"))
        with self._units.read() as session:
            card = Outbox(session).card(message.card_id) if message.card_id is not None else None
            return self._rendered(message, card, Configuration(session), self._look(session, card))

    def _look(self, session: Session, card: PostedCard | None) -> Look | None:
        if card is None:
            return None
        return Look(
            session, self._units.clock.now(), card.subject, card.params, card.receiver, self._units.areas
        )  # fmt: skip

    def _draw(self, kind: str, look: Look) -> Card:
        known = look.areas.named(CardKind, kind)
        if known is None:
            raise LookupError(f"nobody here draws cards of the kind {kind!r}")
        return known.draw(look)

    def _rendered(
        self, message: OutboxMessage, card: PostedCard | None, configuration: Configuration, look: Look | None
    ) -> RenderedMessage:
        receiver = receiver_of(message.receiver)
        chat = configuration.chat(receiver.id) if receiver.kind == "chat" else None
        zone = chat.zone if chat is not None else self._default_zone
        language: Language = "en_us" if chat is not None and chat.language == "en_us" else "zh_cn"
        words, rendered, digest, stale_at, title = None, None, "", None, None
        if message.body is not None:
            words = self._catalogue.render(load_text(message.body), language, zone=zone, plain_mentions=False)
        elif card is not None and look is not None:
            drawn = self._draw(card.kind, look)
            stale_at, title = drawn.stale_at, drawn.title
            rendered = self._render(drawn, message.receiver, zone)
            digest = hashlib.sha256(rendered.json.encode()).hexdigest()[:32]
            words = rendered.plain_en if language == "en_us" else rendered.plain_zh
        old = card is not None and card.posted_at is not None and look is not None
        renew = old and look is not None and card is not None and look.now - (card.posted_at or look.now) > _RENEW_AFTER
        return RenderedMessage(
            id=message.id,
            partition=message.partition,
            receiver=receiver,
            reply_to=message.reply_to,
            attempts=message.attempts,
            created_at=message.created_at,
            card_id=message.card_id,
            message_id=None if card is None or renew else card.message_id,
            drawn=card.drawn if card is not None else None,
            words=words,
            card=rendered,
            digest=digest,
            stale_at=stale_at,
            title=title,
            old_message_id=card.message_id if renew and card is not None else None,
        )

    def bare(self, title: Text, words: Text, receiver: Receiver) -> str:
        """A card of one sentence and nothing to press."""
        card = Card(title, (Note(words),), Tone.NEUTRAL)
        return self._render(card, stored_receiver(receiver), self._default_zone).json

    def _render(self, card: Card, receiver: str, zone: str) -> RenderedCard:
        return render(
            card, sign=lambda action: self._signer.sign(action, receiver), zone=zone, catalogue=self._catalogue
        )
