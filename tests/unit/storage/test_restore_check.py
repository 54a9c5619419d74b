"""The drill: a good backup is proven, a bad one is not, and nothing stays behind."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, text

from storage.backups.backup import backup
from storage.backups.history import PROVEN, proven
from storage.backups.restore_check import check_restore
from storage.backups.sealed_file import UnreadableFile
from storage.core.audit import Audit, AuditEntry, AuditHead
from storage.core.schedule import Schedules
from storage.database import Database
from storage.rotation import rotate
from storage.vault import VaultError
from tests.rows import NOW, PHONE, SECRET, complaint, person


def note(database: Database, count: int) -> None:
    with database.write() as session:
        for number in range(count):
            Audit(session, database.vault.subkey("audit")).add(
                at=NOW, actor_id=None, event="refund.paid", subject="complaint:1", params={"n": number}
            )


@pytest.fixture
def filled(database: Database) -> Database:
    with database.write() as session:
        person(session, "ou_a", "A")
        complaint(session, "a", phone=PHONE)
    rotate(database, SECRET)
    with database.write() as session:
        complaint(session, "b", phone=PHONE)
    note(database, 3)
    return database


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where temporary files go."""
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    return own


def test_a_good_backup_is_proven(filled: Database, tmp_path: Path, folder: Path) -> None:
    counts = backup(filled, tmp_path / "good", SECRET, NOW)
    proof = check_restore(tmp_path / "good", [SECRET], NOW + timedelta(days=1))
    assert proof.holds
    assert (proof.made_at, proof.counts.total, proof.audit.checked) == (NOW, counts.total, 3)
    assert proof.values >= 9
    assert list(folder.iterdir()) == [], "nothing stays behind"
    with filled.write() as session:
        proven(session, proof.made_at)
    with filled.read() as session:
        assert Schedules(session).last_run(PROVEN) == NOW


def test_a_value_that_does_not_open_is_found(filled: Database, tmp_path: Path, folder: Path) -> None:
    with filled.write() as session:
        session.execute(text("UPDATE complaint SET phone = 'k1.AAAA' WHERE external_id = 'a'"))
    backup(filled, tmp_path / "bad", SECRET, NOW)
    with pytest.raises(VaultError):
        check_restore(tmp_path / "bad", [SECRET], NOW)
    assert list(folder.iterdir()) == []


def test_a_broken_audit_and_a_broken_file_are_found(filled: Database, tmp_path: Path, folder: Path) -> None:
    with filled.write() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id == 2))
    backup(filled, tmp_path / "bad", SECRET, NOW)
    proof = check_restore(tmp_path / "bad", [SECRET], NOW)
    assert (proof.holds, proof.audit.broken_at) == (False, 3)
    whole = (tmp_path / "bad").read_bytes()
    (tmp_path / "bad").write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(UnreadableFile):
        check_restore(tmp_path / "bad", [SECRET], NOW)
    assert list(folder.iterdir()) == []


def test_an_anchor_notices_that_the_end_was_cut_off_with_its_head(filled: Database) -> None:
    key = filled.vault.subkey("audit")
    with filled.read() as session:
        audit = Audit(session, key)
        anchor = audit.anchor()
        assert anchor.startswith("3:")
        assert audit.holds(anchor)
    note(filled, 2)
    with filled.read() as session:
        assert Audit(session, key).holds(anchor), "what comes after does not matter"
    with filled.write() as session:
        session.execute(delete(AuditEntry).where(AuditEntry.id > 2))
        last = session.get_one(AuditEntry, 2)
        head = session.get_one(AuditHead, 1)
        head.last_id, head.hash = last.id, last.hash
    with filled.read() as session:
        assert Audit(session, key).verify().broken_at is None, "the chain alone cannot tell"
        assert not Audit(session, key).holds(anchor)
    note(filled, 1)
    with filled.read() as session:
        last = session.get_one(AuditEntry, 3)
        assert Audit(session, key).holds(f"3:{last.hash[:12]}")
        assert Audit(session, key).verify().broken_at is None


def test_an_entry_written_anew_is_another_one(filled: Database) -> None:
    key = filled.vault.subkey("audit")
    with filled.write() as session:
        audit = Audit(session, key)
        anchor = audit.anchor()
        session.execute(delete(AuditEntry).where(AuditEntry.id == 3))
        last, head = session.get_one(AuditEntry, 2), session.get_one(AuditHead, 1)
        head.last_id, head.hash = last.id, last.hash
        audit.add(at=NOW, actor_id=None, event="refund.paid", subject="complaint:1", params={"n": 99})
        assert audit.verify().broken_at is None
        assert not audit.holds(anchor)


@pytest.mark.parametrize("given", ["", "3", "3:", "3:xyz", "0:0123456789ab", "-1:0123456789ab", "3:0123", ":" * 9])
def test_what_is_no_anchor(database: Database, given: str) -> None:
    with database.read() as session, pytest.raises(ValueError, match="looks like"):
        Audit(session, b"").holds(given)
