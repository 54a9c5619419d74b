"""Two workers that lose sight of each other: one is cut off from PostgreSQL, or lives at another time."""

from __future__ import annotations

import random
import time
from datetime import UTC, timedelta
from pathlib import Path

import pytest

from sandbox.company import GROUP
from sandbox.faults import CallFault, Fault
from tests.faults.path import nudged, whole, working
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff
from tests.faults.stage import Fleet, wait_for
from tests.faults.wire import Wire
from tests.hours import until_next

pytestmark = pytest.mark.timeout(420)  # a worker counts as lost after half a minute


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
        wait_for(lambda: fleet.in_hand("worker-0"), 90, "it to have something in hand", every=0.02)
        wire.cut()
        wait_for(lambda: not fleet.in_hand("worker-0"), 90, "its work to be taken over", every=0.3)
        people.join(timeout=150)
        assert not people.is_alive(), "the other one does not get on alone"
        wire.mend()
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
        clock = fleet.sandbox.world.clock
        # From noon in Shanghai on: what is left of a day that is due at ten would be told twice in the same words.
        clock.advance(until_next(clock.now().astimezone(UTC), 4))
        staff = Staff(fleet.sandbox, fleet.company, random.Random(6))
        for _ in range(3):
            staff.complaint()
        staff.work_off(240, nudged(fleet))
        whole(fleet, staff)
        late = staff.complaint()  # nobody touches it: reminders come, and the digest
        wait_for(lambda: staff.cards(late), 30, "its card")
        before = digests(fleet)  # of the morning that the way to noon crossed
        clock.advance(until_next(clock.now().astimezone(UTC), 0, 57, 30))  # shortly before 09:00 in Shanghai
        for _ in range(8):
            time.sleep(1.5)
            clock.advance(timedelta(seconds=40))
        said = written(fleet)
        assert digests(fleet) == before + 1
        reminders = [one for one in said if "首次回复" in one and "C4" in one and "还剩" in one]
        assert len(reminders) == len(set(reminders)) <= 2
        staff.work_off(240, nudged(fleet))
        whole(fleet, staff)


def digests(fleet: Fleet) -> int:
    return sum("日报" in one for one in written(fleet))


def written(fleet: Fleet) -> list[str]:
    """Titles of the cards and texts of the messages that stand in the group."""
    with fleet.sandbox.world.lock:
        return [
            str(one.content["header"]["title"]["content"]) if one.is_card else str(one.content.get("text", ""))
            for one in fleet.sandbox.feishu.store.in_chat(GROUP)
        ]
