"""Try a stuck item again, put it aside, take it up again. Money goes the way it always goes: by its own timer, which
asks the platform before anything is repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import structlog

from bot.contributions.effects import Effect
from bot.contributions.jobs import Job
from bot.contributions.routing import Clicked
from bot.errors import Refused
from bot.jobs.engine import BULK, Payload
from bot.jobs.instrumented import error_at_hand
from bot.jobs.names import PROCESS as WORK_OFF
from bot.texts import Text, text
from bot.unit import Unit, Units
from handlers.status.backlog import CALL, EVENT, JOB, MESSAGE, PROCESS
from handlers.status.permissions import MANAGE
from storage.core.backlog import Backlog
from storage.core.effects import Effect as EffectRow
from storage.core.effects import EffectState
from storage.core.failed_jobs import FailedJobs, FailedJobState, fingerprint
from storage.core.inbox import InboxItem, InboxState
from storage.core.outbox import Outbox, OutboxState
from storage.core.parked_items import ParkedItems
from storage.core.processes import Processes

log = structlog.get_logger("status")

RETRY = "status.retry_job"
FOLLOWED = timedelta(minutes=1)  # how long a card that was pressed follows what comes of it
# Kinds of events that are a person's wish; pushes of channels may be worked off whenever.
_PEOPLES = frozenset({"im.message.receive_v1", "card.action.trigger", "application.bot.menu_v6"})
_TOO_OLD = timedelta(minutes=30)  # what a person wanted that long ago is not done behind their back


def check_retry(unit: Unit, clicked: Clicked) -> Text:
    _everywhere(clicked)
    kind, subject, seen = _told(clicked)
    _still(_stands(unit, kind, subject, seen))
    if kind == EVENT and (event := unit.of(Backlog).event(subject)) is not None:
        _not_too_old(unit, event)
    elif kind == CALL and (call := unit.of(Backlog).call(subject)) is not None:
        _timer(unit, call)
    elif kind == MESSAGE:
        _show_again(unit, int(subject))
    elif kind == PROCESS:
        raise Refused(text("click.unknown"))
    return text("status.retried")


def retry(unit: Unit, clicked: Clicked) -> None:
    check_retry(unit, clicked)
    kind, subject, _ = _told(clicked)
    backlog = unit.of(Backlog)
    if kind == EVENT and (event := backlog.event(subject)) is not None:
        event.state, event.done_at, event.incident = InboxState.NEW, None, None
        unit.enqueue(WORK_OFF, f"{subject[:160]}~{int(unit.now.timestamp() * 1000)}", {"id": subject})
    elif kind == MESSAGE and (message := backlog.message(int(subject))) is not None:
        _send_again(unit, message.id)
    elif kind == JOB and (job := unit.of(FailedJobs).get(subject)) is not None:
        job.state, job.retries, job.last_at = FailedJobState.RETRYING, job.retries + 1, unit.now
        unit.enqueue(RETRY, f"retry-{subject}-{job.times}-{job.retries}", {"key": subject}, queue=BULK)
    elif kind == CALL and (call := backlog.call(subject)) is not None:
        timer, of = _timer(unit, call)
        unit.deadlines.set(timer, of, unit.now, unit.now)
    _written(unit, clicked, "status.retried")


def check_park(unit: Unit, clicked: Clicked) -> Text:
    _everywhere(clicked)
    kind, subject, seen = _told(clicked)
    _still(_stands(unit, kind, subject, seen) and unit.of(ParkedItems).get(kind, subject) is None)
    if kind == PROCESS:
        return text("status.dismissed")
    return text("status.parked_call" if kind == CALL else "status.parked")


def park(unit: Unit, clicked: Clicked) -> None:
    check_park(unit, clicked)
    kind, subject, seen = _told(clicked)
    backlog = unit.of(Backlog)
    if kind == PROCESS:
        role, _, name = subject.partition(":")
        unit.of(Processes).dismiss(name, role)
    else:
        if kind == EVENT and (event := backlog.event(subject)) is not None:
            event.state = InboxState.PARKED
        elif kind == MESSAGE and (message := backlog.message(int(subject))) is not None:
            message.state = OutboxState.PARKED
        unit.of(ParkedItems).put(kind, subject, seen, clicked.actor.id, unit.now)
    _written(unit, clicked, "status.parked")


def check_unpark(unit: Unit, clicked: Clicked) -> Text:
    _everywhere(clicked)
    kind, subject, _ = _told(clicked)
    _still(unit.of(ParkedItems).get(kind, subject) is not None)
    if kind == EVENT and (event := unit.of(Backlog).event(subject)) is not None:
        _not_too_old(unit, event)
    return text("status.unparked")


def unpark(unit: Unit, clicked: Clicked) -> None:
    check_unpark(unit, clicked)
    kind, subject, _ = _told(clicked)
    row = unit.of(ParkedItems).take(kind, subject)
    backlog = unit.of(Backlog)
    was = row.was if row is not None else ""
    if kind == EVENT and (event := backlog.event(subject)) is not None and event.state == InboxState.PARKED:
        event.state = was
        if was == InboxState.NEW:
            unit.enqueue(WORK_OFF, f"{subject[:160]}~{int(unit.now.timestamp() * 1000)}", {"id": subject})
    elif (
        kind == MESSAGE
        and (message := backlog.message(int(subject))) is not None
        and message.state == OutboxState.PARKED
    ):
        message.state = was
        if was == OutboxState.WAITING:
            _send_again(unit, message.id)
    _written(unit, clicked, "status.unparked")


def refresh(unit: Unit, clicked: Clicked) -> None:
    _refresh_card(unit, clicked, follow=False)


# --- jobs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FailedWork:
    """Keeps jobs that were given up, and runs them again when somebody asks for it."""

    units: Units

    def failed(self, job: str, payload: Payload, incident: str) -> None:
        """The engine gave this up; called while its error is being handled."""
        error = error_at_hand()
        with self.units.write("failed") as unit:
            failed = unit.of(FailedJobs)
            row = failed.get(str(payload["key"])) if job == RETRY else None
            if row is not None:
                failed.again(row.key, row.job, row.payload, incident, error, unit.now)
            elif job != RETRY:
                failed.add(job, payload, incident, error, unit.now)
            # It was put aside as it was then; that it failed once more is news.
            unit.of(ParkedItems).take(JOB, row.key if row is not None else fingerprint(job, payload))

    def again(self, payload: Payload) -> None:
        """The job looks at its rows first, as after a crash; whatever it says to that is the answer."""
        with self.units.write("retry") as unit:
            row = unit.of(FailedJobs).get(str(payload["key"]))
        if row is None or row.state != FailedJobState.RETRYING:
            return
        work = self.units.areas.named(Job, row.job)
        if work is None:  # of another version; it is not lost for being unknown here
            log.error("job.unknown", job=row.job)
            with self.units.write("retry") as unit:
                failed = unit.of(FailedJobs)
                failed.again(row.key, row.job, row.payload, row.incident, "unknown here", unit.now)
            return
        work.run(row.payload)
        with self.units.write("retry") as unit:
            unit.of(FailedJobs).done(row.key)
            unit.of(ParkedItems).take(JOB, row.key)


# -----------------------------------------------------------------------------------------------------------------


def _told(clicked: Clicked) -> tuple[str, str, str]:
    """Kind, which one, and the state in which it was drawn."""
    kind, _, subject = clicked.action.subject.partition("|")
    return kind, subject, clicked.action.extra.get("state", "")


def _stands(unit: Unit, kind: str, subject: str, seen: str) -> bool:
    """Whether the item is still as the reader saw it, and still stuck."""
    backlog = unit.of(Backlog)
    if kind == EVENT:
        event = backlog.event(subject)
        return event is not None and event.state == seen and seen in (InboxState.NEW, InboxState.FAILED)
    if kind == MESSAGE:
        message = backlog.message(int(subject))
        return message is not None and message.state == seen and seen in (OutboxState.WAITING, OutboxState.FAILED)
    if kind == JOB:
        job = unit.of(FailedJobs).get(subject)
        return job is not None and f"{job.state}-{job.times}" == seen
    if kind == CALL:
        call = backlog.call(subject)
        return call is not None and call.state in (EffectState.STARTED, EffectState.UNKNOWN)
    role, _, name = subject.partition(":")
    return kind == PROCESS and unit.of(Processes).has(name, role)


def _still(holds: bool) -> None:
    if not holds:
        raise Refused(text("status.moved_on"))


def _send_again(unit: Unit, id: int) -> None:
    """Due now and tried before: the outbox's sweep takes it within a second."""
    _show_again(unit, id)
    message = unit.of(Backlog).message(id)
    if message is not None:
        message.state, message.due_at = OutboxState.WAITING, unit.now
        message.attempts = max(1, message.attempts)


def _show_again(unit: Unit, id: int) -> None:
    """Have a card that was given up with its chat follow its item again. Refused where another one does already."""
    message = unit.of(Backlog).message(id)
    card = unit.of(Outbox).card(message.card_id) if message is not None and message.card_id is not None else None
    if card is not None and card.retired:
        _still(not any(other.partition == card.partition for other in unit.cards_of(card.kind, card.subject)))
        card.retired = False


def _not_too_old(unit: Unit, event: InboxItem) -> None:
    if event.kind in _PEOPLES and unit.now - event.received_at > _TOO_OLD:
        raise Refused(text("status.too_old"))


def _everywhere(clicked: Clicked) -> None:
    """What is stuck may belong to any program: for whoever is responsible for all of them."""
    if clicked.actor.programs(MANAGE) is not None:
        raise Refused(text("status.scope"))


def _timer(unit: Unit, call: EffectRow) -> tuple[str, str]:
    """The timer that asks the platform what became of a call. Raises Refused where there is none to ask for."""
    known = unit.areas.named(Effect, call.action)
    timer = known.timer(unit, call) if known is not None else None
    if timer is None:
        raise Refused(text("status.no_timer"))
    return timer


def _written(unit: Unit, clicked: Clicked, event: str) -> None:
    kind, subject, _ = _told(clicked)
    unit.audit(event, f"status:{kind}", clicked.actor, item=f"{kind} {subject}"[:120])
    log.info(event, item=f"{kind} {subject}"[:200])
    unit.session.flush()
    _refresh_card(unit, clicked, follow=True)


def _refresh_card(unit: Unit, clicked: Clicked, *, follow: bool) -> None:
    card = unit.card_of_message(clicked.message_id)
    if card is None:
        raise Refused(text("card.gone"))
    until = {"until": (unit.now + FOLLOWED).isoformat()} if follow else {}
    card.drawn = None
    unit.refresh_card(card, params={**card.params, **until})
