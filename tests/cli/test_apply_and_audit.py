"""`mpops apply`, `audit verify` and `audit export` on a SQLite file and on PostgreSQL."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import make_url

from storage.areas.configuration import Configuration
from storage.areas.people import People
from storage.core.audit import Audit
from storage.database import Database
from tests.cli.running import ROOT, mpops, settings
from tests.databases import migrated_url
from tests.rows import NOW, SECRET


@pytest.fixture
def file(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "examples" / "demo.toml", tmp_path / "company.toml")
    return tmp_path / "company.toml"


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    return migrated_url("sqlite", tmp_path)


def declared(url: str) -> tuple[list[str], list[str]]:
    database = Database(url)
    database.unlock([SECRET])
    with database.read() as session:
        accounts = [account.key for account in Configuration(session).accounts()]
        people = [person.name for person in People(session).all()]
    database.close()
    return accounts, people


def test_a_dry_run_shows_and_changes_nothing_and_the_second_run_has_nothing_to_do(
    database_url: str, file: Path
) -> None:
    env = settings(database_url)
    tried = mpops("apply", file, "--dry-run", env=env)
    assert tried.code == 0
    assert "+ account pay-main" in tried.out
    assert "would be made" in tried.out
    assert declared(database_url) == ([], [])

    applied = mpops("apply", file, env=env)
    assert applied.code == 0
    assert applied.out.splitlines()[:-1] == tried.out.splitlines()[:-1], "the dry run told what then happened"
    assert "+ role admin *" in applied.out
    assert "ou_admin_zhao" not in applied.out, "whose id it is stays masked"
    assert declared(database_url) == (["pay-main"], ["陈晨", "李雷", "王芳", "赵敏"])

    again = mpops("apply", file, env=env)
    assert (again.code, again.out) == (0, "Nothing to change.\n")


def test_a_file_with_mistakes_changes_nothing_and_names_them_all(sqlite: str, file: Path) -> None:
    words = file.read_text()
    file.write_text(words.replace('role = "approver"', 'role = "aprover"').replace('account = "pay-main"', ""))
    ran = mpops("apply", file, env=settings(sqlite))
    assert ran.code == 1
    assert "nothing was changed" in ran.err
    assert declared(sqlite) == ([], [])


def test_a_file_that_is_not_there_or_no_toml(sqlite: str, tmp_path: Path) -> None:
    assert mpops("apply", tmp_path / "missing.toml", env=settings(sqlite)).code == 2
    (tmp_path / "no.toml").write_text("[[account]\nkey=")
    ran = mpops("apply", tmp_path / "no.toml", env=settings(sqlite))
    assert ran.code == 1
    assert "not valid TOML" in ran.err


def test_the_audit_of_a_whole_file_is_proven_and_printed(sqlite: str, file: Path) -> None:
    env = settings(sqlite)
    mpops("apply", file, env=env)
    assert mpops("audit", "verify", env=env).out == "The audit is whole: 1 entries.\n"
    chinese, english = mpops("audit", "export", env=env), mpops("audit", "export", "--language", "en_us", env=env)
    (line,) = chinese.out.splitlines()
    assert line.split("\t")[:2] == ["1", "setup"]
    assert "应用了配置文件" in line
    assert "An apply file was applied" in english.out


@pytest.fixture(scope="module")
def with_entries(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with three entries in its audit."""
    url = migrated_url("sqlite", tmp_path_factory.mktemp("entries"))
    database = Database(url)
    database.unlock([SECRET])
    with database.write() as session:
        audit = Audit(session, database.vault.subkey("audit"))
        for changes in (5, 7, 9):
            audit.add(at=NOW, actor_id=None, event="setup.applied", subject="setup", params={"changes": changes})
    database.close()
    return Path(str(make_url(url).database))


@pytest.mark.parametrize(
    ("statement", "where"),
    [
        ("UPDATE audit SET params = '{\"changes\": 1}' WHERE id = 2", "at entry 2; 1 entries"),
        ("DELETE FROM audit WHERE id = 2", "at entry 3; 1 entries"),
        ("DELETE FROM audit WHERE id = 3", "at its end; 2 entries"),
        (
            "INSERT INTO audit SELECT 4, at, actor_id, event, subject, params, hash, hash FROM audit WHERE id = 3",
            "at entry 4; 3 entries",
        ),
    ],
)
def test_somebody_with_an_editor_for_sqlite_is_found_out(
    with_entries: Path, tmp_path: Path, statement: str, where: str
) -> None:
    path = tmp_path / "mpops.db"
    shutil.copyfile(with_entries, path)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(statement)
    ran = mpops("audit", "verify", env=settings(f"sqlite:///{path}"))
    assert ran.code == 1
    assert f"tampered with {where}" in ran.err
