"""The verbs of the engine on both databases: no commit no work, once for an id, failures told, order and rate kept."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from bot.jobs.engine import CARDS, INTERACTIVE, PLANS, USUAL, Engine, Payload
from bot.jobs.retries import TryAgain
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import SECRET
from tests.story.waiting import eventually

pytestmark = pytest.mark.both_databases


class Notebook:
    """What jobs did, when."""

    def __init__(self) -> None:
        self.lines: list[tuple[float, str, Payload]] = []
        self.failures: list[tuple[str, Payload, str]] = []
        self._lock = threading.Lock()
        self.left: dict[str, int] = defaultdict(int)

    def write(self, kind: str) -> Callable[[Payload], None]:
        def job(payload: Payload) -> None:
            with self._lock:
                self.lines.append((time.monotonic(), kind, dict(payload)))

        return job

    def stumble(self, payload: Payload) -> None:
        self.write("stumble")(payload)
        with self._lock:
            self.left[payload["id"]] += 1
        if self.left[payload["id"]] < 3:
            raise TryAgain

    def fail(self, payload: Payload) -> None:
        self.write("fail")(payload)
        raise ValueError("a defect")

    def done(self, kind: str, id: str) -> int:
        return sum(line[1] == kind and line[2].get("id") == id for line in self.lines)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Engine, Database]]:
    """One engine a database: it keeps global state, so there is one at a time."""
    database = Database(migrated_url(request.param, tmp_path_factory.mktemp("engine")))
    database.unlock([SECRET])
    engine = Engine(database, "test-0")
    engine.start(execute=True)
    yield engine, database
    engine.stop()
    database.close()


_names = iter(range(10_000))


@pytest.fixture
def book(running: tuple[Engine, Database]) -> Notebook:
    return Notebook()


@pytest.fixture
def job(running: tuple[Engine, Database]) -> Callable[[Callable[[Payload], None]], str]:
    def register(work: Callable[[Payload], None]) -> str:
        name = f"job-{next(_names)}"
        running[0].register(name, work)
        return name

    return register


Register = Callable[[Callable[[Payload], None]], str]
Running = tuple[Engine, Database]


def hand_over(running: Running, job: str, id: str, payload: Payload | None = None, **more: str) -> None:
    engine, database = running
    with database.write() as session:
        engine.enqueue(session, job, id, payload or {"id": id}, **more)


def test_work_is_done_with_what_it_was_given(running: Running, book: Notebook, job: Register) -> None:
    payload = {"id": "w1", "words": "您好 “{}”", "n": 3, "deep": [1, {"x": None}]}
    hand_over(running, job(book.write("w")), "w1", payload)
    eventually(lambda: book.lines, "never run")
    assert book.lines[0][2] == payload


def test_without_a_commit_there_is_no_work(running: Running, book: Notebook, job: Register) -> None:
    engine, database = running
    name = job(book.write("w"))

    def rolled_back() -> None:
        with database.write() as session:
            engine.enqueue(session, name, "rolled-back", {"id": "rolled-back"})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        rolled_back()
    hand_over(running, name, "committed")
    eventually(lambda: book.done("w", "committed"), "never run")
    time.sleep(0.2)
    assert book.done("w", "rolled-back") == 0
    hand_over(running, name, "rolled-back")
    eventually(lambda: book.done("w", "rolled-back"), "its id is still free")


def test_the_same_id_is_done_once_however_often_it_is_handed_over(
    running: Running, book: Notebook, job: Register
) -> None:
    name = job(book.write("w"))
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: hand_over(running, name, "same"), range(12)))
    eventually(lambda: book.done("w", "same"), "never run")
    hand_over(running, name, "same")
    hand_over(running, name, "last")
    eventually(lambda: book.done("w", "last"), "never run")
    assert book.done("w", "same") == 1


def test_a_job_that_asks_for_it_is_tried_again(running: Running, book: Notebook, job: Register) -> None:
    hand_over(running, job(book.stumble), "again")
    eventually(lambda: book.done("stumble", "again") == 3, lambda: f"{book.lines}")
    time.sleep(0.3)
    assert book.done("stumble", "again") == 3


def test_a_job_that_fails_is_told_once_with_an_incident(running: Running, book: Notebook, job: Register) -> None:
    engine, _ = running
    engine.on_failure = lambda name, payload, incident: book.failures.append((name, payload, incident))
    name = job(book.fail)
    hand_over(running, name, "broken")
    eventually(lambda: book.failures, "nobody was told")
    engine.on_failure = None
    ((failed, payload, incident),) = book.failures
    assert (failed, payload, len(incident)) == (name, {"id": "broken"}, 8)
    assert book.done("fail", "broken") == 1, "a defect is not tried again"


def test_a_job_nobody_knows_harms_nothing(running: Running, book: Notebook, job: Register) -> None:
    hand_over(running, "nobody.knows", "unknown")
    hand_over(running, job(book.write("w")), "after")
    eventually(lambda: book.done("w", "after"), "never run")


def test_a_job_of_another_version_is_left_until_somebody_knows_it(
    running: Running, book: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, _ = running
    monkeypatch.setattr("bot.jobs.engine._LATER", 0.2)
    monkeypatch.setattr("bot.jobs.engine._MOST_HANDED_ON", 4)
    engine.on_failure = lambda name, payload, incident: book.failures.append((name, payload, incident))
    hand_over(running, "of.no.version", "given up")
    hand_over(running, "of.the.next.version", "left")
    time.sleep(0.5)
    engine.register("of.the.next.version", book.write("next"))  # as if a newer process had come
    eventually(lambda: book.done("next", "left") == 1, "never run", 40)
    eventually(lambda: book.failures, "nobody was told", 40)
    engine.on_failure = None
    assert [name for name, _, _ in book.failures] == ["of.no.version"]


def test_a_partition_has_its_jobs_in_order_and_one_at_a_time(running: Running, book: Notebook, job: Register) -> None:
    engine, database = running
    busy, most = dict.fromkeys("ab", 0), dict.fromkeys("ab", 0)

    def work(payload: Payload) -> None:
        chat = str(payload["chat"])
        busy[chat] += 1
        most[chat] = max(most[chat], busy[chat])
        time.sleep(0.02)
        book.write("card")(payload)
        busy[chat] -= 1

    name = job(work)
    for number in range(12):
        with database.write() as session:
            for chat in ("a", "b"):
                payload = {"id": f"{chat}{number}", "chat": chat, "n": number}
                engine.enqueue(session, name, f"card-{chat}-{number}", payload, queue=CARDS, partition=chat)
        time.sleep(0.003)  # the engine's books know the order of what was handed over to the millisecond
    eventually(lambda: len(book.lines) == 24, lambda: f"{len(book.lines)} of 24", 20)
    assert most == {"a": 1, "b": 1}
    for chat in ("a", "b"):
        assert [payload["n"] for _, _, payload in book.lines if payload["chat"] == chat] == list(range(12)), "in order"
    first = [payload["chat"] for _, _, payload in book.lines[:10]]
    assert set(first) == {"a", "b"}, "one chat does not hold up the other"


def test_what_somebody_waits_for_passes_what_can_wait(running: Running, book: Notebook, job: Register) -> None:
    engine, database = running
    go_on = threading.Event()
    places = PLANS[INTERACTIVE].workers

    def hold(payload: Payload) -> None:
        book.write("hold")(payload)
        go_on.wait(20)

    holding, working = job(hold), job(book.write("w"))
    for number in range(places):
        hand_over(running, holding, f"hold-{number}")
    eventually(lambda: len(book.lines) == places, "all places are taken")
    with database.write() as session:
        for number in range(30):
            engine.enqueue(session, working, f"others-{number}", {"id": "other"}, priority=USUAL)
    with database.write() as session:
        engine.enqueue(session, working, "urgent", {"id": "urgent"})
    go_on.set()
    eventually(lambda: len(book.lines) == places + 31, lambda: f"{len(book.lines)}")
    order = [str(payload["id"]) for _, _, payload in book.lines[places:]]
    assert order.index("urgent") < places, "among the first that found a place"


def test_two_jobs_of_one_name_are_a_mistake(running: Running, job: Register) -> None:
    engine, _ = running
    name = job(lambda payload: None)
    with pytest.raises(ValueError, match=name):
        engine.register(name, lambda payload: None)


def test_finished_work_is_forgotten_after_its_time(running: Running, book: Notebook, job: Register) -> None:
    engine, _ = running
    name = job(book.write("w"))
    hand_over(running, name, "old")
    eventually(lambda: book.done("w", "old"), "never run")
    assert engine.forget(datetime.now(UTC) - timedelta(hours=1)) == 0

    def once_more() -> bool:
        engine.forget(datetime.now(UTC) + timedelta(hours=1))
        hand_over(running, name, "old")
        return book.done("w", "old") > 1

    eventually(once_more, "its id is not free again")
