"""Entries of the audit as they are written: in one transaction, in several, and where one is taken back."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.core.audit import Audit, AuditEntry
from storage.database import Database
from tests.rows import NOW, SECRET
from tests.transactions import statements

_KEY = b"k"


def tell(session: Session, *subjects: str) -> None:
    for subject in subjects:
        Audit(session, _KEY).add(at=NOW, actor_id=None, event="x", subject=subject, params={})


def told(database: Database) -> list[str]:
    """The subjects in order, of a chain that is whole."""
    with database.read() as session:
        found = session.execute(select(AuditEntry.id, AuditEntry.subject).order_by(AuditEntry.id)).all()
        verdict = Audit(session, _KEY).verify()
    assert (verdict.checked, verdict.broken_at) == (len(found), None)
    assert [id for id, _ in found] == list(range(1, len(found) + 1))
    return [subject for _, subject in found]


def test_entries_of_one_transaction_chain_whoever_of_it_writes_them(database: Database) -> None:
    with database.write() as session:
        first, second = Audit(session, _KEY), Audit(session, _KEY)
        for number, audit in enumerate((first, second, second, first)):
            audit.add(at=NOW, actor_id=None, event="x", subject=str(number), params={"n": number})
        assert first.anchor() == second.anchor()
        assert first.anchor().startswith("4:")
    with database.write() as session:
        tell(session, "4", "5")
    assert told(database) == ["0", "1", "2", "3", "4", "5"]


def test_the_last_entry_is_asked_for_once_in_a_transaction(database: Database) -> None:
    with database.write() as session:
        tell(session, "first of all")
    with statements(database) as heard, database.write() as session:
        tell(session, "a", "b", "c")
    asked = [line for line in heard if line.startswith("SELECT")]
    assert len(asked) == (1 if database.is_sqlite else 2), asked
    assert len([line for line in heard if line.startswith(("INSERT", "UPDATE"))]) == 6


def test_a_transaction_that_is_taken_back_leaves_no_trace_in_the_next_of_its_session(database: Database) -> None:
    with database.write() as session:
        tell(session, "kept")
    with Session(database.writer) as session:
        tell(session, "lost", "lost too")
        session.rollback()
        tell(session, "after")
        session.commit()
        tell(session, "and once more")
        session.commit()
    assert told(database) == ["kept", "after", "and once more"]


def test_a_part_of_a_transaction_that_is_taken_back_leaves_the_chain_whole(database: Database) -> None:
    with database.write() as session:
        tell(session, "before")
        with session.begin_nested() as part:
            tell(session, "lost", "lost too")
            part.rollback()
        tell(session, "after")
        with session.begin_nested():
            tell(session, "inside")
        tell(session, "at the end")
    assert told(database) == ["before", "after", "inside", "at the end"]


def test_another_process_waits_until_the_transaction_ends_that_wrote_last(database: Database) -> None:
    other = Database(database.url.render_as_string(hide_password=False))
    other.unlock([SECRET])
    begun, done = threading.Event(), threading.Event()

    def write() -> None:
        begun.set()
        with other.write() as session:
            tell(session, "other", "other")
        done.set()

    with ThreadPoolExecutor(1) as pool:
        with database.write() as session:
            tell(session, "first")
            waiting = pool.submit(write)
            assert begun.wait(10)
            assert not done.wait(0.2), "it wrote between two entries of ours"
            tell(session, "second")
        waiting.result(20)
    assert told(database) == ["first", "second", "other", "other"]
    other.close()
