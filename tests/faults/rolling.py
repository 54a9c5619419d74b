"""Two versions on one PostgreSQL: processes of the next are started beside those of the one before, and take over."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from pathlib import Path

import httpx

from sandbox.ports import free_port
from tests.faults.path import nudged
from tests.faults.staff import Staff
from tests.faults.stage import Fleet, wait_for


class Rolling(Fleet):
    """One web process and one worker of the version before (`app`), and those of the next as they are rolled out."""

    def __init__(self, folder: Path, database: str, app: Sequence[str], following: Sequence[str]) -> None:
        super().__init__(folder, database, workers=("worker-0",), app=app)
        self.following = list(following)

    def start_worker(self, executor: str) -> None:
        """One of the next version."""
        self.workers[executor] = self.spawn(executor, "worker", app=self.following)
        wait_for(lambda: executor in self.living(), 60, f"{executor} to work")

    def stop_worker(self, executor: str) -> None:
        process = self.workers.pop(executor)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0

    def replace_web(self) -> None:
        """The next one beside the old, the load balancer turned over, then the old one is told to stop."""
        old, self.bot_port = self.process(), free_port()
        self._bot = self.spawn("web-1", "serve", "--web-only", app=self.following)
        wait_for(self.ready, 60, "the next web process to be ready")
        self.connect()
        old.send_signal(signal.SIGTERM)
        assert old.wait(timeout=40) == 0

    def living(self) -> list[str]:
        """The executors that gave a sign of life in the last seconds."""
        return self.asked("SELECT executor FROM heartbeat WHERE seen_at > (now() AT TIME ZONE 'UTC') - interval '12 s'")


def roll(fleet: Rolling, staff: Staff, schema: str) -> None:
    """Roll the next version out, and a part of the way back, while people work; they finish what there is.

    `schema`: that of the next version.
    """
    failures: list[BaseException] = []
    rolled = threading.Event()

    def work() -> None:
        try:
            while not rolled.is_set():
                staff.work_off(200, nudged(fleet))
            staff.work_off(200, nudged(fleet))
        except BaseException as error:
            failures.append(error)

    people = threading.Thread(target=work)
    people.start()
    try:
        migrated = fleet.cli("migrate", app=fleet.following)
        assert migrated.stdout == f"The database is at schema {schema}.\n", migrated.stderr
        # What runs of the old version goes on, on the newer schema.
        assert httpx.get(f"{fleet.bot_url}/readyz", trust_env=False).status_code == 200
        fleet.start_worker("worker-1")
        staff.complaint()  # for whichever of the two versions takes it
        fleet.stop_worker("worker-0")
        fleet.replace_web()
        staff.complaint()
        # A process of the old version that is started now, as a supervisor or a way back does it, works too.
        fleet.stop_worker("worker-1")
        fleet.workers["worker-0"] = fleet.spawn("worker-0", "worker")
        wait_for(lambda: "worker-0" in fleet.living(), 60, "the old version to work again")
        again = fleet.cli("migrate")
        assert again.returncode == 0, again.stderr
        assert schema in again.stdout
        assert "newer than this version" in again.stdout
    finally:
        rolled.set()
        people.join(timeout=400)
    if failures:
        raise failures[0]
    log = (fleet.folder / "bot.log").read_text()
    assert "schema.newer" in log
    for wrong in ("Traceback", "Bad file descriptor", "stop.forced", "job.unknown"):
        assert wrong not in log
