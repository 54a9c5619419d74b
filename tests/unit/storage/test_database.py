"""Units of work under threads: nothing lost, nothing twice, and a reader writes nothing."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError

from storage.areas.complaints import Complaint, Complaints
from storage.areas.configuration import ReplyTemplate
from storage.areas.people import People
from storage.core.audit import Audit, AuditEntry
from storage.core.inbox import Arrival, Inbox, InboxItem, InboxState
from storage.core.schedule import ScheduleRun
from storage.database import Database
from tests.rows import NOW, complaint, person
from tests.transactions import together


def test_read_and_write_in_eight_threads_loses_no_update(database: Database) -> None:
    with database.write() as session:
        session.add(ReplyTemplate(key="counter", title="t", body="b", place=0))

    def count(number: int) -> None:
        for _ in range(20):
            with database.write() as session:
                row = session.get_one(ReplyTemplate, "counter", with_for_update=True)
                row.place += 1

    together(8, count)
    with database.read() as session:
        assert session.get_one(ReplyTemplate, "counter").place == 160


def test_a_row_that_two_people_change_from_the_same_version_is_changed_once(database: Database) -> None:
    with database.write() as session:
        complaint(session)
        first = session.get_one(Complaint, 1)
        version = first.row_version
    with database.read() as mine:
        seen = mine.get_one(Complaint, 1)
    with database.write() as session:
        session.get_one(Complaint, 1).times = 2
    seen.times = 3
    with pytest.raises(StaleDataError), database.write() as session:
        session.add(seen)
    with database.read() as session:
        row = session.get_one(Complaint, 1)
        assert (row.times, row.row_version) == (2, version + 1)


def test_what_fails_leaves_nothing(database: Database) -> None:
    def half_way() -> None:
        with database.write() as session:
            person(session)
            raise RuntimeError("half-way")

    with pytest.raises(RuntimeError):
        half_way()
    with database.read() as session:
        assert People(session).all() == []


def test_a_reader_on_sqlite_cannot_write_and_on_both_nothing_of_it_stays(database: Database) -> None:
    if database.is_sqlite:
        with pytest.raises(DBAPIError, match="readonly"), database.read() as session:
            session.execute(text("DELETE FROM person"))
    with database.write() as session:
        person(session)
    with database.read() as session:
        People(session).all()[0].name = "changed while looking"
    with database.read() as session:
        assert People(session).all()[0].name != "changed while looking"


def test_a_reader_waits_for_nobody_who_holds_what_it_looks_at(database: Database) -> None:
    arrived = Arrival("feishu:e1", "feishu", "kind", "{}", NOW)
    with database.write() as session:
        Inbox(session).store_all([arrived])
    with database.write() as writer:
        held = Inbox(writer).take(arrived.id)
        assert held is not None
        with ThreadPoolExecutor(1) as pool:
            # By the very question that locks the row where it is asked by whoever writes.
            looked = pool.submit(lambda: _take(database, arrived.id)).result(timeout=10)
        assert looked == held.id
        held.state = InboxState.DONE


def _take(database: Database, id: str) -> str | None:
    with database.read() as session:
        item = Inbox(session).take(id)
        return item.id if item is not None else None


def test_a_reader_sees_one_moment_while_others_write(database: Database) -> None:
    if not database.is_sqlite:
        return  # PostgreSQL gives each statement the newest: what must not change is locked there
    with database.read() as reader:
        assert reader.scalars(select(ScheduleRun.job)).all() == []
        with database.write() as session:
            session.add(ScheduleRun(job="a", last_at=NOW))
        assert reader.scalars(select(ScheduleRun.job)).all() == []
    with database.read() as reader:
        assert reader.scalars(select(ScheduleRun.job)).all() == ["a"]


def test_exclusive_work_is_done_one_after_the_other(database: Database) -> None:
    others = [Database(database.url.render_as_string(hide_password=False)) for _ in range(3)]
    inside: list[int] = []
    most: list[int] = []

    def work(number: int) -> None:
        with others[number].exclusive() as connection:
            inside.append(number)
            most.append(len(inside))
            connection.execute(text("SELECT 1"))
            threading.Event().wait(0.05)
            inside.remove(number)

    together(3, work)
    assert most == [1, 1, 1]
    for other in others:
        other.close()


def test_a_foreign_key_leads_somewhere(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as session:
        complaint(session, claimed_by=99)


def test_an_event_that_comes_many_times_at_once_is_kept_once(database: Database) -> None:
    def store(number: int) -> bool:
        with database.write() as session:
            return Inbox(session).store(id="feishu:1", source="feishu", kind="im", body=f"copy {number}", at=NOW)

    stored = together(8, store)
    assert stored.count(True) == 1
    with database.read() as session:
        rows = session.scalars(select(InboxItem)).all()
        assert [row.body for row in rows] == [f"copy {stored.index(True)}"], "and the first one counts"


def test_an_item_is_worked_off_by_one_of_many(database: Database) -> None:
    with database.write() as session:
        Inbox(session).store(id="1", source="feishu", kind="im", body="b", at=NOW)

    def take(number: int) -> bool:
        with database.write() as session:
            inbox = Inbox(session)
            if inbox.take("1") is None:
                return False
            inbox.settle("1", InboxState.DONE, NOW)
            return True

    assert together(6, take).count(True) == 1


def test_a_complaint_is_claimed_by_one_of_two(database: Database) -> None:
    with database.write() as session:
        complaint(session)
        people = [person(session, f"ou_{number}", f"P{number}").id for number in range(4)]

    def claim(number: int) -> bool:
        with database.write() as session:
            row = Complaints(session).get(1, lock=True)
            assert row is not None
            if row.claimed_by is not None:
                return False
            row.claimed_by = people[number]
            return True

    assert together(4, claim).count(True) == 1


def test_writers_of_the_audit_make_one_chain(database: Database) -> None:
    key = database.vault.subkey("audit")

    def write(number: int) -> None:
        for step in range(5):
            with database.write() as session:
                Audit(session, key).add(
                    at=NOW, actor_id=None, event="x", subject=f"thread:{number}", params={"step": step}
                )

    together(6, write)
    with database.read() as session:
        verdict = Audit(session, key).verify()
        assert (verdict.checked, verdict.broken_at) == (30, None)
        assert [entry.id for entry in session.scalars(select(AuditEntry).order_by(AuditEntry.id))] == [*range(1, 31)]


def test_two_who_meet_a_person_first_make_one_row(database: Database) -> None:
    def meet(number: int) -> bool:
        try:
            with database.write() as session:
                person(session, "ou_new", "New")
        except IntegrityError:
            return False  # the engine tries such a job again
        return True

    assert True in together(5, meet)
    with database.read() as session:
        assert len(People(session).all()) == 1
