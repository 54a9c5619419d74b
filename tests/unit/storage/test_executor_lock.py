"""One process to a name: who has it, who waits for it, and what happens when the connection that holds it breaks."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from storage.core.executor_lock import ExecutorLock, ExecutorLockTaken, lock_of
from storage.database import Database
from tests.databases import migrated_url


@pytest.fixture
def make(database: Database) -> Iterator[Callable[[str], ExecutorLock]]:
    made: list[ExecutorLock] = []

    def make(name: str) -> ExecutorLock:
        made.append(lock_of(database, name))
        return made[-1]

    yield make
    for one in made:
        one.release()


def take(one: ExecutorLock, wait: float = 0.3) -> bool:
    return one.take(threading.Event(), wait)


def wait_for(met: Callable[[], object], seconds: float = 15) -> None:
    until = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_name_is_for_one_process(make: Callable[[str], ExecutorLock]) -> None:
    first, second = make("worker-0"), make("worker-0")
    assert take(first)
    assert first.held
    with pytest.raises(ExecutorLockTaken) as refused:
        take(second)
    assert refused.value.name == "worker-0"
    assert "process" in refused.value.holder
    assert not second.held
    first.release()
    assert take(second)
    assert [one.held for one in (first, second)] == [False, True]


def test_other_names_do_not_disturb_each_other_on_a_server_but_on_a_file(
    make: Callable[[str], ExecutorLock], database: Database
) -> None:
    assert take(make("worker-0"))
    if database.is_sqlite:
        with pytest.raises(ExecutorLockTaken):
            take(make("worker-1"))
    else:
        assert take(make("worker-1"))


def test_the_names_of_two_databases_have_nothing_to_do_with_each_other(
    make: Callable[[str], ExecutorLock], database_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    assert take(make("worker-0"))
    other = Database(migrated_url(database_kind, tmp_path_factory.mktemp("other")))
    elsewhere = lock_of(other, "worker-0")
    assert take(elsewhere)
    elsewhere.release()
    other.close()


def test_a_successor_waits_until_its_predecessor_has_stopped(make: Callable[[str], ExecutorLock]) -> None:
    first, second = make("worker-0"), make("worker-0")
    assert take(first)
    stopping = threading.Timer(0.6, first.release)
    with capture_logs() as logs:
        stopping.start()
        assert take(second, wait=10)
    assert second.held
    assert [entry["event"] for entry in logs] == ["slot.waiting"]
    stopping.join()


def test_whoever_is_told_to_stop_waits_no_longer(make: Callable[[str], ExecutorLock]) -> None:
    assert take(make("worker-0"))
    told = threading.Event()
    told.set()
    began = time.monotonic()
    assert not make("worker-0").take(told, wait=10)
    assert time.monotonic() - began < 5


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[tuple[Database, ExecutorLock, ExecutorLock]]:
    """A PostgreSQL and two who want the same name: only there a connection can break."""
    database = Database(migrated_url("postgresql", tmp_path))
    first, second = lock_of(database, "worker-0"), lock_of(database, "worker-0")
    assert take(first)
    yield database, first, second
    second.release()
    first.release()
    database.close()


def cut(database: Database, name: str) -> None:
    """What every client sees when the server is restarted."""
    with database.write() as session:
        query = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = :name"
        assert session.execute(text(query), {"name": f"mpops {name}"}).all()


def test_a_name_lost_with_its_connection_is_taken_again(pair: tuple[Database, ExecutorLock, ExecutorLock]) -> None:
    database, first, second = pair
    with capture_logs() as logs:
        cut(database, "worker-0")
        wait_for(lambda: "slot.taken_again" in [entry["event"] for entry in logs])
    assert first.held
    with pytest.raises(ExecutorLockTaken):
        take(second)


def test_somebody_who_took_the_name_meanwhile_is_complained_about(
    pair: tuple[Database, ExecutorLock, ExecutorLock],
) -> None:
    database, first, second = pair
    with capture_logs() as logs:
        while not second.held:  # the first looks once a second, so it is seldom quicker
            wait_for(lambda: first.held)
            cut(database, "worker-0")
            with contextlib.suppress(ExecutorLockTaken):
                take(second, wait=0)
        wait_for(lambda: "slot.taken_by_another" in [entry["event"] for entry in logs])
        told = next(entry for entry in logs if entry["event"] == "slot.taken_by_another")
        assert not first.held
        second.release()
        wait_for(lambda: first.held)
    assert told["log_level"] == "error"
    assert "MPOPS_EXECUTOR" in told["do"]
