"""A worker stands still, as when a virtual machine is moved, while its work is taken over; then it goes on.

That is when things happen twice, if they ever do.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import make_url

from sandbox.faults import CallFault, Fault
from tests.faults.path import whole, working
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff
from tests.faults.stage import Fleet, wait_for

pytestmark = pytest.mark.timeout(420)  # a worker counts as lost after half a minute, and there are several of these
_TAKEN_OVER = 90.0  # seconds; how soon it must be is tried in test_replicas.py


@pytest.fixture
def fleet(postgres: Postgres, tmp_path: Path) -> Iterator[Fleet]:
    with Fleet(tmp_path / "stage", postgres.database()) as fleet:
        yield fleet


@contextmanager
def frozen(fleet: Fleet, name: str) -> Iterator[None]:
    """As when a virtual machine is moved: nothing of that process runs, and its connections stay open."""
    fleet.workers[name].send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        fleet.workers[name].send_signal(signal.SIGCONT)


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
        wait_for(lambda: fault.struck and fleet.in_hand(name, jobs), 90, "the call to be made", every=0.02)
    finally:
        other.send_signal(signal.SIGCONT)
    with frozen(fleet, name):
        wait_for(lambda: not fleet.in_hand(name), _TAKEN_OVER, "its work to be taken over", every=0.3)
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
        if fleet.asked(holding) != ["0"]:
            break
        worker.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    try:
        people.join(timeout=150)
        assert not people.is_alive(), "the other one waits for a lock that nobody gives back"
    finally:
        worker.send_signal(signal.SIGCONT)
    whole(fleet, staff)
