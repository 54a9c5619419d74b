"""What is stuck, as one list: events, chats whose messages wait, failed messages and jobs, calls without an outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.area import Areas
from bot.contributions.search import by_subject
from bot.telemetry import correlation
from bot.texts import Left, Text, text
from storage.areas.configuration import Configuration
from storage.areas.people import People
from storage.core.backlog import Backlog
from storage.core.effects import Effect
from storage.core.failed_jobs import FailedJob, FailedJobs, FailedJobState
from storage.core.inbox import Inbox, InboxItem, InboxState
from storage.core.outbox import OutboxMessage
from storage.core.parked_items import ParkedItems
from storage.core.processes import Processes

SLOW = timedelta(seconds=60)
UNSETTLED = timedelta(minutes=5)
LATELY = timedelta(days=7)
RETRYING = timedelta(minutes=2)
EVENT, MESSAGE, JOB, CALL, PROCESS = "event", "message", "job", "call", "process"
_WORST = 5  # of each kind


@dataclass(frozen=True, slots=True)
class Item:
    """`state` is what the reader saw: a click on it counts only while it is still that."""

    kind: str
    subject: str
    state: str
    title: Text
    detail: Text
    incident: str = ""
    can_retry: bool = True


def items(session: Session, now: datetime, areas: Areas) -> list[Item]:
    """Everything that is stuck and was not put aside, the most serious first."""
    parked = ParkedItems(session)
    backlog = Backlog(session)
    found: list[Item] = []
    aside = parked.subjects(CALL)
    found += [of_call(session, call, now, areas) for call in backlog.calls(now - UNSETTLED) if call.key not in aside]
    found += [of_event(event, now) for event in Inbox(session).stale(now - SLOW, _WORST)]
    found += [
        of_partition(session, partition.head, partition.waiting, now)
        for partition in backlog.partitions(now - SLOW, _WORST)
    ]
    found += [of_event(event, now) for event in backlog.events_failed(now - LATELY)]
    found += [of_message(session, message, now) for message in backlog.messages_failed(now - LATELY)]
    aside = parked.subjects(JOB)
    found += [of_job(job, now) for job in FailedJobs(session).since(now - LATELY) if _wants(job, aside, now)]
    found += [of_process(one.name, one.role, one.seen_at) for one in Processes(session).silent(datetime.now(UTC))]
    return found


def _wants(job: FailedJob, aside: set[str], now: datetime) -> bool:
    retrying = job.state == FailedJobState.RETRYING and now - job.last_at < RETRYING
    return job.key not in aside and not retrying


def of_event(event: InboxItem, now: datetime) -> Item:
    kind = "failed" if event.state == InboxState.FAILED else "slow"
    title = text(f"status.item.event.{kind}", source=event.source, kind=event.kind)
    incident = event.incident or correlation.id_of(event.id)
    return Item(EVENT, event.id, event.state, title, _since(event.received_at, now), incident)


def of_partition(session: Session, head: OutboxMessage, waiting: int, now: datetime) -> Item:
    title = text("status.item.lane", chat=_receiver(session, head.receiver), n=waiting)
    detail = text("status.item.why", why=head.error or "-", age=Left(now - head.created_at))
    return Item(MESSAGE, str(head.id), head.state, title, detail, (head.correlation_id or ""))


def of_message(session: Session, message: OutboxMessage, now: datetime) -> Item:
    title = text("status.item.message", chat=_receiver(session, message.receiver))
    detail = text("status.item.why", why=message.error or "-", age=Left(now - message.created_at))
    return Item(MESSAGE, str(message.id), message.state, title, detail, (message.correlation_id or ""))


def of_job(job: FailedJob, now: datetime) -> Item:
    title = text("status.item.job", job=job.job, n=job.times)
    detail = text("status.item.why", why=job.error, age=Left(now - job.last_at))
    return Item(JOB, job.key, f"{job.state}-{job.times}", title, detail, job.incident)


def of_call(session: Session, call: Effect, now: datetime, areas: Areas) -> Item:
    title = text("status.item.call", what=text(f"status.call.{call.action}"), of=_name(session, call.subject, areas))
    return Item(CALL, call.key, call.state, title, _since(call.started_at, now), call.correlation_id or "")


def of_process(name: str, role: str, seen_at: datetime) -> Item:
    title = text("status.item.process", name=name, role=role)
    return Item(
        PROCESS, f"{role}:{name}", "silent", title, _since(seen_at, datetime.now(UTC)), can_retry=False
    )  # fmt: skip


def parked_items(session: Session, now: datetime, areas: Areas) -> list[Item]:
    """What was put aside, newest first."""
    found = []
    jobs = FailedJobs(session)
    for row in ParkedItems(session).all(20):
        item = _parked(session, jobs, row.kind, row.subject, now, areas)
        if item is not None:
            found.append(item)
    return found


def _parked(session: Session, jobs: FailedJobs, kind: str, subject: str, now: datetime, areas: Areas) -> Item | None:
    if kind == EVENT:
        event = session.get(InboxItem, subject)
        return of_event(event, now) if event is not None else None
    if kind == MESSAGE:
        message = session.get(OutboxMessage, int(subject))
        return of_message(session, message, now) if message is not None else None
    if kind == JOB:
        job = session.get(FailedJob, subject)
        return of_job(job, now) if job is not None else None
    call = session.scalar(select(Effect).where(Effect.key == subject))
    return of_call(session, call, now, areas) if call is not None else None


def _since(at: datetime, now: datetime) -> Text:
    return text("status.item.since", age=Left(now - at))


def _receiver(session: Session, stored: str) -> str:
    kind, _, id = stored.partition(":")
    if kind == "chat":
        chat = Configuration(session).chat(id)
        return chat.name if chat is not None and chat.name else id
    person = People(session).by_open_id(id)
    return person.name if person is not None else "?"


def _name(session: Session, subject: str, areas: Areas) -> str:
    found = by_subject(areas, session, subject)
    return found.number if found is not None else subject
