"""Sending what the outbox holds: in order per chat, one at a time, until Feishu has it or refuses it for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeGuard

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bot.feishu import errors
from bot.jobs.engine import CARDS, Payload
from bot.jobs.names import DELIVER
from bot.outgoing.rendering import MessageRenderer, RenderedMessage
from bot.outgoing.sending import MessageSender
from bot.unit import Unit, Units
from storage.core.outbox import Outbox, OutboxMessage, OutboxState

log = structlog.get_logger("outbox")

_LONGEST_WAIT = timedelta(seconds=15)  # a try costs one call, and whoever waits for a card watches it
_MOST_SURPRISES = 10
_FORGOTTEN = timedelta(seconds=60)
_IN_HAND = timedelta(seconds=5)  # only a crash leaves it standing: a partition has one delivery at a time
_STINT = 25  # messages; then other chats have their turn
_LATELY = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class _Sent:
    """How the sending of a message ended. `message_id` is the message that now shows its card (None: none does)."""

    rendered: RenderedMessage
    message_id: str | None
    state: OutboxState


class Delivery:
    """The jobs behind the outbox."""

    def __init__(
        self,
        units: Units,
        renderer: MessageRenderer,
        sender: MessageSender,
        on_chat_lost: Callable[[Unit, str, str], None],
    ) -> None:
        self._units = units
        self._renderer = renderer
        self._sender = sender
        self._on_chat_lost = on_chat_lost
        self._unsettled: dict[str, _Sent] = {}  # by partition: it left, and the database did not take that down yet

    def deliver(self, payload: Payload) -> None:
        """Send what waits in a partition, oldest first. Jobs of the messages behind it may find nothing left to do."""
        partition = payload["lane"]
        sent = self._unsettled.pop(partition, None)
        for number in range(_STINT + 1):
            try:
                message = self._next(partition, sent, first=number == 0, last=number == _STINT)
            except SQLAlchemyError:
                if sent is not None:
                    # This job is started again, and another process may have sent it too.
                    self._unsettled[partition] = sent
                raise
            if message is None:
                return
            rendered = self._render(message)
            sent = self._send(rendered) if rendered is not None else None

    def _next(self, partition: str, sent: _Sent | None, *, first: bool, last: bool) -> OutboxMessage | None:
        """Write down what became of the last one, and take the head of the partition if its time has come."""
        with self._units.write("deliver") as unit:
            outbox = unit.of(Outbox)
            if sent is not None:
                self._settle(unit, outbox, sent)
            message = outbox.head(partition, lock=True)
            if message is None or not message.is_due(unit.now):
                return None
            if last:
                job = f"deliver-{message.id}-{message.attempts}-on"
                self._units.engine.enqueue(
                    unit.session, DELIVER, job, {"lane": partition}, queue=CARDS, partition=partition
                )
                return None
            if first:
                ages = [(unit.now - at).total_seconds() for at in outbox.sent_since(partition, unit.now - _LATELY)]
                self._sender.saw(partition, ages)
            message.attempts += 1  # from here on a refresh of the card needs a message of its own
            message.due_at = unit.now + _IN_HAND  # if this process dies now, the sweep finds it then
            return message

    def _render(self, message: OutboxMessage) -> RenderedMessage | None:
        try:
            return self._renderer.render_message(message)
        except SQLAlchemyError:
            raise
        except Exception as error:  # a card that cannot be drawn must not hold up its chat for ever
            log.exception("card.not_drawn", outbox=message.id, card=message.card_id)
            with self._units.write("deliver") as unit:
                broken = unit.of(Outbox).get(message.id)
                if broken is not None:
                    broken.state, broken.error = OutboxState.FAILED, f"not drawn: {type(error).__name__}"
            return None

    def _send(self, rendered: RenderedMessage) -> _Sent | None:
        """None: it was not sent, and that is written down already."""
        try:
            message_id, state = self._sender.send(rendered)
            return _Sent(rendered, message_id, state)
        except errors.Retryable as error:
            self._later(rendered, error, timedelta(seconds=error.after))
        except errors.QuotaGone as error:
            self._later(rendered, error, timedelta(hours=1))
        except errors.Misconfigured as error:
            self._later(rendered, error, timedelta(minutes=1))  # somebody may be setting it right just now
        except errors.FeishuError as error:
            self._fail(rendered, error)
        except Exception as error:
            # Something nobody thought of: not for ever at the head of its chat.
            log.exception("outbox.broken", outbox=rendered.id, attempts=rendered.attempts)
            wrong = errors.FeishuError("send", type(error).__name__)
            if rendered.attempts < _MOST_SURPRISES:
                self._later(rendered, wrong, timedelta(0))
            else:
                self._fail(rendered, wrong)
        return None

    def sweep(self) -> None:
        """Start again what waits for a repeat whose time has come."""
        now = self._units.clock.now()
        with self._units.read() as session:
            heads = Outbox(session).heads_due(now, now - _FORGOTTEN)
        if heads:
            with self._units.write("sweep") as unit:
                for partition, id, attempts in heads:
                    # With the time in it: a job that found nothing to do must not use up the id for ever.
                    job = f"deliver-{id}-{attempts}-{int(now.timestamp()) // 15}"
                    payload = {"lane": partition}
                    self._units.engine.enqueue(unit.session, DELIVER, job, payload, queue=CARDS, partition=partition)

    def refresh_due(self) -> None:
        """Refresh cards whose picture changes with time alone."""
        with self._units.read() as session:
            due = bool(Outbox(session).refresh_due(self._units.clock.now(), 1))
        if due:
            with self._units.write(f"redraw-{self._units.clock.now().isoformat()}") as unit:
                for card in unit.of(Outbox).refresh_due(unit.now):
                    card.refresh_at = None  # the drawing says when it wants to be drawn again
                    unit.refresh_card(card)

    # --- what became of it -----------------------------------------------------------------------------------------

    def _settle(self, unit: Unit, outbox: Outbox, sent: _Sent) -> None:
        rendered = sent.rendered
        message = outbox.get(rendered.id)
        ours = _is_ours(message, rendered)
        if message is not None and message.state in (OutboxState.WAITING, OutboxState.FAILED):
            message.state, message.sent_at, message.error = sent.state, unit.now, None
        if not ours:
            self._overtaken(unit, message, rendered, sent.message_id)
            return
        card = outbox.card(rendered.card_id) if rendered.card_id is not None else None
        if card is not None:
            card.refresh_at = rendered.stale_at
        if card is not None and sent.state is OutboxState.SENT:
            if card.message_id != sent.message_id:
                card.message_id, card.posted_at = sent.message_id, unit.now
            card.drawn = rendered.digest
        unit.session.flush()

    def _overtaken(
        self, unit: Unit, message: OutboxMessage | None, rendered: RenderedMessage, message_id: str | None = None
    ) -> None:
        """Nobody knows which of the two drawings reached Feishu last, so the card is drawn once more."""
        log.warning("outbox.overtaken", outbox=rendered.id, card=rendered.card_id)
        card = unit.of(Outbox).card(rendered.card_id) if rendered.card_id is not None else None
        if card is None:
            return
        if card.message_id is None and message_id is not None:
            card.message_id, card.posted_at = message_id, unit.now
        if message is None or message.state != OutboxState.PARKED:
            card.drawn = None
            unit.session.flush()
            unit.refresh_card(card)

    def _later(self, rendered: RenderedMessage, error: errors.FeishuError, wait: timedelta) -> None:
        backoff = min(timedelta(seconds=0.5 * 2 ** min(rendered.attempts, 10)), _LONGEST_WAIT)
        with self._units.write("deliver") as unit:
            message = unit.of(Outbox).get(rendered.id)
            if _is_ours(message, rendered):
                message.due_at = unit.now + max(wait, backoff)
                message.error = f"{type(error).__name__} {error.code}"
            elif message is not None:
                self._overtaken(unit, message, rendered)
        log.warning(
            "outbox.later", outbox=rendered.id, attempts=rendered.attempts, code=error.code, why=type(error).__name__
        )

    def _fail(self, rendered: RenderedMessage, error: errors.FeishuError) -> None:
        gone = isinstance(error, errors.PersonGone)
        with self._units.write("deliver") as unit:
            outbox = unit.of(Outbox)
            message = outbox.get(rendered.id)
            if message is not None:
                if not _is_ours(message, rendered):
                    self._overtaken(unit, message, rendered)
                    return  # whoever took it over writes down what became of it
                message.state = OutboxState.SKIPPED if gone else OutboxState.FAILED
                message.sent_at, message.error = unit.now, f"{type(error).__name__} {error.code}"
            card = outbox.card(rendered.card_id) if rendered.card_id is not None else None
            if card is not None and (gone or isinstance(error, errors.BotNotInChat)):
                card.retired = True
            if isinstance(error, errors.BotNotInChat) and rendered.receiver.kind == "chat":
                self._on_chat_lost(unit, rendered.receiver.id, "")
        log.error("outbox.failed", outbox=rendered.id, code=error.code, why=type(error).__name__, log_id=error.log_id)


def _is_ours(message: OutboxMessage | None, rendered: RenderedMessage) -> TypeGuard[OutboxMessage]:
    """Whether nobody put the message aside, and no other process took it over while this one stood still."""
    return message is not None and message.state == OutboxState.WAITING and message.attempts == rendered.attempts
