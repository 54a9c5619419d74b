"""Backup and restore on and across both databases: all of it, or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from storage.all_models import METADATA
from storage.areas.complaints import Complaint, ComplaintFilter, Complaints
from storage.areas.people import People
from storage.areas.refunds import Refund
from storage.backups.backup import InUse, NotEmpty, Restored, backup, ready, restore
from storage.backups.history import RESTORED
from storage.backups.sealed_file import UnreadableFile, read_lines, write_lines
from storage.core.audit import Audit, AuditEntry
from storage.core.inbox import Inbox
from storage.core.schedule import Heartbeat, Schedules
from storage.database import Database
from storage.migrate import SchemaTooNew, drift, migrate
from storage.vault import VaultError
from tests.databases import postgres_url, sqlite_url
from tests.rows import NAME, NOW, OPEN_ID, PHONE, SECRET, company, complaint, person, refund


def nothing_more(session: Session) -> None:
    """Nothing to be enqueued."""


def fill(database: Database) -> None:
    with database.write() as session:
        company(session)
        by = person(session, OPEN_ID, NAME, ("operator", "mall"))
        for number in range(3):
            row = complaint(session, f"20000{number}", user_waits=bool(number % 2), picture_urls=["https://a/b"])
            refund(session, row, by, f"mpops-{number}", 100 + number)
        Inbox(session).store(id="feishu:1", source="feishu", kind="im", body=f"body {PHONE}", at=NOW)
        for number in range(5):
            Audit(session, database.vault.subkey("audit")).add(
                at=NOW, actor_id=by.id, event="refund.paid", subject="complaint:1", params={"n": number, "who": "王芳"}
            )


@pytest.fixture
def filled(database: Database) -> Database:
    fill(database)
    return database


@pytest.fixture
def target(database_kind: str, tmp_path: Path) -> Iterator[Database]:
    """A new file or database without any tables, of the other kind than the one that was backed up."""
    database = Database(sqlite_url(tmp_path) if database_kind == "postgresql" else postgres_url())
    yield database
    database.close()


@pytest.fixture
def twin(database_kind: str, tmp_path: Path) -> Iterator[Database]:
    """As `target`, but of the same kind."""
    database = Database(sqlite_url(tmp_path) if database_kind == "sqlite" else postgres_url())
    yield database
    database.close()


@pytest.fixture
def file(filled: Database, tmp_path: Path) -> Path:
    path = tmp_path / "mpops.backup"
    backup(filled, path, SECRET, NOW)
    return path


def bring_back(
    target: Database, file: Path, *, force: bool = False, then: Callable[[Session], None] = nothing_more
) -> Restored:
    return restore(target, file, [SECRET], force=force, now=NOW, then=then)


def counts(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in METADATA.tables.items()
            if name != "schedule_run"
        }


def test_everything_comes_back_on_the_same_kind(filled: Database, file: Path, twin: Database) -> None:
    comes_back(filled, file, twin)


def test_everything_comes_back_on_the_other_kind(filled: Database, file: Path, target: Database) -> None:
    comes_back(filled, file, target)


def comes_back(filled: Database, file: Path, target: Database) -> None:
    restored = bring_back(target, file)
    assert counts(target) == counts(filled)
    assert restored.counts.total == sum(counts(filled).values())
    assert restored.audit.broken_at is None
    assert restored.audit.checked == 5
    assert drift(target) == []
    with target.read() as session, filled.read() as before:
        found = People(session).by_open_id(OPEN_ID)
        assert found is not None
        assert found.name == NAME
        assert [(held.role, held.scope) for held in found.roles] == [("operator", "mall")]
        page, total = Complaints(session).listed(ComplaintFilter(phone=PHONE), offset=0, limit=10)
        assert total == 3
        for row in page:
            original = before.get_one(Complaint, row.id)
            for column in Complaint.__table__.columns.keys():  # noqa: SIM118  # columns are no mapping
                assert getattr(row, column) == getattr(original, column), column
        assert Inbox(session).get("feishu:1").body == f"body {PHONE}"  # type: ignore[union-attr]  # it is there
        assert [entry.params["who"] for entry in Audit(session, b"").all()] == ["王芳"] * 5
        assert Schedules(session).last_run(RESTORED) == NOW


def test_work_goes_on_after_it_with_ids_of_its_own(file: Path, target: Database) -> None:
    bring_back(target, file)
    with target.write() as session:
        new = complaint(session, "after")
        assert new.id == 4
        by = People(session).by_open_id(OPEN_ID)
        assert by is not None
        assert refund(session, new, by, "mpops-after", 1).id == 4
        Audit(session, target.vault.subkey("audit")).add(at=NOW, actor_id=None, event="x", subject="y", params={})
        assert Audit(session, target.vault.subkey("audit")).verify().checked == 6


def test_a_database_in_use_gives_one_moment_of_it(filled: Database, tmp_path: Path, target: Database) -> None:
    """What is written while the backup runs is wholly in it or wholly not."""
    written: list[bool] = []

    def write() -> None:
        with filled.write() as session:
            row = complaint(session, "meanwhile")
            by = People(session).by_open_id(OPEN_ID)
            assert by is not None
            refund(session, row, by, "mpops-meanwhile", 1)
        written.append(True)

    path = tmp_path / "busy.backup"

    def between(connection: object, cursor: object, statement: str, *rest: object) -> None:
        if "FROM complaint_reply" in statement and not written:
            write()

    event.listen(filled.reader, "before_cursor_execute", between)
    backup(filled, path, SECRET, NOW)
    event.remove(filled.reader, "before_cursor_execute", between)
    assert written
    bring_back(target, path)
    assert counts(target)["complaint"] == 3
    assert counts(target)["refund"] == 3
    assert counts(filled)["complaint"] == 4


def test_the_file_holds_nothing_in_plain(file: Path) -> None:
    raw = file.read_bytes()
    for secret in (PHONE, NAME, OPEN_ID, "漏水", SECRET, "4200001"):
        assert secret.encode() not in raw
    # And what is sealed in the database is still sealed for somebody who has opened the file.
    opened = "\n".join(read_lines(file, [SECRET]))
    assert "4200001" in opened
    for personal in (PHONE, NAME, OPEN_ID, "漏水"):
        assert personal not in opened


def test_a_database_with_anything_in_it_is_refused_and_stays_as_it_is(file: Path, target: Database) -> None:
    migrate(target)
    target.unlock(["another secret key here"])
    with target.write() as session:
        person(session, "ou_somebody", "Somebody")
    with pytest.raises(NotEmpty):
        ready(target, file, [SECRET], force=False)
    with pytest.raises(NotEmpty):
        bring_back(target, file)
    with target.read() as session:
        assert [row.name for row in People(session).all()] == ["Somebody"]


def test_with_force_it_is_replaced_whole(file: Path, filled: Database, target: Database) -> None:
    migrate(target)
    target.unlock(["another secret key here"])
    with target.write() as session:
        person(session, "ou_somebody", "Somebody")
        complaint(session, "gone")
    bring_back(target, file, force=True)
    assert counts(target) == counts(filled)
    with target.read() as session:
        assert People(session).by_open_id("ou_somebody") is None
        assert [row.name for row in People(session).all()] == [NAME]


def test_one_that_was_only_looked_at_counts_as_empty(file: Path, target: Database) -> None:
    migrate(target)
    target.unlock([SECRET])
    with target.write() as session:
        Schedules(session).ran("complaints.poll", NOW)
        Schedules(session).beat("main-0", datetime.now(UTC) - timedelta(minutes=5))
    bring_back(target, file)
    assert counts(target)["complaint"] == 3


def test_one_that_a_process_works_on_is_refused_even_with_force(file: Path, target: Database) -> None:
    migrate(target)
    with target.write() as session:
        session.add(Heartbeat(executor="worker-7", seen_at=datetime.now(UTC)))
    for attempt in (lambda: ready(target, file, [SECRET], force=True), lambda: bring_back(target, file, force=True)):
        with pytest.raises(InUse, match="worker-7"):
            attempt()


def test_a_failure_at_the_very_end_changes_nothing(file: Path, target: Database) -> None:
    migrate(target)
    target.unlock(["another secret key here"])
    with target.write() as session:
        person(session, "ou_somebody", "Somebody")

    def fails(session: Session) -> None:
        assert session.scalar(select(func.count()).select_from(Refund)) == 3, "the rows are there by then"
        raise RuntimeError("the engine went away")

    with pytest.raises(RuntimeError):
        bring_back(target, file, force=True, then=fails)
    with target.read() as session:
        assert [row.name for row in People(session).all()] == ["Somebody"]
        assert session.scalar(select(func.count()).select_from(Refund)) == 0


def test_a_damaged_file_touches_nothing(file: Path, target: Database) -> None:
    raw = bytearray(file.read_bytes())
    raw[-5] ^= 1
    file.write_bytes(raw)
    migrate(target)
    target.unlock([SECRET])
    with target.write() as session:
        person(session, "ou_somebody", "Somebody")
    with pytest.raises(UnreadableFile):
        bring_back(target, file, force=True)
    with target.read() as session:
        assert [row.name for row in People(session).all()] == ["Somebody"]


def test_a_file_whose_rows_do_not_add_up_is_refused(file: Path, target: Database, tmp_path: Path) -> None:
    lines = list(read_lines(file, [SECRET]))
    without = [line for number, line in enumerate(lines) if not line.startswith('["refund"') or number % 2]
    assert len(without) < len(lines)
    for name, kept in (("rows missing", without), ("end missing", lines[:-1])):
        write_lines(tmp_path / name, SECRET, {"schema": "0001"}, kept)
        with pytest.raises(UnreadableFile, match="not whole"):
            bring_back(target, tmp_path / name)


def test_a_backup_of_a_newer_version_is_refused(file: Path, target: Database, tmp_path: Path) -> None:
    newer = tmp_path / "newer"
    write_lines(newer, SECRET, {"schema": "9999"}, read_lines(file, [SECRET]))
    with pytest.raises(SchemaTooNew, match="9999"):
        bring_back(target, newer)


def test_another_secret_key_is_refused_before_anything_happens(file: Path, target: Database) -> None:
    with pytest.raises(UnreadableFile, match="another secret key"):
        restore(target, file, ["quite another secret"], force=True, now=NOW, then=nothing_more)


def test_the_key_of_the_backup_may_be_one_of_before(file: Path, target: Database) -> None:
    restore(target, file, ["the new secret key 2", SECRET], force=False, now=NOW, then=nothing_more)
    again = Database(target.url.render_as_string(hide_password=False))
    again.unlock(["the new secret key 2"])  # wrapped anew: the old one is not needed any more
    with again.read() as session:
        assert [row.name for row in People(session).all()] == [NAME]
    again.close()
    with pytest.raises(VaultError):
        target.unlock([SECRET])


def test_an_audit_that_had_been_tampered_with_is_told_and_brought_back_as_it_was(
    filled: Database, tmp_path: Path, target: Database
) -> None:
    with filled.write() as session:
        session.get_one(AuditEntry, 3).params = {"n": 99}
    path = tmp_path / "tampered"
    backup(filled, path, SECRET, NOW)
    assert bring_back(target, path).audit.broken_at == 3
