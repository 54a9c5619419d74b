"""The numbers that the database tells, for the metrics page."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from bot.contributions.gauges import Gauge
from bot.feishu.lark import LarkFeishu
from bot.jobs.engine import PLANS
from bot.jobs.names import jobs_table
from bot.telemetry.gauges import Reading, one
from bot.unit import Units
from storage.backups.history import MADE
from storage.core.audit import AuditHead
from storage.core.backlog import Backlog
from storage.core.effects import Effects
from storage.core.failed_jobs import FailedJobs
from storage.core.inbox import Inbox
from storage.core.outbox import Outbox
from storage.core.parked_items import ParkedItems
from storage.core.processes import Processes
from storage.core.schedule import Deadline, Deadlines, Schedules

_MOST_KINDS = 30


def measure(units: Units, feishu: LarkFeishu) -> Iterable[Reading]:
    """All of them, as the database says now. Raises what the database raises."""
    now = units.clock.now()
    with units.read() as session:
        readings = [
            *_queues(session, units),
            *_waiting(session, now),
            *_deadlines(session, now),
            *_given_up(session, now),
            *_processes(session),
            *_upkeep(session, now),
            *(reading for gauge in units.areas.of(Gauge) for reading in gauge.read(session, now)),
        ]
    age = feishu.token_age()
    values = (("", age.total_seconds()),) if age is not None else ()
    readings.append(Reading("feishu_token_age_seconds", "Age of the app's token in this process", values))
    return readings


def _queues(session: Session, units: Units) -> Iterator[Reading]:
    """Work that was handed over and has not begun, by queue. The engine's own table, and its real time."""
    table = jobs_table(units.database.is_sqlite)
    found = session.execute(
        text(f"SELECT queue_name, count(*), min(created_at) FROM {table} WHERE status = 'ENQUEUED' GROUP BY queue_name")
    )
    by_queue = {row[0]: (int(row[1]), int(row[2])) for row in found}
    now = datetime.now(UTC).timestamp()
    depth, age = [], []
    for queue in PLANS:
        count, since = by_queue.get(queue, (0, None))
        depth.append((queue, float(count)))
        age.append((queue, max(0.0, now - since / 1000) if since is not None else 0.0))
    yield Reading("queue_waiting", "Jobs that have not begun", tuple(depth), "queue")
    yield Reading("queue_oldest_seconds", "Age of the oldest job that has not begun", tuple(age), "queue")


def _waiting(session: Session, now: datetime) -> Iterator[Reading]:
    for name, (count, oldest) in (("inbox", Inbox(session).waiting()), ("outbox", Outbox(session).waiting())):
        yield one(f"{name}_waiting", f"Items waiting in the {name}", count)
        yield one(f"{name}_oldest_seconds", f"Age of the oldest item waiting in the {name}", _age(now, oldest))
    due = Backlog(session).oldest_due(now)
    yield one("outbox_lag_seconds", "How long the message that is due longest could have been sent", _age(now, due))


def _deadlines(session: Session, now: datetime) -> Iterator[Reading]:
    query = (
        select(Deadline.kind, func.min(Deadline.due_at))
        .where(Deadline.done_at.is_(None))
        .group_by(Deadline.kind)
        .order_by(Deadline.kind)
        .limit(_MOST_KINDS)
    )
    left = tuple((row[0], (row[1] - now).total_seconds()) for row in session.execute(query))
    yield Reading("deadline_seconds", "Until the next deadline nobody has met; negative: over", left, "kind")
    overdue = Deadlines(session).oldest_overdue(now)
    yield one("deadline_overdue_seconds", "How long the oldest missed deadline is overdue", _age(now, overdue))


def _given_up(session: Session, now: datetime) -> Iterator[Reading]:
    day = now - timedelta(days=1)
    outbox, jobs = Outbox(session).failed(day), FailedJobs(session).count(day)
    yield one("outbox_failed", "Messages given up in the last 24 h", outbox)
    yield one("jobs_failed", "Jobs given up in the last 24 h, without events", jobs)
    yield one("failed_day", "Items given up in the last 24 h", Inbox(session).failed(day) + outbox + jobs)
    yield one("parked", "Items that somebody put aside", ParkedItems(session).count())
    unsettled = Effects(session).unsettled(now - timedelta(minutes=5))
    yield one("effects_unsettled", "Outside calls without an outcome for more than 5 min", unsettled)
    oldest = Effects(session).oldest_unsettled()
    yield one("effect_oldest_seconds", "Age of the oldest outside call without an outcome", _age(now, oldest))


def _processes(session: Session) -> Iterator[Reading]:
    now = datetime.now(UTC)
    processes = Processes(session)
    states = (("alive", float(len(processes.alive(now)))), ("silent", float(len(processes.silent(now)))))
    yield Reading("processes", "Processes of this deployment", states, "state")
    ticked = processes.ticked_at()
    age = (now - ticked).total_seconds() if ticked is not None else math.inf
    yield one("schedule_tick_age_seconds", "Since a schedule of any process was seen running", age)


def _upkeep(session: Session, now: datetime) -> Iterator[Reading]:
    head = session.get(AuditHead, 1)
    yield one("audit_entries", "Length of the audit", head.last_id if head is not None else 0)
    made = Schedules(session).last_run(MADE)
    age = (now - made).total_seconds() if made is not None else math.inf
    yield one("backup_age_seconds", "Since the last backup; +Inf: there was none", age)


def _age(now: datetime, since: datetime | None) -> float:
    return max(0.0, (now - since).total_seconds()) if since is not None else 0.0
