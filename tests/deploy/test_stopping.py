"""SIGTERM to a real process: what is in hand is finished, load balancers are told, and the end comes in time."""

from __future__ import annotations

import contextlib
import http.client
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.company import MERCHANT
from sandbox.demo import Demo
from sandbox.faults import CallFault, Fault
from tests.bench.events import delivery
from tests.faults.stage import APP, wait_for


class Beside(Demo):
    """A bot whose end the test watches, with settings that the test changes between two starts."""

    def __init__(self, folder: Path) -> None:
        super().__init__(0, APP, folder=folder)
        self.more: dict[str, str] = {}
        self.read_until = 0

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self.more}

    def terminate(self) -> None:
        assert self._bot is not None
        self._bot.send_signal(signal.SIGTERM)

    def ended(self, seconds: float) -> int:
        assert self._bot is not None
        return self._bot.wait(timeout=seconds)

    def said(self) -> str:
        """The log since the last look."""
        log = (self.folder / "bot.log").read_text()
        new, self.read_until = log[self.read_until :], len(log)
        return new

    def rows(self, query: str) -> list[tuple[object, ...]]:
        database = sqlite3.connect(self.folder / "mpops.db", timeout=30)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def open(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.bot_port, timeout=20)

    def send_event(self, number: int) -> Callable[[], int]:
        """A message comes in, on its way while the test goes on; what it was answered."""
        headers, body = delivery(self.sandbox.feishu.app, number)
        answers: list[int] = []

        def send() -> None:
            connection = self.open()
            connection.request("POST", "/feishu/events", body, headers)
            answers.append(connection.getresponse().status)
            connection.close()

        thread = threading.Thread(target=send)
        thread.start()

        def answer() -> int:
            thread.join(timeout=20)
            return answers[0]

        return answer


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Beside]:
    bot = Beside(tmp_path_factory.mktemp("stopping") / "demo")
    try:
        bot.start()
        yield bot
    finally:
        bot.stop()


def asked(connection: http.client.HTTPConnection, path: str = "/readyz") -> tuple[int, str]:
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    return answer.status, answer.headers.get("Connection", "")


class Balancer:
    """Asks again and again over one connection, and over a new one only when it was told to."""

    def __init__(self, connection: http.client.HTTPConnection) -> None:
        self._connection = connection
        self._sent_away = False

    def is_told(self) -> bool:
        try:
            status, kept = asked(self._connection)
        except ConnectionRefusedError:
            return self._sent_away
        self._sent_away = kept == "close"
        return status == 503


def refused(bot: Beside) -> bool:
    connection = bot.open()
    try:
        connection.connect()
    except ConnectionRefusedError:
        return True
    finally:
        connection.close()
    return False


def test_an_event_in_hand_is_stored_and_answered_and_nobody_new_is_let_in(bot: Beside) -> None:
    balancer = bot.open()
    assert asked(balancer) == (200, "")
    blocker = sqlite3.connect(bot.folder / "mpops.db", isolation_level=None, timeout=30, check_same_thread=False)
    with contextlib.closing(blocker):
        blocker.execute("BEGIN IMMEDIATE")
        answer = bot.send_event(1)
        time.sleep(0.5)  # it has come in and waits for the file
        bot.said()
        bot.terminate()
        # An answer that was begun before may say 200 and close the connection; then the balancer knocks at a shut door.
        wait_for(Balancer(balancer).is_told, 5, "the load balancer to be told")
        wait_for(lambda: refused(bot), 5, "the door to be shut")
        assert bot.alive()
        blocker.execute("ROLLBACK")
    assert answer() == 200
    assert bot.ended(20) == 0
    assert len(bot.rows("SELECT id FROM inbox WHERE id LIKE 'feishu:%'")) == 1
    said = bot.said()
    assert "stop.asked" in said
    for wrong in ("Bad file descriptor", "Traceback", "stop.forced", "stop.unfinished", "web.not_finished"):
        assert wrong not in said, said


def test_who_comes_while_load_balancers_leave_is_served_and_a_job_ends(bot: Beside) -> None:
    bot.more = {"MPOPS_HTTP__DRAIN": "3"}
    bot.restart()
    bot.said()
    bot.sandbox.world.faults.add(Fault("wechatpay", CallFault.LATE, "/complaints-v2/", seconds=2.0))
    bot.sandbox.wechatpay.customer_complains(MERCHANT, None, "停机前的投诉", problem_type="OTHERS")
    wait_for(lambda: bot.rows("SELECT 1 FROM workflow_status WHERE status = 'PENDING'"), 20, "a job to be in hand")
    bot.terminate()
    began = time.monotonic()
    time.sleep(0.3)
    fresh = bot.open()
    assert asked(fresh) == (503, "close")
    assert asked(fresh, "/healthz") == (200, "close")  # alive, and to be left
    fresh.close()
    assert bot.send_event(2)() == 200
    assert bot.ended(25) == 0
    assert time.monotonic() - began > 2.5
    assert bot.rows("SELECT name FROM workflow_status WHERE status = 'PENDING'") == []
    assert bot.rows("SELECT count(*) FROM complaint") == [(1,)]
    assert "Traceback" not in bot.said()


def test_a_job_that_hangs_does_not_hold_up_the_end_and_is_done_later(bot: Beside) -> None:
    bot.more = {"MPOPS_GRACE": "1"}
    bot.restart()
    bot.said()
    hangs = Fault("wechatpay", CallFault.LATE, "/complaints-v2/", seconds=60.0)
    bot.sandbox.world.faults.add(hangs)
    second = bot.sandbox.wechatpay.customer_complains(MERCHANT, None, "还有一件", problem_type="OTHERS")
    job = f"SELECT 1 FROM workflow_status WHERE status = 'PENDING' AND workflow_uuid LIKE 'sync-{second.id}%'"
    wait_for(lambda: bot.rows(job), 20, "the job to be in hand")
    bot.terminate()
    assert bot.ended(10) == 0
    assert "stop.unfinished" in bot.said()
    assert bot.rows(job)
    assert bot.rows("SELECT count(*) FROM complaint") == [(1,)]
    bot.restart()
    wait_for(lambda: bot.rows("SELECT count(*) FROM complaint") == [(2,)], 30, "the work to be done")
