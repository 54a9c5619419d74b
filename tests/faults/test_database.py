"""The database goes away, is held by others, is damaged or full: nothing is lost, and the bot says what is wrong."""

from __future__ import annotations

import random
import resource
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from sandbox.company import MERCHANT
from sandbox.faults import CallFault, Fault
from tests.faults.path import nudged, run, whole
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff
from tests.faults.stage import APP, Stage, wait_for

pytestmark = pytest.mark.timeout(420)  # processes start and stop; a busy machine takes its time


def test_postgres_is_restarted_and_connections_are_cut(
    tmp_path: Path, postgres: Postgres, chance: random.Random
) -> None:
    over = threading.Event()

    def cut_and_restart() -> None:
        if not over.wait(3):
            postgres.cut()
        if not over.wait(3):
            postgres.restart()
        if not over.wait(4):
            postgres.cut()

    with Stage(tmp_path / "stage", postgres.database()) as stage:
        striker = threading.Thread(target=cut_and_restart, daemon=True)
        striker.start()
        staff = run(stage, chance, complaints=2)
        over.set()
        striker.join(timeout=60)
        whole(stage, staff)
        assert stage.strikes == []


def test_after_a_long_outage_new_work_is_done_at_once(
    tmp_path: Path, postgres: Postgres, chance: random.Random
) -> None:
    """Jobs whose end falls into the outage fill all places of their queue; they must not hold up what comes after."""
    with Stage(tmp_path / "stage", postgres.database()) as stage:
        staff = Staff(stage.sandbox, stage.company, chance)
        slow = Fault("wechatpay", CallFault.LATE, "/complaints-v2/", times=4, seconds=4.0)
        stage.sandbox.world.faults.add(slow)
        for _ in range(4):
            staff.complaint()
        wait_for(lambda: slow.struck == 4, 20, "all four to be read")
        postgres.stop()
        time.sleep(33)  # pauses that are doubled from a second on would now last for half a minute
        postgres.start()
        wait_for(stage.ready, 20, "the bot to see its database")
        late = staff.complaint()
        wait_for(lambda: staff.cards(late), 12, "the card of what came afterwards")
        staff.work_off(240, nudged(stage))
        whole(stage, staff)


def test_a_bot_that_starts_before_its_database_waits_for_it(
    tmp_path: Path, postgres: Postgres, chance: random.Random
) -> None:
    """As after a power cut of the whole machine; what came in before is worked off."""
    with Stage(tmp_path / "stage", postgres.database()) as stage:
        staff = Staff(stage.sandbox, stage.company, chance)
        stage.sandbox.world.faults.add(Fault("wechatpay", CallFault.DOWN, times=-1))
        staff.complaint()
        stage.pause()
        log = stage.folder / "bot.log"
        before = len(log.read_bytes())
        postgres.stop()
        starting = threading.Thread(target=stage.restart, daemon=True)
        try:
            starting.start()
            wait_for(lambda: b"at most for the database" in log.read_bytes()[before:], 30, "it to say that it waits")
        finally:
            postgres.start()
        starting.join(timeout=60)
        assert stage.ready()
        stage.sandbox.world.faults.clear()
        staff.work_off(240, nudged(stage))
        whole(stage, staff)


def test_sqlite_file_is_held_by_another_process_for_ten_seconds(tmp_path: Path, chance: random.Random) -> None:
    with Stage(tmp_path / "stage") as stage:
        staff = Staff(stage.sandbox, stage.company, chance)
        staff.complaint()
        wait_for(lambda: staff.cards(staff.tickets[0]), 30, "the card")
        other = sqlite3.connect(stage.folder / "mpops.db", isolation_level=None, timeout=30)
        other.execute("BEGIN IMMEDIATE")
        held = time.monotonic()
        second = staff.complaint()
        click = stage.sandbox.feishu.click_button(
            stage.company.operator.open_id, staff.cards(staff.tickets[0])[0].message_id, "认领"
        )
        assert not click.ok  # the client says so itself, within its 3 s
        time.sleep(max(0.0, 10 - (time.monotonic() - held)))
        assert staff.cards(second) == []
        other.execute("ROLLBACK")
        other.close()
        staff.work_off(240, nudged(stage))
        whole(stage, staff)


def test_a_damaged_sqlite_file_is_refused_with_a_clear_text(tmp_path: Path, chance: random.Random) -> None:
    with Stage(tmp_path / "stage") as stage:
        stage.sandbox.wechatpay.customer_complains(MERCHANT, None, "没有订单的投诉", problem_type="OTHERS")
        environment = stage.environment()
        file = stage.folder / "mpops.db"
        stage.pause()
        for name in ("mpops.db-wal", "mpops.db-shm"):
            (stage.folder / name).unlink(missing_ok=True)
        content = bytearray(file.read_bytes())
        for place in range(4096, len(content), 4096):  # every page but the first: the header still looks right
            content[place : place + 64] = bytes(chance.randrange(256) for _ in range(64))
        file.write_bytes(content)
        started = subprocess.run(
            [*APP, "serve"], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
    assert started.returncode != 0
    assert "Traceback" not in started.stderr
    assert "restore" in started.stderr


def test_a_full_disk_loses_nothing(tmp_path: Path, chance: random.Random) -> None:
    """The file may not grow any more for a while; what cannot be stored is not acknowledged and comes again."""
    with Stage(tmp_path / "stage") as stage:
        staff = Staff(stage.sandbox, stage.company, chance)
        # The card stands there a second before the bot hears of it: the disk is full when the job wants to end.
        stage.sandbox.world.faults.add(Fault("feishu", CallFault.LATE, "/im/v1/messages", seconds=1.0))
        staff.complaint()
        wait_for(lambda: staff.cards(staff.tickets[0]), 30, "the card")
        process = stage.process()
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        second = staff.complaint()
        time.sleep(3)
        assert staff.cards(second) == []
        assert stage.alive()
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        staff.work_off(240, nudged(stage))
        whole(stage, staff)
