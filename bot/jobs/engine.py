"""Durable work: our own few verbs over DBOS Transact, which nobody but this module and `serialization` imports
(docs/decisions/0001-dbos-as-engine.md).

A job is a named function with a JSON payload. It is enqueued in the caller's own transaction under an id; the same id
never runs twice. It may be started again after a crash, so a job looks at its rows before it acts.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias, cast

import structlog
from dbos import DBOS, DBOSClient, DBOSConfig, _queue, _sys_db
from sqlalchemy import Engine as SqlEngine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.jobs.notify import Listener, notify
from bot.jobs.retries import ShortSleeps, retrying
from bot.jobs.serialization import forbid_pickle, serializer
from bot.jobs.wakeups import Wakeups
from bot.telemetry.logs import new_incident
from storage.core.schedule import Schedules
from storage.database import Database

log = structlog.get_logger("engine")

Payload: TypeAlias = Mapping[str, Any]
Job: TypeAlias = Callable[[Payload], None]
OnFailure: TypeAlias = Callable[[str, Payload, str], None]

NAME = "mpops"
VERSION = "1"  # pinned: the default changes with the sources and would orphan waiting work at every deploy
WORKFLOW = "mpops.job"

INTERACTIVE = "interactive"
CARDS = "cards"
BULK = "bulk"

URGENT = 0  # of two that wait in a queue the one with the lower number is begun first
USUAL = 10


def channel_queue(channel: str) -> str:
    return f"channel_{channel}"


@dataclass(frozen=True, slots=True)
class QueuePlan:
    poll: float  # seconds between two looks at the least; and at the most, where nobody would tell of work
    workers: int  # at once, in one process
    one_per_partition: bool = False  # at once, over all processes


# Few queues: each costs a polling thread and 2-3 statements a poll.
PLANS: Mapping[str, QueuePlan] = {
    INTERACTIVE: QueuePlan(poll=0.05, workers=6),
    # Feishu's limits are kept in bot/outgoing/sending.py: a limiter here makes the engine look at each partition by
    # itself.
    CARDS: QueuePlan(poll=0.05, workers=16, one_per_partition=True),
    channel_queue("wechatpay"): QueuePlan(poll=0.1, workers=4),
    BULK: QueuePlan(poll=1.0, workers=2),
}

_PAUSE = 2.0  # seconds
_MOMENT = 2  # seconds
_SILENT = timedelta(seconds=30)
_IDLE = 15.0  # seconds for which a job may be ours by the book and yet not run: it begins, or its end is being written
_DEAD = 45.0  # seconds without a look, which is many pauses
_HANDED_ON = "~~"
_LATER, _MOST_HANDED_ON = 5.0, 30  # seconds, doubled each time up to five minutes; that is about two hours


class Stopped(BaseException):
    """The engine is not running (any more). No handler catches it: a job it ends stays to be done after a restart."""


class Engine:
    """Accepts work, and where `execute` is set runs it. One per process: DBOS keeps global state.

    `poll`: seconds between two looks for work that nobody told of, for all queues. By default two on SQLite, which is
    for one process; on PostgreSQL two while other processes can be heard, and as the plans say while not.
    """

    def __init__(self, database: Database, executor: str, poll: float | None = None) -> None:
        self._database = database
        self._executor = executor
        self._poll = _PAUSE if poll is None and database.is_sqlite else poll
        self._process = f"{executor}/{secrets.token_hex(4)}"
        self._listener: Listener | None = None
        self._wakeups = Wakeups(
            {name: plan.poll for name, plan in PLANS.items()},
            places={name: plan.workers for name, plan in PLANS.items() if not plan.one_per_partition},
            tell=None if database.is_sqlite else self._notify,
            informed=lambda: self.hears,
            pause=_PAUSE if poll is None else 0.0,
        )
        self._jobs: dict[str, Job] = {}
        self.on_failure: OnFailure | None = None
        self._client: DBOSClient | None = None
        self._sender: DBOSClient | None = None
        self._running = False
        self._stop = threading.Event()
        self._pulse: threading.Thread | None = None
        self._in_hand: set[str] = set()
        self._idle: dict[str, float] = {}
        self._peers = 1

    def register(self, name: str, job: Job) -> None:
        if self._jobs.setdefault(name, job) is not job:
            raise ValueError(f"two jobs are called {name!r}")

    @property
    def running(self) -> bool:
        return self._running

    @property
    def looks_for_work(self) -> bool:
        """Whether it runs and its queues were all looked at lately, whether they had anything or not."""
        return self._running and self._wakeups.longest_without_a_look() < _DEAD

    @property
    def hears(self) -> bool:
        """Whether work of other processes is told to this one just now, so that queues need hardly be looked at."""
        return self._listener is None or self._listener.hears

    @property
    def peers(self) -> int:
        """How many processes execute work just now, this one included."""
        return self._peers

    def migrate(self) -> None:
        """Create or upgrade the engine's own tables; a process that only accepts work needs them to be there.

        Launches nothing: a launched DBOS listens to its internal queue at least, and would take up work.
        """
        DBOS.migrate(self._database.url.render_as_string(hide_password=False))
        client = self._new_client(self._database.system)
        try:
            self._queues(client.register_queue)
        finally:
            client.destroy()

    def start(self, *, execute: bool) -> None:
        global _current
        # First what jobs hand work over with: those that a predecessor left begin while the rest still starts.
        self._client = self._new_client(self._database.system)
        # For what is handed over in our own transactions. DBOS keeps its statements ready-made only for the connections
        # that a client was made with; on PostgreSQL that halves the time of handing over.
        self._sender = self._new_client(self._database.writer)
        if execute:
            _current = self
            instance = self._instance()
            self._sign_of_life()
            self._wakeups.begin()
            DBOS.launch()
            self._wakeups.watch(instance._active_workflows_set)
            # There is one version for ever, so it need not be looked up at each look for work.
            instance._sys_db._is_latest_version = _is_ours  # type: ignore[method-assign]  # it has no setting for this
            self._queues(DBOS.register_queue)
            self._running = True
            if not self._database.is_sqlite:
                self._listener = Listener(self._database, self._process, self._wakeups.wake)
                self._listener.start()
            self._pulse = threading.Thread(target=self._beat, name="engine-heartbeat", daemon=True)
            self._pulse.start()

    def stop(self, grace: int = 10) -> None:
        """Take no new work, wait up to `grace` seconds for what is in hand. What is not finished is done later."""
        self._stop.set()
        if self._running:
            # First the workers, then what they enqueue with: a job that ends now may still have something to say.
            DBOS.destroy(workflow_completion_timeout_sec=grace)
            self._running = False
            if self._pulse is not None:
                self._pulse.join(timeout=5)
            if self._listener is not None:
                self._listener.stop()
        for client in (self._client, self._sender):
            if client is not None:
                client.destroy()
        self._client = self._sender = None

    def enqueue(
        self,
        session: Session,
        job: str,
        id: str,
        payload: Payload,
        *,
        queue: str = INTERACTIVE,
        partition: str | None = None,
        priority: int = URGENT,
    ) -> None:
        """Hand over work within the caller's transaction: no commit, no work. A known id changes nothing."""
        if self._sender is None:
            raise Stopped("the engine is not running")
        options = _options(id, queue)
        if partition is not None:
            options["queue_partition_key"] = partition
        if priority != URGENT:
            options["priority"] = priority
        self._sender.enqueue_in_transaction(session, cast(Any, options), job, dict(payload))
        self._wakeups.after(session, queue)

    def run(self, job: str, payload: Payload) -> None:
        """Run a job now, repeating it while the database or a race is at fault; called by the workflow."""
        work = self._jobs[job]
        try:
            retrying()(work, payload)
        except Exception:
            incident = new_incident()
            log.exception("job.failed", job=job, incident=incident, payload_keys=sorted(payload))
            self._tell(job, payload, incident)

    def _tell(self, job: str, payload: Payload, incident: str) -> None:
        if self.on_failure is not None:
            try:
                self.on_failure(job, payload, incident)
            except Exception:
                log.exception("job.failure_not_told", job=job, incident=incident)

    def knows(self, job: str) -> bool:
        return job in self._jobs

    def hand_on(self, id: str, job: str, payload: Payload) -> None:
        """Leave a job that this version does not know for later: while two versions run, the other one may know it.

        The same id never runs twice, so it comes again under one that counts how often it was handed on.
        """
        first, _, times = id.partition(_HANDED_ON)
        often = int(times or 0) + 1
        if self._client is None:
            raise Stopped("the engine is not running")
        if often > _MOST_HANDED_ON:
            incident = new_incident()
            log.error("job.unknown", job=job, incident=incident, given_up=True)
            self._tell(job, payload, incident)
            return
        delay = min(_LATER * 2 ** (often - 1), 300.0)
        log.error("job.unknown", job=job, again_in_seconds=delay, times=often)
        options = {**_options(f"{first}{_HANDED_ON}{often}", BULK), "delay_seconds": delay}
        self._client.enqueue(cast(Any, options), job, dict(payload))

    def rescue(self) -> int:
        """Give the work of processes that fell silent to the living ones (docs/decisions/0001-dbos-as-engine.md).

        A false alarm does no harm: jobs look at their rows first, and the engine lets one owner checkpoint.
        """
        if self._client is None:
            return 0
        now = datetime.now(UTC)
        with self._database.read() as session:
            silent = [name for name in Schedules(session).silent(now - _SILENT) if name != self._executor]
        rescued = 0
        for executor in silent:
            left = self._client.list_workflows(
                status="PENDING", executor_id=executor, load_input=False, load_output=False
            )
            by_queue: dict[str | None, list[str]] = {}
            for workflow in left:
                by_queue.setdefault(workflow.queue_name, []).append(workflow.workflow_id)
            for queue, ids in by_queue.items():
                self._client.resume_workflows(ids, queue_name=queue)
                rescued += len(ids)
            with self._database.write() as session:
                Schedules(session).buried(executor)
            log.warning("engine.rescued", executor=executor, jobs=len(left))
        rescued += self._unstick(self._client)
        if rescued:
            self._wakeups.wake()
        return rescued

    @contextmanager
    def in_hand(self, id: str) -> Iterator[None]:
        """Know that this job runs here now."""
        self._in_hand.add(id)
        try:
            yield
        finally:
            self._in_hand.discard(id)

    def _unstick(self, client: DBOSClient) -> int:
        """Start again what is ours and does not run: its end could not be written, as on a full disk.

        DBOS leaves such a job pending until the next start of the process, and with it all of its partition.
        """
        if not self._running:
            return 0
        ours = client.list_workflows(status="PENDING", executor_id=self._executor, load_input=False, load_output=False)
        now = time.monotonic()
        idle = {workflow.workflow_id: workflow for workflow in ours if workflow.workflow_id not in self._in_hand}
        self._idle = {id: self._idle.get(id, now) for id in idle}
        stuck = [id for id, since in self._idle.items() if now - since > _IDLE]
        for id in stuck:
            client.resume_workflows([id], queue_name=idle[id].queue_name)
            del self._idle[id]
        if stuck:
            log.warning("engine.unstuck", jobs=len(stuck))
        return len(stuck)

    def forget(self, before: datetime) -> int:
        """Delete records of work finished before `before`; DBOS keeps them for ever."""
        if self._client is None:
            return 0
        gone = 0
        while True:
            done = self._client.list_workflows(
                completed_before=before.isoformat(), limit=1000, load_input=False, load_output=False
            )
            if done:
                self._client.delete_workflows([workflow.workflow_id for workflow in done])
                gone += len(done)
            if len(done) < 1000:
                return gone

    def clear(self) -> int:
        """Drop all work, waiting and done: for a database whose rows are about to be replaced."""
        if self._client is None:
            raise RuntimeError("the engine was not started")
        gone = 0
        while found := self._client.list_workflows(limit=2000, load_input=False, load_output=False):
            self._client.delete_workflows([workflow.workflow_id for workflow in found])
            gone += len(found)
        return gone

    def _notify(self, session: Session, queues: Sequence[str]) -> None:
        # Notifying transactions are committed one at a time by the server, so none does where nobody would listen.
        # Who began a moment ago looks by itself, and this process has the work before it anyway.
        if not self._running or self._peers > 1:
            notify(session, self._process, queues)

    @property
    def wakeups(self) -> Wakeups:
        return self._wakeups

    def _instance(self) -> DBOS:
        config: DBOSConfig = {
            "name": NAME,
            "system_database_engine": self._database.system,
            "system_database_url": self._database.url.render_as_string(hide_password=False),
            "application_version": VERSION,
            "executor_id": self._executor,
            "serializer": serializer(),
            "log_level": "WARNING",
            "max_executor_threads": 40,
            "notification_listener_polling_interval_sec": 0.2,  # nothing of ours is notified; stopping waits for it
        }
        instance = DBOS(config=config)
        DBOS.listen_queues(list(PLANS))
        return instance

    def _new_client(self, connections: SqlEngine) -> DBOSClient:
        """It takes no connection before it is asked for something."""
        return DBOSClient(system_database_engine=connections, serializer=serializer(), application_name=NAME, lazy=True)

    def plan(self, queue: _queue.Queue) -> None:
        """Have a thread keep to our own plan of its queue. Else it reads at each look what some process wrote last."""
        plan = PLANS.get(queue.name)
        if plan is not None:
            queue.database_backed_queue = False
            queue._worker_concurrency, queue._polling_interval_sec = plan.workers, self._poll_of(plan)
            queue._partition_concurrency = 1 if plan.one_per_partition else None

    def _poll_of(self, plan: QueuePlan) -> float:
        return plan.poll if self._poll is None else self._poll

    def _queues(self, register: Callable[..., object]) -> None:
        for name, plan in PLANS.items():
            options: dict[str, Any] = {
                "worker_concurrency": plan.workers,
                "polling_interval_sec": self._poll_of(plan),
            }
            if plan.one_per_partition:
                options["partition_concurrency"] = 1
            register(name, on_conflict="always_update", **options)

    def _sign_of_life(self) -> None:
        now = datetime.now(UTC)
        with self._database.write() as session:
            schedules = Schedules(session)
            schedules.beat(self._executor, now)
            session.flush()
            self._peers = max(1, len(schedules.alive(now - _SILENT)))

    def _beat(self) -> None:
        # What a predecessor left is put back into its queues by a thread of DBOS's own, within a moment of the start.
        for _ in range(_MOMENT * 10):
            self._wakeups.wake()
            if self._stop.wait(0.1):
                return
        while not self._stop.wait(5):
            try:
                self._sign_of_life()
            except DBAPIError as error:
                log.warning("engine.heartbeat_failed", error=type(error).__name__)


_current: Engine | None = None
_plain_worker = _queue.queue_worker_thread


def _woken_worker(stop_event: threading.Event, dbos: DBOS, queue: _queue.Queue) -> None:
    """DBOS's own loop over a queue; only what it waits for between two polls is ours."""
    sleep: object = stop_event
    if _current is not None:
        _current.plan(queue)
        sleep = _current.wakeups.sleeping(stop_event, queue.name)
    _plain_worker(cast(threading.Event, sleep), dbos, queue)


def _claimed(dbos: DBOS, status: Any, owner_xid: str) -> Any:
    """DBOS's own way to begin a job that was just claimed; it counts from here on."""
    id = status["workflow_uuid"]
    if _current is not None and status["status"] == "PENDING":  # else it moved on since, and no thread begins
        _current.wakeups.claimed(status["queue_name"], id)
    try:
        return _begin(dbos, status, owner_xid)
    except BaseException:
        if _current is not None:
            _current.wakeups.not_begun(id)
        raise


_queue.queue_worker_thread = _woken_worker
vars(_sys_db)["time"] = ShortSleeps()
forbid_pickle()
_begin = vars(_queue)["execute_dequeued_workflow"]  # as it is without pickle
vars(_queue)["execute_dequeued_workflow"] = _claimed


def _is_ours(app_version: str, c: object = None) -> bool:
    return app_version == VERSION


def _options(id: str, queue: str) -> dict[str, Any]:
    return {"workflow_name": WORKFLOW, "queue_name": queue, "workflow_id": id, "app_version": VERSION}


@DBOS.workflow(name=WORKFLOW, max_recovery_attempts=100)
def _workflow(job: str, payload: dict[str, Any]) -> None:
    if _current is None:
        raise RuntimeError("no engine is running in this process")
    id = str(DBOS.workflow_id)
    with _current.in_hand(id):
        if _current.knows(job):
            _current.run(job, payload)
        else:
            _current.hand_on(id, job, payload)
