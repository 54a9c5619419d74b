"""Two workers that lose sight of each other: one is frozen, or cut off from PostgreSQL, or lives at another time.

The other one takes over what the lost one has in hand; then the lost one comes back and goes on where it was. That is
when things happen twice, if they ever do.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from sandbox.company import GROUP
from sandbox.faults import CallFault, Fault
from tests.faults.path import nudged, whole
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff
from tests.faults.stage import Fleet, wait_for
from tests.faults.wire import Wire

pytestmark = pytest.mark.timeout(420)  # a worker counts as lost after half a minute, and there are several of these
_TAKEN_OVER = 60.0  # seconds


@pytest.fixture
def fleet(postgres: Postgres, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path / "stage", postgres.database()) as fleet:
        yield fleet


def asked(fleet: Fleet, query: str, **params: object) -> list[str]:
    engine = create_engine(fleet.database_url)
    with engine.connect() as connection:
        rows = connection.execute(text(query), params).all()
    engine.dispose()
    return [str(row[0]) for row in rows]


def in_hand(fleet: Fleet, name: str, jobs: str = "%") -> list[str]:
    """The jobs that this worker has begun and not ended, by the book."""
    query = "SELECT workflow_uuid FROM dbos.workflow_status WHERE status = 'PENDING' AND executor_id = :name"
    return asked(fleet, f"{query} AND workflow_uuid LIKE :jobs", name=name, jobs=jobs)


@contextmanager
def frozen(fleet: Fleet, name: str) -> Iterator[None]:
    """As when a virtual machine is moved: nothing of that process runs, and its connections stay open."""
    fleet.workers[name].send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        fleet.workers[name].send_signal(signal.SIGCONT)


def working(fleet: Fleet, staff: Staff, complaints: int) -> threading.Thread:
    """People at work beside what the test does."""
    for _ in range(complaints):
        staff.complaint()
    thread = threading.Thread(target=staff.work_off, args=(300, nudged(fleet)), daemon=True)
    thread.start()
    return thread


@contextmanager
def lost(fleet: Fleet, name: str, jobs: str, how: Callable[[], object], back: Callable[[], object]) -> Iterator[None]:
    """Lose that worker while it has such a job in hand, and get it back when the others have taken that over."""
    wait_for(lambda: in_hand(fleet, name, jobs), 90, f"{name} to have {jobs} in hand", every=0.02)
    how()
    try:
        wait_for(lambda: not in_hand(fleet, name), _TAKEN_OVER, "its work to be taken over", every=0.3)
        yield
    finally:
        back()


@pytest.mark.parametrize("call", ["/refund/domestic", "/response"])
def test_a_worker_comes_back_whose_call_was_taken_over(fleet: Fleet, call: str) -> None:
    """Frozen between the call's effect and its answer: the money is on its way, the customer was answered."""
    staff = Staff(fleet.sandbox, fleet.company, random.Random(3))
    jobs = {"/refund/domestic": "refund-%", "/response": "reply-%"}[call]
    name = "worker-0"
    other = fleet.workers["worker-1"]
    other.send_signal(signal.SIGSTOP)  # so that it is worker-0 that gets the job
    fault = fleet.sandbox.world.faults.add(Fault("wechatpay", CallFault.LATE, call, seconds=4.0))
    people = working(fleet, staff, 1)
    try:
        wait_for(lambda: fault.struck and in_hand(fleet, name, jobs), 90, "the call to be made", every=0.02)
    finally:
        other.send_signal(signal.SIGCONT)
    with frozen(fleet, name):
        wait_for(lambda: not in_hand(fleet, name), _TAKEN_OVER, "its work to be taken over", every=0.3)
        people.join(timeout=120)
        assert not people.is_alive(), "the other one does not get on alone"
    whole(fleet, staff)


class Named(Fleet):
    """The server knows the connections of the workers by name."""

    def settings_of(self, executor: str) -> dict[str, str]:
        url = make_url(self.database_url).update_query_dict({"application_name": executor})
        return {"MPOPS_DATABASE_URL": url.render_as_string(hide_password=False)}


def test_a_worker_frozen_in_a_transaction_holds_nobody_up_for_long(postgres: Postgres, tmp_path: Path) -> None:
    """It holds locks of rows that the others need, and its connection is alive: nobody but the server can end that."""
    with Named(tmp_path / "stage", postgres.database()) as fleet:
        _frozen_in_a_transaction(fleet)


def _frozen_in_a_transaction(fleet: Fleet) -> None:
    staff = Staff(fleet.sandbox, fleet.company, random.Random(4))
    people = working(fleet, staff, 4)
    worker = fleet.workers["worker-0"]
    holding = (
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction' AND backend_xid IS NOT NULL"
        " AND application_name = 'worker-0'"
    )
    until = time.monotonic() + 90
    while True:
        assert time.monotonic() < until, "it was never caught in a transaction"
        worker.send_signal(signal.SIGSTOP)
        time.sleep(0.1)  # what it sent last has arrived
        if asked(fleet, holding) != ["0"]:
            break
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    try:
        people.join(timeout=150)
        assert not people.is_alive(), "the other one waits for a lock that nobody gives back"
    finally:
        worker.send_signal(signal.SIGCONT)
    whole(fleet, staff)


class CutOff(Fleet):
    """One of the workers has a line of its own to the database."""

    def __init__(self, folder: Path, database: str, wire: Wire) -> None:
        super().__init__(folder, database)
        self._wire = wire

    def settings_of(self, executor: str) -> dict[str, str]:
        return {"MPOPS_DATABASE_URL": self._wire.url} if executor == "worker-0" else {}


def test_a_worker_that_was_cut_off_comes_back(postgres: Postgres, tmp_path: Path) -> None:
    """Its calls to the platforms get through, its news do not get into the database; the others see it as dead."""
    database = postgres.database()
    with Wire(database) as wire, CutOff(tmp_path / "stage", database, wire) as fleet:
        staff = Staff(fleet.sandbox, fleet.company, random.Random(5))
        fleet.sandbox.world.faults.add(Fault("wechatpay", CallFault.LATE, times=40, seconds=0.5))
        people = working(fleet, staff, 3)
        with lost(fleet, "worker-0", "%", wire.cut, wire.mend):
            people.join(timeout=150)
            assert not people.is_alive(), "the other one does not get on alone"
        assert fleet.workers["worker-0"].poll() is None, "it ended instead of waiting"
        staff.complaint()
        staff.work_off(240, nudged(fleet))
        whole(fleet, staff)


class Apart(Fleet):
    """One of the workers lives at another time."""

    def __init__(self, folder: Path, database: str, ahead: timedelta) -> None:
        super().__init__(folder, database)
        self._ahead = ahead
        self._own = self.folder / "clock-of-worker-0"
        self.sandbox.world.clock.on_change(self._follow)
        self._follow()

    def _follow(self) -> None:
        fresh = self._own.with_suffix(".new")
        fresh.write_text(f"{(self.sandbox.world.clock.offset + self._ahead).total_seconds():.3f}")
        fresh.replace(self._own)

    def settings_of(self, executor: str) -> dict[str, str]:
        return {"MPOPS_CLOCK_OFFSET_FILE": str(self._own)} if executor == "worker-0" else {}


@pytest.mark.parametrize("ahead", [timedelta(seconds=100), timedelta(seconds=-100)])
def test_workers_whose_clocks_are_apart(postgres: Postgres, tmp_path: Path, ahead: timedelta) -> None:
    """What is due comes twice, a minute and a half apart, and is done once."""
    with Apart(tmp_path / "stage", postgres.database(), ahead) as fleet:
        staff = Staff(fleet.sandbox, fleet.company, random.Random(6))
        for _ in range(3):
            staff.complaint()
        staff.work_off(240, nudged(fleet))
        whole(fleet, staff)
        late = staff.complaint()  # nobody touches it: reminders come, and the digest
        wait_for(lambda: staff.cards(late), 30, "its card")
        clock = fleet.sandbox.world.clock
        morning = clock.now().astimezone(UTC).replace(hour=1, minute=0, second=0)  # 09:00 in Shanghai
        clock.advance(morning + timedelta(days=1) - timedelta(seconds=150) - clock.now())
        for _ in range(8):
            time.sleep(1.5)
            clock.advance(timedelta(seconds=40))
        said = written(fleet)
        assert sum("日报" in one for one in said) == 1
        reminders = [one for one in said if "首次回复" in one and "C4" in one and "还剩" in one]
        assert len(reminders) == len(set(reminders)) <= 2
        staff.work_off(240, nudged(fleet))
        whole(fleet, staff)


def written(fleet: Fleet) -> list[str]:
    """Titles of the cards and texts of the messages that stand in the group."""
    with fleet.sandbox.world.lock:
        return [
            str(one.content["header"]["title"]["content"]) if one.is_card else str(one.content.get("text", ""))
            for one in fleet.sandbox.feishu.store.in_chat(GROUP)
        ]
