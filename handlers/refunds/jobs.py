"""Making a refund, once, and following it until the money has arrived.

WeChat Pay, 申请退款: the same `out_refund_no` never pays twice; after an error or a lost answer the same number is
queried and, if unknown there, repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from adapters.channel import Channel
from adapters.errors import ChannelError, Misconfigured, NotEnough, NotFound, NotGranted, OutcomeUnknown, Unavailable
from adapters.errors import Refused as ChannelRefused
from adapters.ports.refunds import RefundsPort
from adapters.values import RefundDetails, RefundState
from bot.jobs.engine import Payload
from bot.telemetry import correlation
from bot.texts import Fen, text
from bot.unit import Unit, Units, to_chat, to_person
from handlers.refunds.payments import COMPLAINT, moved, payment_of, subject_of
from handlers.refunds.service import ACTION
from handlers.refunds.states import Event, advance
from handlers.shared.accounts.registry import Channels
from handlers.shared.contributions.refund_subjects import RefundSubject
from handlers.shared.events import RefundMoved, RefundPaid
from handlers.shared.intents import requests
from storage.areas.people import EVERYWHERE
from storage.areas.refunds import Refund, RefundProgress, Refunds
from storage.core.effects import Effects, EffectState
from storage.core.schedule import Deadline

log = structlog.get_logger("refunds")

FOLLOW = "refund.follow"
CHECK = "refund.check"
RECOVER = "refund.recover"
# WeChat Pay, 查询单笔退款; the first look is sooner, for balances arrive quickly.
_LADDER = (10, 60, 60, 60, 60, 300, 600, 1200, 1800)
_SOON = timedelta(seconds=15)
_HASTY = 4  # so many times the channel is asked again soon: most lost answers are found by then
_ALARM_AFTER = 8  # tries without a trustworthy answer; then the administrators are told
_MOVING = (RefundProgress.APPROVED, RefundProgress.SENDING, RefundProgress.PROCESSING)
_EVENTS = {
    RefundState.PROCESSING: Event.TAKEN,
    RefundState.SUCCESS: Event.PAID,
    RefundState.CLOSED: Event.REFUSED,
    RefundState.ABNORMAL: Event.STUCK,
}


def on_told(unit: Unit, account_key: str, told: RefundDetails) -> None:
    """A push of the channel about a refund."""
    refund = unit.of(Refunds).by_number(told.out_refund_no)
    if refund is None or refund.account_key != account_key:
        log.info("refund.not_ours", account=account_key)
        return
    if told.amount_fen and told.amount_fen != refund.amount_fen:
        log.error("refund.amount_differs", refund=refund.number)
        return
    apply(unit, refund.id, told)


def apply(unit: Unit, refund_id: int, told: RefundDetails) -> None:
    """Bring our refund to what the channel says; late and repeated news change nothing."""
    refund = unit.of(Refunds).get(refund_id, lock=True)
    event = _EVENTS.get(told.state)
    if refund is None or event is None:
        return
    target = advance(RefundProgress(refund.progress), event)
    refund.channel_refund_id = told.refund_id or refund.channel_refund_id
    if target is None or target == refund.progress:
        return
    refund.progress = target
    refund.error, refund.can_retry = None, False
    subject = subject_of(refund)
    if target is RefundProgress.PROCESSING:
        _follow(unit, refund)
        unit.of(Effects).settle(effect_key(refund), EffectState.DONE, unit.now)  # the call's outcome is known
        unit.audit("refund.taken", subject, None, number=refund.number, fen=refund.amount_fen)
    else:
        refund.settled_at = unit.now
        unit.deadlines.meet(FOLLOW, str(refund.id), unit.now)
        unit.of(Effects).settle(effect_key(refund), EffectState.DONE, unit.now)
        if target is RefundProgress.PAID:
            unit.audit("refund.paid", subject, None, number=refund.number, fen=refund.amount_fen)
        else:
            refund.error = told.raw_state[:200]
            unit.audit(f"refund.{target}", subject, None, number=refund.number, why=told.raw_state)
    unit.session.flush()
    _announce(unit, refund)


def _announce(unit: Unit, refund: Refund) -> None:
    payment = payment_of(unit.areas, unit.session, refund.complaint_id)
    if payment is None:
        return
    moved(unit, refund)
    if refund.approval_id is not None:
        requests.refresh(unit, refund.approval_id)
    if refund.progress in (RefundProgress.PAID, RefundProgress.FAILED, RefundProgress.ABNORMAL):
        words = text(
            f"refund.news.{refund.progress}", number=refund.number, complaint=payment.number,
            amount=Fen(refund.amount_fen), why=refund.error or "",
        )  # fmt: skip
        requester = unit.people.by_id(refund.requested_by)
        if payment.chat_id:
            unit.send_text(to_chat(payment.chat_id), words)
        elif requester is not None:
            unit.send_text(to_person(requester.open_id), words)
    if refund.progress == RefundProgress.PAID:
        unit.emit(RefundPaid(refund.id, payment.subject, f"refund-{refund.id}-{refund.row_version}"))


def effect_key(refund: Refund) -> str:
    """Under which the call that makes this refund is written down."""
    return f"refund:{refund.out_refund_no}"


def _follow(unit: Unit, refund: Refund, wait: timedelta | None = None) -> None:
    at = unit.now + (wait or timedelta(seconds=_LADDER[min(refund.polls, len(_LADDER) - 1)]))
    unit.deadlines.set(FOLLOW, str(refund.id), at, at)


@dataclass(frozen=True, slots=True)
class RefundJobs:
    units: Units
    channels: Channels

    def send(self, payload: Payload) -> None:
        """Make an approved refund. Started again after a crash or a lost answer, it asks before it repeats."""
        with self.units.write(f"refund-{payload['id']}-send") as unit:
            refund = unit.of(Refunds).get(payload["id"], lock=True)
            target = advance(RefundProgress(refund.progress), Event.SENT) if refund is not None else None
            if refund is None or target is None:
                return
            refund.progress = target
            _, again = unit.of(Effects).begin(
                effect_key(refund), action=ACTION, account_key=refund.account_key,
                subject=subject_of(refund),
                request={"out_refund_no": refund.out_refund_no, "fen": refund.amount_fen}, at=unit.now,
            )  # fmt: skip
            # If this process dies from here on, the timer finds the refund and asks the channel.
            _follow(unit, refund, _SOON)
        try:
            channel = self.channels.get(refund.account_key)
            port = channel.require(RefundsPort)
            told = self._known(port, refund) if again else None
            if told is None:
                self._tell_customer(channel, refund)
                told = self._create(port, refund)
        except (Misconfigured, NotGranted) as error:
            self._not_known(refund, error)  # our own set-up is at fault: the refund waits until that is mended
            return
        except ChannelRefused as error:
            self._refused(refund, error)
            return
        except ChannelError as error:
            self._not_known(refund, error)
            return
        with self.units.write(f"refund-{refund.id}-told") as unit:
            apply(unit, refund.id, told)

    def check(self, payload: Payload) -> None:
        """Ask the channel how a refund stands; one that it does not know is sent (again) under the same number."""
        with self.units.read() as session:
            refund = Refunds(session).get(payload["id"])
        if refund is None or refund.progress not in _MOVING:
            return
        try:
            told = self._known(self.channels.get(refund.account_key).require(RefundsPort), refund)
        except ChannelError as error:
            log.warning("refund.check_failed", refund=refund.number, why=type(error).__name__, code=error.code)
            told = None
        else:
            if told is None:
                self.send(payload)
                return
        with self.units.write(f"refund-{refund.id}-check-{payload['at']}") as unit:
            if told is not None:
                apply(unit, refund.id, told)
            row = unit.of(Refunds).get(refund.id, lock=True)
            if row is not None and row.progress in _MOVING:
                row.polls += 1
                _follow(unit, row)

    def recover(self, payload: Payload) -> None:
        """A refund on its way always has a timer; one that lost it (a job that failed for good) gets a new one."""
        with self.units.write("refunds-recover") as unit:
            for refund in unit.of(Refunds).in_states(*_MOVING):
                timer = unit.deadlines.get(FOLLOW, str(refund.id))
                if timer is None or timer.done_at is not None:
                    log.warning("refund.recovered", refund=refund.number, progress=refund.progress)
                    _follow(unit, refund, _SOON)

    def follow(self, unit: Unit, deadline: Deadline) -> datetime | None:
        """The timer of a refund that is not settled."""
        id = f"refund-{deadline.subject}-check-{deadline.due_at.isoformat()}"
        payload = {"id": int(deadline.subject), "at": deadline.due_at.isoformat()}
        refund = unit.of(Refunds).get(int(deadline.subject))
        effect = unit.of(Effects).get(effect_key(refund)) if refund is not None else None
        unit.enqueue(CHECK, id, {**payload, **correlation.of(effect.correlation_id if effect is not None else None)})
        return None

    def _known(self, port: RefundsPort, refund: Refund) -> RefundDetails | None:
        """What the channel knows of the refund; None only where it says for certain that there is none."""
        try:
            return port.query(refund.out_refund_no, refund.merchant_id)
        except NotFound:
            return None
        except ChannelRefused as error:
            # That we may not ask says nothing about the money.
            raise Unavailable(error.channel, error.message, code=error.code, status=error.status) from error

    def _create(self, port: RefundsPort, refund: Refund) -> RefundDetails:
        try:
            return port.create(
                out_refund_no=refund.out_refund_no, transaction_id=refund.transaction_id,
                amount_fen=refund.amount_fen, total_fen=refund.total_fen, reason=refund.reason,
                merchant_id=refund.merchant_id,
            )  # fmt: skip
        except OutcomeUnknown as unknown:
            try:
                told = self._known(port, refund)
            except ChannelError:
                raise unknown from None
            if told is None:
                raise
            return told
        except ChannelRefused as refusal:
            # Refused, but perhaps because an earlier call of ours (a slow one, a lost answer) was taken already.
            told = self._known(port, refund)
            if told is None:
                raise refusal
            return told

    def _tell_customer(self, channel: Channel, refund: Refund) -> None:
        """Say first that it is coming, where the platform has a word for it. It moves no money, so it may fail."""
        known = self.units.areas.named(RefundSubject, COMPLAINT)
        if known is None:
            return
        try:
            known.announce(self.units, channel, refund.complaint_id)
        except ChannelError as error:
            log.warning("refund.notice_failed", refund=refund.number, why=type(error).__name__, code=error.code)

    def _refused(self, refund: Refund, error: ChannelRefused) -> None:
        with self.units.write(f"refund-{refund.id}-refused") as unit:
            row = unit.of(Refunds).get(refund.id, lock=True)
            target = advance(RefundProgress(row.progress), Event.REFUSED) if row is not None else None
            if row is None or target is None:
                return
            row.progress, row.error = target, error.message[:200]
            row.can_retry = isinstance(error, NotEnough)
            row.settled_at = unit.now
            unit.deadlines.meet(FOLLOW, str(row.id), unit.now)
            unit.of(Effects).settle(effect_key(row), EffectState.REFUSED, unit.now, error.message)
            unit.audit("refund.refused", subject_of(row), None, number=row.number, why=error.message[:200])
            unit.session.flush()
            _announce(unit, row)

    def _not_known(self, refund: Refund, error: ChannelError) -> None:
        """No trustworthy answer: the timer asks, and nothing is repeated before it has."""
        log.warning("refund.unknown", refund=refund.number, why=type(error).__name__, code=error.code)
        with self.units.write(f"refund-{refund.id}-unknown") as unit:
            row = unit.of(Refunds).get(refund.id, lock=True)
            if row is None or row.progress != RefundProgress.SENDING:
                return
            if isinstance(error, OutcomeUnknown):
                unit.of(Effects).settle(effect_key(row), EffectState.UNKNOWN, unit.now)
            row.polls += 1
            _follow(unit, row, _SOON if row.polls <= _HASTY else None)
            unit.emit(RefundMoved(row.id, subject_of(row)))
            if row.approval_id is not None:
                requests.refresh(unit, row.approval_id)
            if row.polls == _ALARM_AFTER:
                for admin in unit.people.holding("admin", EVERYWHERE):
                    unit.send_text(
                        to_person(admin.open_id), text("refund.stuck", number=row.number, why=error.message[:100])
                    )
