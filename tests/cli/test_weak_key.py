"""A secret key that can be guessed begins no new installation, and locks nobody out of one that stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.database import Database
from storage.migrate import migrate
from tests.cli.running import MPOPS, mpops, settings
from tests.rows import SECRET

WEAK = "a" * 16
GUESSED = "MPOPS_SECRET_KEY can be guessed"


def stands(url: str, secret: str) -> None:
    """An installation from before keys were judged."""
    database = Database(url)
    migrate(database)
    database.unlock([secret])
    database.close()


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "keys list", "audit verify"])
def test_b18_a_weak_key_begins_nothing(command: str, database_url: str) -> None:
    ran = mpops(*command.split(), env=settings(database_url, MPOPS_SECRET_KEY=WEAK))
    assert ran.code == 1
    assert f"{GUESSED}: it is too short. Nothing was changed" in ran.err
    assert "openssl rand -base64 32" in ran.err
    assert "MPOPS_ALLOW_WEAK_SECRET_KEY=1" in ran.err
    database = Database(database_url)
    if database.is_sqlite:
        assert not database.is_there, "nor a file"
        database.close()
        return
    with database.reader.connect() as connection:
        assert not database.writer.dialect.has_table(connection, "data_key"), "also no schema was made"
    database.close()


def test_b18_a_setting_by_its_name_lets_it_begin(database_url: str) -> None:
    weak = {"MPOPS_SECRET_KEY": WEAK, "MPOPS_ALLOW_WEAK_SECRET_KEY": "1"}
    assert mpops("migrate", env=settings(database_url, **weak)).code == 0
    told = mpops("doctor", env=settings(database_url, **weak, MPOPS_FEISHU__DOMAIN="http://127.0.0.1:9"))
    assert "ok   settings: secret key's form: can be guessed: it is too short (MPOPS_ALLOW" in told.out


def test_b18_a_house_that_stands_opens_and_doctor_says_how_to_change_the_key(database_url: str) -> None:
    stands(database_url, WEAK)
    weak = {"MPOPS_SECRET_KEY": WEAK}
    for command in ("migrate", "keys list", "audit verify"):
        assert mpops(*command.split(), env=settings(database_url, **weak)).code == 0, command
    told = mpops("doctor", env=settings(database_url, **weak, MPOPS_FEISHU__DOMAIN="http://127.0.0.1:9"))
    assert "FAIL settings: secret key's form: can be guessed: it is too short" in told.out
    assert "Change the secret key" in told.out
    # And as doctor says, it is changed: nobody judges the key that was.
    changed = {"MPOPS_SECRET_KEY": SECRET, "MPOPS_PREVIOUS_SECRET_KEYS": f'["{WEAK}"]'}
    assert mpops("keys", "list", env=settings(database_url, **changed)).code == 0
    told = mpops("doctor", env=settings(database_url, **changed, MPOPS_FEISHU__DOMAIN="http://127.0.0.1:9"))
    assert "ok   settings: secret key's form: looks random" in told.out


def test_b18_a_backup_of_such_a_house_comes_back(tmp_path: Path) -> None:
    old, new = f"sqlite:///{tmp_path / 'old.db'}", f"sqlite:///{tmp_path / 'new.db'}"
    stands(old, WEAK)
    assert mpops("backup", tmp_path / "backup", env=settings(old, MPOPS_SECRET_KEY=WEAK)).code == 0
    assert mpops("restore", tmp_path / "backup", env=settings(new, MPOPS_SECRET_KEY=WEAK)).code == 0


def test_b18_nothing_here_names_a_key_of_its_own() -> None:
    """Demo, examples, deployment and documents show how to make one, and none to copy."""
    root = Path(MPOPS[1]).parent
    files = [root / "README.md", root / "compose.yaml", root / "Dockerfile", root / "sandbox" / "demo.py"]
    files += [
        path for folder in ("deploy", "examples", "docs") for path in (root / folder).rglob("*") if path.is_file()
    ]
    for file in files:
        for line in file.read_text(errors="replace").splitlines():
            _, found, value = line.partition("MPOPS_SECRET_KEY=")
            assert not found or not value.strip("'\"` ").strip() or value.startswith("$"), f"{file.name}: {line}"
