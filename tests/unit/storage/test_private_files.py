"""What mpops writes is for its own user alone from the first moment on, whatever the umask says."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from bot.contributions.doctor import Finding
from handlers.cli.doctor_machine import examine_database
from storage.backups.backup import backup
from storage.backups.restore_check import check_restore
from storage.database import Database
from storage.migrate import migrate
from tests.cli.running import ROOT, mpops, settings
from tests.rows import NOW, SECRET

# Tells of every SQLite file, folder and other file how wide it is in the moment in which it is opened or made.
WATCH = """
import os, sys
folder = sys.argv.pop(1)
def watch(event, args):
    if event == "sqlite3.connect/handle":
        return
    if event == "sqlite3.connect" and not os.path.isfile(args[0]):
        print("made by SQLite itself:", args[0])
    if event == "open" and isinstance(args[0], str) and args[0].startswith(folder):
        if os.path.exists(args[0]) and os.stat(args[0]).st_mode & 0o077:
            print("open to others:", args[0])
    if event == "os.mkdir" and str(args[0]).startswith(folder) and args[1] & 0o077:
        print("a folder for others:", args[0])
sys.addaudithook(watch)
sys.path.insert(0, os.getcwd())
from app import main
main()
"""


def wide(folder: Path) -> list[str]:
    """Everything below that others may do anything with."""
    return [
        f"{path.relative_to(folder)} {stat.S_IMODE(path.lstat().st_mode):o}"
        for path in sorted(folder.rglob("*"))
        if path.lstat().st_mode & 0o077
    ]


@pytest.fixture
def generous() -> Iterator[None]:
    """As a shell with `umask 0`."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_b16_a_new_database_and_its_folders_are_private_from_the_start(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/var/deeper/mpops.db"
    for command in (["migrate"], ["backup", "--drill", f"{tmp_path}/var/backup"], ["keys", "list"]):
        ran = subprocess.run(
            [sys.executable, "-c", WATCH, str(tmp_path), *command],
            cwd=ROOT, env=settings(url, TMPDIR=str(tmp_path)), umask=0, capture_output=True, text=True, timeout=100,
            check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        assert not [line for line in ran.stdout.splitlines() if line.startswith(("made by", "open to", "a folder"))]
    assert (tmp_path / "var" / "deeper" / "mpops.db").is_file()
    assert (tmp_path / "var" / "backup").is_file()
    assert wide(tmp_path) == []


def test_b16_what_sqlite_puts_beside_the_file_is_private_too(tmp_path: Path, generous: None) -> None:
    database = Database(f"sqlite:///{tmp_path}/var/mpops.db")
    migrate(database)
    database.unlock([SECRET])
    with database.write(), database.system.connect():
        assert {path.name for path in (tmp_path / "var").iterdir()} == {"mpops.db", "mpops.db-wal", "mpops.db-shm"}
        assert wide(tmp_path) == []
    database.close()


def test_b16_a_link_that_leads_to_a_file_not_there_yet(tmp_path: Path, generous: None) -> None:
    (tmp_path / "mpops.db").symlink_to(tmp_path / "elsewhere.db")
    database = Database(f"sqlite:///{tmp_path}/mpops.db")
    migrate(database)
    database.close()
    assert (tmp_path / "elsewhere.db").stat().st_mode & 0o077 == 0


def test_b16_a_place_where_no_file_can_be_made_is_told_by_sqlite(tmp_path: Path) -> None:
    (tmp_path / "mpops.db").mkdir()
    database = Database(f"sqlite:///{tmp_path}/mpops.db")
    (finding,) = examine_database(database, [SECRET])
    assert not finding.ok
    database.close()


def older(folder: Path) -> Database:
    """As a version before made it: for everybody, with a transaction still in its write-ahead log."""
    url = f"sqlite:///{folder}/mpops.db"
    database = Database(url)
    migrate(database)
    database.unlock([SECRET])
    for path in (*folder.glob("mpops.db*"), folder):
        path.chmod(0o755 if path == folder else 0o664)
    return database


def test_b16_an_older_file_is_narrowed_and_said(tmp_path: Path) -> None:
    database = older(tmp_path)
    with capture_logs() as logs:
        database.keep_private()
        database.keep_private()
    told = [line["file"] for line in logs if line["event"] == "database.narrowed"]
    assert sorted(told) == ["mpops.db", "mpops.db-shm", "mpops.db-wal"], "once"
    assert wide(tmp_path) == []
    assert tmp_path.stat().st_mode & 0o777 == 0o755, "a folder that was there is somebody's decision"
    with database.write():  # and it goes on working
        pass
    database.close()


def test_b16_what_cannot_be_narrowed_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = older(tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)  # as if it were somebody else's
    database.keep_private()
    assert len(wide(tmp_path)) == 3
    database.close()
    database.keep_private()


def test_b16_every_command_narrows_at_its_start(tmp_path: Path) -> None:
    older(tmp_path).close()
    ran = mpops("keys", "list", env=settings(f"sqlite:///{tmp_path}/mpops.db"))
    assert (ran.code, "database.narrowed" in ran.err) == (0, True)
    assert wide(tmp_path) == []


def rights(database: Database) -> Finding:
    (found,) = (one for one in examine_database(database, [SECRET]) if one.check == "file rights")
    return found


def test_b16_doctor_names_what_others_may_use_and_changes_nothing(tmp_path: Path) -> None:
    database = older(tmp_path)
    found = rights(database)
    assert not found.ok
    assert "mpops.db (664)" in found.detail
    assert f"the folder {tmp_path.name} (755)" in found.detail
    assert f"chmod go= {tmp_path}/mpops.db " in found.remedy
    assert len(wide(tmp_path)) == 3
    database.keep_private()
    assert f"chmod go= {tmp_path}`" in rights(database).remedy
    tmp_path.chmod(0o700)
    assert rights(database).ok
    database.close()


def test_b16_a_backup_is_private_also_over_the_rest_of_one_that_was_cut_off(tmp_path: Path, generous: None) -> None:
    database = older(tmp_path)
    (tmp_path / "backup.part").write_bytes(b"cut off")
    backup(database, tmp_path / "backup", SECRET, NOW)
    assert (tmp_path / "backup").stat().st_mode & 0o777 == 0o600
    assert check_restore(tmp_path / "backup", [SECRET], NOW).holds
    database.close()
