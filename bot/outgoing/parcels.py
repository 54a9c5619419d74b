"""One message on its way out: put into words just before it is sent, and handed to Feishu with what may go wrong."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session

from bot.cards.actions import ActionSigner
from bot.cards.render import RenderedCard, render
from bot.cards.values import Card, Note, Tone
from bot.contributions.cards import CardKind
from bot.drawing import Look
from bot.feishu import errors
from bot.feishu.port import Feishu, Receiver
from bot.outgoing.pace import Pace
from bot.telemetry import trail
from bot.texts import Catalogue, Language, Text, text
from bot.texts.stored import spoken
from bot.unit import Units, receiver_of, stored_receiver
from storage.areas.setup import Setup
from storage.core.outbox import Outbox, OutboxMessage, OutboxState, PostedCard

log = structlog.get_logger("outbox")

CARD_LIFE = timedelta(days=14)  # feishu.md §1 no. 15
_RENEW_AFTER = CARD_LIFE - timedelta(hours=12)
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}")  # goes into an address; with anything else no try would ever arrive
_TO_CHAT = 5  # messages a second (feishu.md §11, and so the next line)
_A_SECOND, _A_MINUTE = 50, 1000  # calls of one API


@dataclass(frozen=True, slots=True)
class Parcel:
    """What is to be sent now, read in one transaction."""

    id: int
    lane: str
    receiver: Receiver
    reply_to: str | None
    attempts: int
    created_at: datetime
    card_id: int | None
    message_id: str | None  # of the card that stands there
    drawn: str | None
    words: str | None
    rendered: RenderedCard | None
    digest: str = ""
    stale_at: datetime | None = None
    title: Text | None = None
    old_message_id: str | None = None  # of the card that the new one takes the place of


class Packing:
    """Puts a message into words, or draws its card, as things are at this moment."""

    def __init__(self, units: Units, signer: ActionSigner, catalogue: Catalogue, default_zone: str) -> None:
        self._units = units
        self._signer = signer
        self._catalogue = catalogue
        self._default_zone = default_zone

    def pack(self, message: OutboxMessage) -> Parcel:
        # A delivery sends what waits in a chat, whichever event it came from.
        trail.follow(message.trail or trail.trail_of(f"deliver-{message.id}"))
        with self._units.read() as session:
            card = Outbox(session).card(message.card_id) if message.card_id is not None else None
            return self._parcel(message, card, Setup(session), self._look(session, card))

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

    def _parcel(self, message: OutboxMessage, card: PostedCard | None, setup: Setup, look: Look | None) -> Parcel:
        receiver = receiver_of(message.receiver)
        chat = setup.chat(receiver.id) if receiver.kind == "chat" else None
        zone = chat.zone if chat is not None else self._default_zone
        language: Language = "en_us" if chat is not None and chat.language == "en_us" else "zh_cn"
        words, rendered, digest, stale_at, title = None, None, "", None, None
        if message.body is not None:
            words = self._catalogue.say(spoken(message.body), language, zone=zone, plain_mentions=False)
        elif card is not None and look is not None:
            drawn = self._draw(card.kind, look)
            stale_at, title = drawn.stale_at, drawn.title
            rendered = self._render(drawn, message.receiver, zone)
            digest = hashlib.sha256(rendered.json.encode()).hexdigest()[:32]
            words = rendered.plain_en if language == "en_us" else rendered.plain_zh
        old = card is not None and card.posted_at is not None and look is not None
        renew = old and look is not None and card is not None and look.now - (card.posted_at or look.now) > _RENEW_AFTER
        return Parcel(
            id=message.id,
            lane=message.lane,
            receiver=receiver,
            reply_to=message.reply_to,
            attempts=message.attempts,
            created_at=message.created_at,
            card_id=message.card_id,
            message_id=None if card is None or renew else card.message_id,
            drawn=card.drawn if card is not None else None,
            words=words,
            rendered=rendered,
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


class Posting:
    """Hands a parcel to Feishu, never faster than Feishu allows.

    The limits of the app are shared out evenly among the living processes that send (`peers`), so that together they
    keep them; a chat's limit is kept by whoever has its lane, which is one process at a time.
    """

    def __init__(self, feishu: Feishu, packing: Packing, peers: Callable[[], int]) -> None:
        self._feishu = feishu
        self._packing = packing
        self._to_chat = Pace(lambda: _TO_CHAT, 1.0)
        self._a_second = Pace(lambda: _A_SECOND // peers(), 1.0)
        self._a_minute = Pace(lambda: _A_MINUTE // peers(), 60.0)

    def saw(self, lane: str, ages: list[float]) -> None:
        """Messages sent to that chat by somebody else, so many seconds ago."""
        self._to_chat.saw(lane, ages)

    @contextmanager
    def _paced(self, api: str, lane: str) -> Iterator[None]:
        with self._to_chat.turn(lane), self._a_minute.turn(api), self._a_second.turn(api):
            yield

    def send(self, parcel: Parcel) -> tuple[str | None, OutboxState]:
        """The message that now shows the card (None: none does), and how the sending ended."""
        if parcel.rendered is None:
            return self._post(parcel, None), OutboxState.SENT
        if parcel.message_id is None:
            return self._post_card(parcel, parcel.rendered.json), OutboxState.SENT
        if parcel.drawn == parcel.digest:
            return parcel.message_id, OutboxState.SKIPPED
        try:
            self._patch(parcel, parcel.message_id, parcel.rendered.json)
        except errors.MessageClosed:
            # Recalled, or older than cards live: the item is still there, so it gets a new card.
            return self._post_card(parcel, parcel.rendered.json), OutboxState.SENT
        except errors.CardRefused as error:
            log.error("card.refused", outbox=parcel.id, subcode=error.subcode, log_id=error.log_id)
            # What stands there is no longer true: say the truth in plain words and take the old buttons away.
            self._post(parcel, None)
            self._blank(parcel.message_id, parcel, text("card.refused"))
        return parcel.message_id, OutboxState.SENT

    def _post_card(self, parcel: Parcel, card: str) -> str | None:
        if parcel.old_message_id is not None:
            self._blank(parcel.old_message_id, parcel, text("card.moved"))
        try:
            message_id = self._post(parcel, card)
        except errors.CardRefused as error:
            log.error("card.refused", outbox=parcel.id, subcode=error.subcode, log_id=error.log_id)
            self._post(parcel, None)
            return None
        if parcel.attempts > 1:
            # An earlier attempt may have arrived: then the uuid gave us its id, and its picture is of that time.
            self._patch(parcel, message_id, card)
        return message_id

    def _blank(self, message_id: str, parcel: Parcel, words: Text) -> None:
        """Leave only a sentence where a card was, so that no dead button stands there. Its failure changes nothing."""
        bare = self._packing.bare(parcel.title or words, words, parcel.receiver)
        try:
            self._patch(parcel, message_id, bare)
        except errors.FeishuError as error:
            log.info("card.not_blanked", outbox=parcel.id, code=error.code)

    def _post(self, parcel: Parcel, card: str | None) -> str:
        # The moment is in it because ids begin anew from those of the backup when one was restored.
        uuid = f"mpops-{parcel.id}-{parcel.created_at.timestamp() * 1000:.0f}-{'c' if card is not None else 't'}"
        to = parcel.receiver
        if parcel.reply_to is not None and _ID.fullmatch(parcel.reply_to):
            try:
                with self._paced("reply", parcel.lane):
                    if card is not None:
                        return self._feishu.reply_card(parcel.reply_to, card, uuid)
                    return self._feishu.reply_text(parcel.reply_to, parcel.words or "", uuid)
            except errors.MessageClosed:
                pass  # the message was recalled meanwhile: the answer still goes to its chat
        with self._paced("create", parcel.lane):
            if card is not None:
                return self._feishu.send_card(to, card, uuid)
            return self._feishu.send_text(to, parcel.words or "", uuid)

    def _patch(self, parcel: Parcel, message_id: str, card: str) -> None:
        with self._paced("patch", parcel.lane):
            self._feishu.patch_card(message_id, card)
