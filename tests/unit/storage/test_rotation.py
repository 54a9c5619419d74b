"""A new data key while processes write: everything stays readable and findable, and the old key goes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, text

from storage.areas.complaints import Complaint
from storage.areas.people import People
from storage.backups.backup import backup, restore
from storage.core.audit import Audit
from storage.core.schedule import Schedules
from storage.database import Database
from storage.keys import DataKey
from storage.rotation import reseal, rotate, sealed_columns, uses
from storage.vault import REREAD_AFTER, Keys, Vault, VaultError
from tests.rows import NOW, PHONE, SECRET, complaint, person

ROOT = Path(__file__).resolve().parents[3]
AT_ONCE = timedelta(0)


def other(database: Database, *secrets: str) -> Database:
    again = Database(database.url.render_as_string(hide_password=False))
    again.unlock(list(secrets) or [SECRET])
    return again


def ids(database: Database) -> list[str]:
    with database.read() as session:
        return sorted(session.scalars(select(DataKey.id)))


def test_a_key_is_followed_by_its_values_and_by_the_minute() -> None:
    now = [1000.0]
    reads = []
    vault = Vault({"k1": b"1" * 32}, "k1", b"i" * 32, clock=lambda: now[0])
    both = Keys.of({"k1": b"1" * 32, "k2": b"2" * 32}, "k2")

    def reread() -> Keys:
        reads.append(now[0])
        return both

    vault.follow(reread)
    assert vault.seal("a").startswith("k1.")
    assert reads == []
    now[0] += REREAD_AFTER
    assert vault.seal("a").startswith("k2.")
    assert vault.seal("a").startswith("k2.")
    assert reads == [1060.0]
    now[0] -= 7 * REREAD_AFTER  # the clock was set back
    vault.seal("a")
    assert len(reads) == 2
    with pytest.raises(VaultError):
        vault.open("k3.AAAA")
    with pytest.raises(VaultError):
        vault.open("not sealed at all")
    assert len(reads) == 3, "only what looks like a key of ours is looked for"
    assert vault.open(Vault({"k2": b"2" * 32}, "k2", b"i" * 32).seal("b")) == "b"


def test_keys_that_cannot_be_read_just_now_do_not_stop_anybody() -> None:
    now = [0.0]
    vault = Vault({"k1": b"1" * 32}, "k1", b"i" * 32, clock=lambda: now[0])
    vault.follow(lambda: None)
    now[0] += REREAD_AFTER * 2
    assert vault.open(vault.seal("a")) == "a"


def test_a_running_process_opens_values_of_a_new_key_at_once(database: Database) -> None:
    running = other(database)
    with database.write() as session:
        complaint(session, "a", phone=PHONE)
    assert rotate(database, SECRET) == "k2"
    with database.write() as session:
        complaint(session, "b", phone=PHONE)
        assert str(session.scalar(text("SELECT phone FROM complaint WHERE external_id = 'b'"))).startswith("k2.")
    with running.read() as session:
        found = session.scalars(select(Complaint).where(Complaint.phone_index == PHONE).order_by(Complaint.id)).all()
        assert [(row.external_id, row.phone) for row in found] == [("a", PHONE), ("b", PHONE)]
    assert running.vault.current == "k2", "it has learned of the key, and uses it too"
    running.close()


def test_everything_is_sealed_anew_and_the_old_key_goes(database: Database) -> None:
    with database.write() as session:
        person(session, "ou_a", "A")
        complaint(session, "a", phone=PHONE)
        Audit(session, database.vault.subkey("audit")).add(
            at=NOW, actor_id=1, event="x", subject="complaint:1", params={"reason": "secret words"}
        )
    before = {use.id: use.values for use in uses(database)}
    assert list(before) == ["k1"]
    assert before["k1"] >= 5
    rotate(database, SECRET)
    made = {use.id: (use.values, use.is_current, use.made_at is not None) for use in uses(database)}
    assert made == {"k1": (before["k1"], False, False), "k2": (0, True, True)}
    first = reseal(database)
    assert (first.values, first.retired, first.kept) == (before["k1"], (), ("k1",))
    assert first.until is not None
    assert first.until > datetime.now(UTC), "processes may not have learned of the new key yet"
    second = reseal(database, settled_after=AT_ONCE)
    assert (second.values, second.busy, second.retired, second.kept) == (0, 0, ("k1",), ())
    assert ids(database) == ["index", "k2"]
    afresh = other(database)
    with afresh.read() as session:
        assert session.scalars(select(Complaint.phone).where(Complaint.phone_index == PHONE)).all() == [PHONE]
        assert [row.name for row in People(session).all()] == ["A"]
        assert People(session).by_open_id("ou_a") is not None
        assert Audit(session, afresh.vault.subkey("audit")).verify().broken_at is None
    assert rotate(afresh, SECRET) == "k3"
    afresh.close()
    assert reseal(database, settled_after=AT_ONCE).retired == ("k2",)


def test_every_sealed_column_is_known() -> None:
    found = {f"{table.name}.{name}" for table, names in sealed_columns().items() for name in names}
    assert {"complaint.phone", "audit.params", "effect.request", "inbox.body", "outbox.body", "person.name"} <= found
    assert "complaint.phone_index" not in found


def test_values_that_somebody_holds_are_left_and_nobody_waits(database: Database) -> None:
    """PostgreSQL only: SQLite has one writer, who is waited for."""
    with database.write() as session:
        person(session, "ou_a", "A")
        person(session, "ou_b", "B")
    rotate(database, SECRET)
    if database.is_sqlite:
        assert reseal(database, settled_after=AT_ONCE).retired == ("k1",)
        return
    with database.write() as session:
        session.execute(text("SELECT id FROM person WHERE id = 1 FOR UPDATE"))
        found = reseal(database, settled_after=AT_ONCE, tries=2)
        assert (found.values, found.busy, found.retired) == (2, 2, ())
    assert reseal(database, settled_after=AT_ONCE).retired == ("k1",)


def test_a_transaction_from_before_may_still_bring_old_values(database: Database) -> None:
    if database.is_sqlite:
        return  # one writer at a time: there is no such transaction beside ours
    late = other(database)
    with late.write() as session:
        person(session, "ou_late", "Late")
        session.flush()
        rotate(database, SECRET)
        found = reseal(database, settled_after=AT_ONCE)
        assert (found.busy, found.retired, found.kept) == (0, (), ("k1",)), "what is not committed cannot be counted"
    found = reseal(database, settled_after=AT_ONCE)
    assert (found.values, found.retired) == (2, ("k1",))
    with late.read() as session:
        assert [row.name for row in People(session).all()] == ["Late"]
    late.close()


def test_rotation_under_concurrent_writes(database: Database) -> None:
    writers = [other(database) for _ in range(2)]
    enough, failed = threading.Event(), []

    def work(which: int, mine: Database) -> None:
        number = 0
        try:
            while not enough.is_set():
                number += 1
                with mine.write() as session:
                    complaint(session, f"{which}-{number}", phone=PHONE)
                with mine.write() as session:
                    row = session.scalars(select(Complaint).where(Complaint.external_id == f"{which}-{number}")).one()
                    row.words = f"{row.words} again"
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(which, mine)) for which, mine in enumerate(writers)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        time.sleep(0.3)
        rotate(database, SECRET)
        for each in writers:
            each.vault.look_again("k9")  # a minute passes
        reseal(database, batch=7, pause=0.001)
    enough.set()
    for thread in threads:
        thread.join(30)
    assert failed == []
    assert reseal(database, settled_after=AT_ONCE).retired == ("k1", "k2")
    with database.read() as session:
        rows = session.scalars(select(Complaint).where(Complaint.phone_index == PHONE)).all()
        assert len(rows) > 10
        assert all(row.phone == PHONE for row in rows)
        assert sum(row.words.endswith("again") for row in rows) >= len(rows) - 2
    for each in writers:
        each.close()


def test_killed_half_way_it_goes_on_where_it_was(database: Database) -> None:
    with database.write() as session:
        for number in range(400):
            complaint(session, f"c{number}", phone=PHONE)
    rotate(database, SECRET)
    total = {use.id: use.values for use in uses(database)}["k1"]
    script = (
        "import sys; from storage.database import Database; from storage.rotation import reseal;"
        "database = Database(sys.argv[1]); database.unlock([sys.argv[2]]); reseal(database, batch=5, pause=0.02)"
    )
    url = database.url.render_as_string(hide_password=False)
    running = subprocess.Popen([sys.executable, "-c", script, url, SECRET], cwd=ROOT)
    until = time.monotonic() + 30
    while {use.id: use.values for use in uses(database)}["k2"] < 40 and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    half = {use.id: use.values for use in uses(database)}
    assert half["k1"] > 0
    assert half["k2"] > 0
    assert sum(half.values()) == total
    rest = reseal(database, settled_after=AT_ONCE)
    assert (rest.values, rest.retired) == (half["k1"], ("k1",))
    with database.read() as session:
        assert len(session.scalars(select(Complaint).where(Complaint.phone_index == PHONE)).all()) == 400


def test_a_backup_of_before_the_rotation_opens(database: Database, tmp_path: Path) -> None:
    with database.write() as session:
        person(session, "ou_a", "A")
    backup(database, tmp_path / "before", SECRET, NOW)
    rotate(database, SECRET)
    reseal(database, settled_after=AT_ONCE)
    assert ids(database) == ["index", "k2"]
    done = restore(database, tmp_path / "before", [SECRET], force=True, now=NOW, then=lambda session: None)
    assert done.audit.broken_at is None
    assert ids(database) == ["index", "k1"]
    with database.write() as session:
        assert [row.name for row in People(session).all()] == ["A"]
        person(session, "ou_b", "B")
        assert Schedules(session).last_run("keys.made:k2") is None
    assert rotate(database, SECRET) == "k2"


def test_the_secret_key_changes_in_steps_while_old_processes_run(database: Database) -> None:
    """All know both keys first; then they are exchanged, one process after the other; then the old one goes."""
    new = "the new secret key, long enough"
    old_first, second = other(database, SECRET, new), other(database, SECRET, new)
    with old_first.write() as session:
        complaint(session, "a", phone=PHONE)
    changed = other(database, new, SECRET)
    rotate(changed, new)
    with changed.write() as session:
        complaint(session, "b", phone=PHONE)
    for process in (old_first, second):
        with process.read() as session:
            found = session.scalars(select(Complaint).where(Complaint.phone_index == PHONE)).all()
            assert [row.phone for row in found] == [PHONE, PHONE]
    only_new = other(database, new)
    for each in (old_first, second, changed, only_new):
        each.close()
