"""On PostgreSQL the processes tell each other of work as they commit it, and a queue need not be looked at for that."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from sqlalchemy import text

from bot.jobs import notify as module
from bot.jobs.engine import BULK, CARDS, INTERACTIVE, Engine, Payload
from bot.jobs.notify import Listener, notify
from storage.database import Database
from tests.databases import migrated_url
from tests.rows import SECRET
from tests.story.waiting import eventually

LONG = 50.0  # seconds; nothing here may have to wait for a look by itself
SOON = 5.0


class Ear:
    """A listener and what it was woken with; () is: look everywhere."""

    def __init__(self, database: Database, process: str = "b/1") -> None:
        self.woken: list[tuple[str, ...]] = []
        self.listener = Listener(database, process, lambda *queues: self.woken.append(queues))

    def __enter__(self) -> Ear:
        self.listener.start()
        eventually(lambda: self.listener.hears, "it does not hear", SOON)
        self.woken.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.stop()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    database = Database(migrated_url("postgresql", tmp_path_factory.mktemp("notify")))
    database.unlock([SECRET])
    yield database
    database.close()


@pytest.fixture
def other(database: Database) -> Iterator[Engine]:
    """A process that only accepts work."""
    engine = Engine(database, "web-0")
    engine.start(execute=False)
    yield engine
    engine.stop()


def hand_over(engine: Engine, session: Any, id: str, queue: str = INTERACTIVE, job: str = "nobody's") -> None:
    engine.enqueue(session, job, id, {"id": id}, queue=queue, partition="a" if queue == CARDS else None)


def test_it_is_told_when_it_is_committed_and_not_before(database: Database, other: Engine) -> None:
    with Ear(database) as ear:
        with database.write() as session:
            for number, queue in enumerate((INTERACTIVE, INTERACTIVE, CARDS)):
                hand_over(other, session, f"told-{number}", queue)
            time.sleep(0.3)
            assert ear.woken == []
        eventually(lambda: len(ear.woken) == 1, "nothing was told", SOON)
        assert sorted(ear.woken[0]) == [CARDS, INTERACTIVE], "once, however much there is"


def test_what_is_rolled_back_is_told_to_nobody(database: Database, other: Engine) -> None:
    with Ear(database) as ear:
        with database.write() as session:
            hand_over(other, session, "undone")
            session.rollback()
        with database.write() as session:
            savepoint = session.begin_nested()
            hand_over(other, session, "undone within", BULK)
            savepoint.rollback()
            hand_over(other, session, "kept", INTERACTIVE)
        # Where anything of a transaction is kept, a queue too many may be told; a look costs nothing.
        eventually(lambda: [INTERACTIVE in told for told in ear.woken] == [True], lambda: f"woken: {ear.woken}", SOON)


def test_whatever_anybody_says_there_it_goes_on_hearing(database: Database, other: Engine) -> None:
    with Ear(database) as ear:
        for said in ("", " ", "one", "a/1 nobody's-queue", "x" * 7000):
            with database.write() as session:
                session.execute(text("SELECT pg_notify('mpops_jobs', :said)"), {"said": said})
        with database.write() as session:
            hand_over(other, session, "after the noise")
        eventually(lambda: (INTERACTIVE,) in ear.woken, lambda: f"woken: {ear.woken}", SOON)
        assert ear.listener.hears


def test_it_proves_now_and_then_that_it_still_hears(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PROVEN_FOR", 0.1)
    monkeypatch.setattr(module, "_STOP_SEEN", 0.1)
    monkeypatch.setattr(module, "_PROVEN_WITHIN", 0.5)
    monkeypatch.setattr(module, "_AGAIN", (LONG,))
    with Ear(database) as ear:
        time.sleep(1.0)
        assert ear.listener.hears
        # From here on it is told on a channel that it does not listen to, as if its line were somebody else's.
        monkeypatch.setattr(module, "_NOTIFY", text("SELECT pg_notify('elsewhere', :told)"))
        eventually(lambda: not ear.listener.hears, "it relies on what it does not hear", SOON)


def test_what_was_told_here_was_heard_already(database: Database) -> None:
    with Ear(database, "b/1") as ear:
        for process in ("b/1", "a/1"):
            with database.write() as session:
                notify(session, process, [process[0]])
        eventually(lambda: ear.woken == [("a",)], lambda: f"woken: {ear.woken}", SOON)


def test_a_line_that_breaks_is_made_anew_and_everything_looked_at(
    database: Database, other: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_AGAIN", (0.2,))
    with Ear(database) as ear:
        with database.write() as session:
            session.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE application_name = 'mpops listens' AND datname = current_database()"
                )
            )
        eventually(lambda: len(ear.woken) >= 2 and ear.listener.hears, "it did not come back", SOON)
        assert set(ear.woken) == {()}, (
            "as soon as it is known, and again when it hears: what was told meanwhile is lost"
        )
        ear.woken.clear()
        with database.write() as session:
            hand_over(other, session, "after the break")
        eventually(lambda: ear.woken == [(INTERACTIVE,)], lambda: f"woken: {ear.woken}", SOON)


class _Deaf(psycopg.Connection[Any]):
    """As behind a pooler that gives each transaction another line to the server: LISTEN is for nobody."""

    def execute(self, query: Any, *more: Any, **options: Any) -> Any:
        return super().execute("SELECT 1" if str(query).startswith("LISTEN") else query, *more, **options)


def test_who_hears_nothing_does_not_rely_on_it(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    class Pooled(Database):
        def line(self) -> psycopg.Connection[Any]:
            line = super().line()
            line.__class__ = _Deaf
            return cast("psycopg.Connection[Any]", line)

    monkeypatch.setattr(module, "_PROVEN_WITHIN", 0.3)
    monkeypatch.setattr(module, "_AGAIN", (0.1,))
    pooled = Pooled(database.url.render_as_string(hide_password=False))
    tries: list[tuple[str, ...]] = []
    listener = Listener(pooled, "b/1", lambda *queues: tries.append(queues))
    listener.start()
    eventually(lambda: len(tries) >= 2, "it does not try again", SOON)
    assert not listener.hears
    listener.stop()
    pooled.close()


@pytest.mark.parametrize("queue", [INTERACTIVE, CARDS, BULK])
def test_work_of_another_process_is_begun_without_a_look(tmp_path: Path, queue: str) -> None:
    database = Database(migrated_url("postgresql", tmp_path))
    database.unlock([SECRET])
    worker, web = Engine(database, "worker-0", poll=LONG), Engine(database, "web-0")
    done: list[str] = []

    def job(payload: Payload) -> None:
        done.append(payload["id"])

    worker.register("job", job)
    worker.start(execute=True)
    web.start(execute=False)
    try:
        eventually(lambda: worker.hears, "it does not hear", SOON)
        time.sleep(2.5)  # by then it has stopped looking for what a predecessor left
        for id in ("1", "2", "3"):
            with database.write() as session:
                hand_over(web, session, id, queue, job="job")
            eventually(lambda id=id: done[-1:] == [id], lambda: f"done: {done}", SOON)
    finally:
        web.stop()
        worker.stop()
        database.close()
