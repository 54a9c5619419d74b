"""A next version is rolled out while the one before works: people go on, nothing is lost, nothing is done twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from sandbox.ports import free_port
from storage.migrate import newest
from tests.faults.path import nudged, whole
from tests.faults.postgres import Postgres
from tests.faults.staff import Staff
from tests.faults.stage import Fleet, wait_for
from tests.trees import present_tree

pytestmark = pytest.mark.timeout(420)  # processes start and stop; a busy machine takes its time

NEXT = f"9999_from_{newest().partition('_from_')[0]}"
_REVISION = f'''
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{newest()}"
branch_labels = depends_on = None


def upgrade():
    op.create_table("note", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("words", sa.Text()))
    op.add_column("complaint", sa.Column("note_id", sa.Integer(), nullable=True))


def downgrade():
    op.drop_column("complaint", "note_id")
    op.drop_table("note")
'''


def next_version(folder: Path) -> Path:
    """The source tree with one more revision, which only adds."""
    present_tree(folder)
    (folder / "storage" / "migrations" / "versions" / "m9999_next.py").write_text(_REVISION)
    return folder / "app.py"


class Rolling(Fleet):
    """One web process and one worker of this version, and processes of the next as they are rolled out."""

    def __init__(self, folder: Path, database: str, following: Path) -> None:
        super().__init__(folder, database, workers=("worker-0",))
        self.following = [sys.executable, str(following)]

    def run_next(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.following, *arguments], env=self.environment(), capture_output=True, text=True, check=False,
            timeout=100,
        )  # fmt: skip

    def spawn_next(self, executor: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**self.environment(), "MPOPS_EXECUTOR": executor}
        return subprocess.Popen([*self.following, *arguments], env=environment, stdout=self._log, stderr=self._log)

    def start_worker(self, executor: str) -> None:
        self.workers[executor] = self.spawn_next(executor, "worker")
        wait_for(lambda: executor in self.living(), 60, f"{executor} to work")

    def stop_worker(self, executor: str) -> None:
        process = self.workers.pop(executor)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=40) == 0

    def replace_web(self) -> None:
        """The next one beside the old, the load balancer turned over, then the old one is told to stop."""
        old, self.bot_port = self.process(), free_port()
        self._bot = self.spawn_next("web-1", "serve", "--web-only")
        wait_for(self.ready, 60, "the next web process to be ready")
        self.connect()
        old.send_signal(signal.SIGTERM)
        assert old.wait(timeout=40) == 0

    def living(self) -> list[str]:
        """The executors that gave a sign of life in the last seconds."""
        engine = create_engine(self.database_url)
        with engine.connect() as connection:
            query = "SELECT executor FROM heartbeat WHERE seen_at > (now() AT TIME ZONE 'UTC') - interval '12 s'"
            names = [str(row[0]) for row in connection.execute(text(query))]
        engine.dispose()
        return names


@pytest.fixture
def fleet(tmp_path: Path, postgres: Postgres) -> Iterator[Rolling]:
    with Rolling(tmp_path / "stage", postgres.database(), next_version(tmp_path / "next")) as fleet:
        yield fleet


def test_people_go_on_working_while_the_next_version_is_rolled_out(fleet: Rolling) -> None:
    staff = Staff(fleet.sandbox, fleet.company, random.Random(int(os.environ.get("MPOPS_FAULTS_SEED", "1"))))
    staff.complaint()
    wait_for(lambda: staff.cards(staff.tickets[0]), 30, "the first card")
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
        migrated = fleet.run_next("migrate")
        assert migrated.stdout == f"The database is at schema {NEXT}.\n", migrated.stderr
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
        assert NEXT in again.stdout
        assert "newer than this version" in again.stdout
    finally:
        rolled.set()
        people.join(timeout=400)
    if failures:
        raise failures[0]
    whole(fleet, staff)
    log = (fleet.folder / "bot.log").read_text()
    assert "schema.newer" in log
    for wrong in ("Traceback", "Bad file descriptor", "stop.forced", "job.unknown"):
        assert wrong not in log
