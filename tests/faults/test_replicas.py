"""A web process and two workers on one PostgreSQL: one dies, all of them see the clock, one is told to stop."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.company import GROUP
from sandbox.faults import CallFault, Fault
from tests.faults.path import nudged, settle, whole
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff, Ticket
from tests.faults.stage import Fleet, wait_for

pytestmark = pytest.mark.timeout(420)  # processes start and stop; a busy machine takes its time


class AsUsual(Fleet):
    """With the pauses between two looks at a queue that a deployment has."""

    SPARING = False


@pytest.fixture(scope="module")
def fleet(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with AsUsual(tmp_path_factory.mktemp("fleet") / "stage", postgres.database()) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def staff(fleet: Fleet) -> Staff:
    return Staff(fleet.sandbox, fleet.company, random.Random(7))


def busy(fleet: Fleet, ticket: Ticket) -> str:
    """The worker that reads a complaint, which the sandbox answers slowly."""
    job = f"sync-{ticket.complaint_id}"
    query = "SELECT executor_id FROM dbos.workflow_status WHERE status = 'PENDING' AND workflow_uuid LIKE :job"
    wait_for(lambda: fleet.asked(query, job=f"{job}%"), 20, "a worker to take it")
    return fleet.asked(query, job=f"{job}%")[0]


def test_several_complaints_keep_their_order(fleet: Fleet, staff: Staff) -> None:
    """Two workers send to one chat: the auditor compares the order of what was written with what stands there."""
    for _ in range(4):
        staff.complaint()
    staff.work_off(240, nudged(fleet))
    whole(fleet, staff)


def test_a_digest_is_sent_once(fleet: Fleet, staff: Staff) -> None:
    clock = fleet.sandbox.world.clock
    morning = clock.now().astimezone(UTC).replace(hour=1, minute=0, second=3)  # 09:00 in Shanghai
    clock.advance(morning + timedelta(days=1) - clock.now())

    def digests() -> list[str]:
        with fleet.sandbox.world.lock:
            cards = [m for m in fleet.sandbox.feishu.store.in_chat(GROUP) if m.is_card]
            titles = [str(card.content["header"]["title"]["content"]) for card in cards]
        return [title for title in titles if "日报" in title]

    wait_for(digests, 20, "the digest")
    time.sleep(2.5)  # both workers look at the clock every second
    assert len(digests()) == 1
    assert settle(fleet) == []


def test_a_worker_told_to_stop_finishes_what_is_in_hand(fleet: Fleet, staff: Staff) -> None:
    fleet.sandbox.world.faults.add(Fault("wechatpay", CallFault.LATE, "/complaints-v2/", seconds=4.0))
    name = busy(fleet, staff.complaint())
    process = fleet.workers[name]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 0
    assert fleet.in_hand(name) == []
    del fleet.workers[name]
    fleet.restart()
    staff.work_off(240, nudged(fleet))
    whole(fleet, staff)


def test_the_work_of_a_dead_worker_is_taken_over_within_a_minute(fleet: Fleet, staff: Staff) -> None:
    fleet.sandbox.world.faults.add(Fault("wechatpay", CallFault.LATE, "/complaints-v2/", seconds=6.0))
    ticket = staff.complaint()
    name = busy(fleet, ticket)
    fleet.workers[name].kill()
    fleet.workers[name].wait()
    died = datetime.now(UTC)
    wait_for(lambda: staff.cards(ticket), 60, "the complaint's card", every=0.3)
    assert datetime.now(UTC) - died < timedelta(seconds=60)
    staff.work_off(240, nudged(fleet))
    whole(fleet, staff)
