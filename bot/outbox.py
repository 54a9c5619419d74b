"""Sending what the outbox holds: in order per chat, one at a time, until Feishu has it or refuses it for good."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.cards.actions import ActionSigner
from bot.cards.render import RenderedCard, render
from bot.cards.values import Card, Note, Tone
from bot.drawing import Drawings, Look
from bot.engine import CARDS, Payload
from bot.feishu import errors
from bot.feishu.port import Feishu, Receiver
from bot.pace import Pace
from bot.spoken import spoken
from bot.texts import Catalogue, Language, Text, text
from bot.unit import DELIVER, Unit, Units, receiver_of, stored_receiver
from storage.outbox import Outbox, OutboxMessage, OutboxState, PostedCard
from storage.setup import Setup

log = structlog.get_logger("outbox")

CARD_LIFE = timedelta(days=14)  # feishu.md §1 no. 15
_RENEW_AFTER = CARD_LIFE - timedelta(hours=12)
_LONGEST_WAIT = timedelta(minutes=2)
_MOST_SURPRISES = 10
_FORGOTTEN = timedelta(seconds=60)
_TO_CHAT, _OF_APP = 5, 50  # messages a second (feishu.md §11)
_SECOND = 1.03  # with what calls may gain on each other on their way
_IN_HAND = timedelta(seconds=5)  # only a crash leaves it standing: a lane has one delivery at a time (its partition)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """What is to be sent now, read in one transaction."""

    id: int
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


class Delivery:
    """The jobs behind the outbox."""

    def __init__(
        self,
        units: Units,
        feishu: Feishu,
        drawings: Drawings,
        signer: ActionSigner,
        catalogue: Catalogue,
        default_zone: str,
        on_chat_lost: Callable[[Unit, str, str], None],
    ) -> None:
        self._units = units
        self._feishu = feishu
        self._drawings = drawings
        self._signer = signer
        self._catalogue = catalogue
        self._default_zone = default_zone
        self._on_chat_lost = on_chat_lost
        self._to_chat = Pace(_TO_CHAT, _SECOND)
        self._of_app = Pace(_OF_APP, _SECOND)

    def deliver(self, payload: Payload) -> None:
        """Send the oldest waiting message of a lane. With `chase`, see to the next one too: its own job is used up."""
        lane = payload["lane"]
        parcel = self._open(lane)
        if parcel is None:
            return
        try:
            self._to_chat.wait(lane)
            self._of_app.wait("")
            message_id, state = self._send(parcel)
        except errors.Retryable as error:
            self._later(parcel, error, timedelta(seconds=error.after))
        except errors.QuotaGone as error:
            self._later(parcel, error, timedelta(hours=1))
        except errors.Misconfigured as error:
            self._later(parcel, error, timedelta(minutes=1))  # somebody may be setting it right just now
        except errors.FeishuError as error:
            self._fail(parcel, error)
        except Exception as error:
            # Something nobody thought of: not for ever at the head of its chat.
            log.exception("outbox.broken", outbox=parcel.id, attempts=parcel.attempts)
            wrong = errors.FeishuError("send", type(error).__name__)
            if parcel.attempts < _MOST_SURPRISES:
                self._later(parcel, wrong, timedelta(0))
            else:
                self._fail(parcel, wrong)
        else:
            self._settle(parcel, state, message_id)
        if payload.get("chase") or parcel.attempts > 1:  # while it waited for its repeat, jobs of others were used up
            self._chase(lane)

    def sweep(self) -> None:
        """Start again what waits for a repeat whose time has come."""
        now = self._units.clock.now()
        with self._units.read() as session:
            heads = Outbox(session).heads_due(now, now - _FORGOTTEN)
        if heads:
            with self._units.write("sweep") as unit:
                for lane, id, attempts in heads:
                    # With the time in it: a job that found nothing to do must not use up the id for ever.
                    job = f"deliver-{id}-{attempts}-{int(now.timestamp()) // 15}"
                    payload = {"lane": lane, "chase": True}
                    self._units.engine.enqueue(unit.session, DELIVER, job, payload, queue=CARDS, partition=lane)

    def redraw_due(self) -> None:
        """Redraw cards whose picture changes with time alone."""
        with self._units.read() as session:
            due = bool(Outbox(session).redraw_due(self._units.clock.now(), 1))
        if due:
            with self._units.write(f"redraw-{self._units.clock.now().isoformat()}") as unit:
                for card in Outbox(unit.session).redraw_due(unit.now):
                    card.redraw_at = None  # the drawing says when it wants to be drawn again
                    unit.redraw_card(card)

    # --- one message -----------------------------------------------------------------------------------------------

    def _open(self, lane: str) -> _Parcel | None:
        """Take the head of a lane, if its time has come, and put it into words."""
        with self._units.write("deliver") as unit:
            outbox = Outbox(unit.session)
            message = outbox.head(lane, lock=True)
            if message is None or not message.is_due(unit.now):
                return None
            message.attempts += 1  # from here on a redraw of the card needs a message of its own
            message.due_at = unit.now + _IN_HAND  # if this process dies now, the sweep finds it then
        try:
            with self._units.read() as session:
                card = Outbox(session).card(message.card_id) if message.card_id is not None else None
                return self._parcel(message, card, Setup(session), self._look(session, card))
        except SQLAlchemyError:
            raise
        except Exception as error:  # a card that cannot be drawn must not hold up its chat for ever
            log.exception("card.not_drawn", outbox=message.id, card=message.card_id)
            with self._units.write("deliver") as unit:
                broken = Outbox(unit.session).get(message.id)
                if broken is not None:
                    broken.state, broken.error = OutboxState.FAILED, f"not drawn: {type(error).__name__}"
            return None

    def _look(self, session: Session, card: PostedCard | None) -> Look | None:
        if card is None:
            return None
        return Look(session, self._units.clock.now(), card.subject, card.params, card.receiver)

    def _parcel(self, message: OutboxMessage, card: PostedCard | None, setup: Setup, look: Look | None) -> _Parcel:
        receiver = receiver_of(message.receiver)
        chat = setup.chat(receiver.id) if receiver.kind == "chat" else None
        zone = chat.zone if chat is not None else self._default_zone
        language: Language = "en_us" if chat is not None and chat.language == "en_us" else "zh_cn"
        words, rendered, digest, stale_at, title = None, None, "", None, None
        if message.body is not None:
            words = self._catalogue.say(spoken(message.body), language, zone=zone, plain_mentions=False)
        elif card is not None and look is not None:
            drawn = self._drawings.draw(card.kind, look)
            stale_at, title = drawn.stale_at, drawn.title
            rendered = render(
                drawn,
                sign=lambda action: self._signer.sign(action, message.receiver),
                zone=zone,
                catalogue=self._catalogue,
            )
            digest = hashlib.sha256(rendered.json.encode()).hexdigest()[:32]
            words = rendered.plain_en if language == "en_us" else rendered.plain_zh
        old = card is not None and card.posted_at is not None and look is not None
        renew = old and look is not None and card is not None and look.now - (card.posted_at or look.now) > _RENEW_AFTER
        return _Parcel(
            id=message.id,
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

    def _send(self, parcel: _Parcel) -> tuple[str | None, OutboxState]:
        """The message that now shows the card (None: none does), and how the sending ended."""
        if parcel.rendered is None:
            return self._post(parcel, None), OutboxState.SENT
        if parcel.message_id is None:
            return self._post_card(parcel, parcel.rendered.json), OutboxState.SENT
        if parcel.drawn == parcel.digest:
            return parcel.message_id, OutboxState.SKIPPED
        try:
            self._feishu.patch_card(parcel.message_id, parcel.rendered.json)
        except errors.MessageClosed:
            # Recalled, or older than cards live: the item is still there, so it gets a new card.
            return self._post_card(parcel, parcel.rendered.json), OutboxState.SENT
        except errors.CardRefused as error:
            log.error("card.refused", outbox=parcel.id, subcode=error.subcode, log_id=error.log_id)
            # What stands there is no longer true: say the truth in plain words and take the old buttons away.
            self._post(parcel, None)
            self._blank(parcel.message_id, parcel, text("card.refused"))
        return parcel.message_id, OutboxState.SENT

    def _post_card(self, parcel: _Parcel, card: str) -> str | None:
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
            self._feishu.patch_card(message_id, card)
        return message_id

    def _blank(self, message_id: str, parcel: _Parcel, words: Text) -> None:
        """Leave only a sentence where a card was, so that no dead button stands there. Its failure changes nothing."""
        bare = render(
            Card(parcel.title or words, (Note(words),), Tone.NEUTRAL),
            sign=lambda action: self._signer.sign(action, stored_receiver(parcel.receiver)),
            zone=self._default_zone,
            catalogue=self._catalogue,
        )
        try:
            self._feishu.patch_card(message_id, bare.json)
        except errors.FeishuError as error:
            log.info("card.not_blanked", outbox=parcel.id, code=error.code)

    def _post(self, parcel: _Parcel, card: str | None) -> str:
        # The moment is in it because ids begin anew from those of the backup when one was restored.
        uuid = f"mpops-{parcel.id}-{parcel.created_at.timestamp() * 1000:.0f}-{'c' if card is not None else 't'}"
        to = parcel.receiver
        if parcel.reply_to is not None:
            try:
                if card is not None:
                    return self._feishu.reply_card(parcel.reply_to, card, uuid)
                return self._feishu.reply_text(parcel.reply_to, parcel.words or "", uuid)
            except errors.MessageClosed:
                pass  # the message was recalled meanwhile: the answer still goes to its chat
        if card is not None:
            return self._feishu.send_card(to, card, uuid)
        return self._feishu.send_text(to, parcel.words or "", uuid)

    # --- what became of it -----------------------------------------------------------------------------------------

    def _settle(self, parcel: _Parcel, state: OutboxState, message_id: str | None) -> None:
        with self._units.write("deliver") as unit:
            outbox = Outbox(unit.session)
            message = outbox.get(parcel.id)
            if message is not None:
                message.state, message.sent_at, message.error = state, unit.now, None
            card = outbox.card(parcel.card_id) if parcel.card_id is not None else None
            if card is not None:
                card.redraw_at = parcel.stale_at
            if card is not None and state is OutboxState.SENT:
                if card.message_id != message_id:
                    card.message_id, card.posted_at = message_id, unit.now
                card.drawn = parcel.digest

    def _later(self, parcel: _Parcel, error: errors.FeishuError, wait: timedelta) -> None:
        backoff = min(timedelta(seconds=0.5 * 2 ** min(parcel.attempts, 10)), _LONGEST_WAIT)
        with self._units.write("deliver") as unit:
            message = Outbox(unit.session).get(parcel.id)
            if message is not None:
                message.due_at = unit.now + max(wait, backoff)
                message.error = f"{type(error).__name__} {error.code}"
        log.warning(
            "outbox.later", outbox=parcel.id, attempts=parcel.attempts, code=error.code, why=type(error).__name__
        )

    def _fail(self, parcel: _Parcel, error: errors.FeishuError) -> None:
        gone = isinstance(error, errors.PersonGone)
        with self._units.write("deliver") as unit:
            outbox = Outbox(unit.session)
            message = outbox.get(parcel.id)
            if message is not None:
                message.state = OutboxState.SKIPPED if gone else OutboxState.FAILED
                message.sent_at, message.error = unit.now, f"{type(error).__name__} {error.code}"
            card = outbox.card(parcel.card_id) if parcel.card_id is not None else None
            if card is not None and (gone or isinstance(error, errors.BotNotInChat)):
                card.retired = True
            if isinstance(error, errors.BotNotInChat) and parcel.receiver.kind == "chat":
                self._on_chat_lost(unit, parcel.receiver.id, "")
        log.error("outbox.failed", outbox=parcel.id, code=error.code, why=type(error).__name__, log_id=error.log_id)

    def _chase(self, lane: str) -> None:
        with self._units.write("deliver") as unit:
            head = Outbox(unit.session).head(lane)
            if head is not None and head.is_due(unit.now):
                job = f"deliver-{head.id}-{head.attempts}-chase"
                self._units.engine.enqueue(
                    unit.session, DELIVER, job, {"lane": lane, "chase": True}, queue=CARDS, partition=lane
                )
