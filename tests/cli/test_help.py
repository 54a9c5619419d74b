"""The command line without any settings: what it offers, and that asking costs nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest

import app
from tests.cli.running import ROOT, mpops, without_settings

COMMANDS = {
    "demo", "serve", "worker", "migrate", "apply", "doctor", "backup", "drill", "restore", "keys", "audit",
}  # fmt: skip
HEAVY = ("sqlalchemy", "dbos", "lark_oapi", "flask", "pydantic", "alembic", "babel", "httpx", "cryptography")
ASK = """
import sys
from app import main
try:
    main({arguments!r})
except SystemExit as over:
    code = over.code
print([name for name in {heavy!r} if name in sys.modules])
sys.exit(code)
"""


def paths(group: click.Group, prefix: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = [prefix]
    for name, command in group.commands.items():
        found += paths(command, (*prefix, name)) if isinstance(command, click.Group) else [(*prefix, name)]
    return found


def test_the_commands_of_the_contract_are_there() -> None:
    assert set(app.main.commands) >= COMMANDS
    audit = app.main.commands["audit"]
    assert isinstance(audit, click.Group)
    assert {"verify", "export"} <= set(audit.commands)


@pytest.mark.parametrize("path", paths(app.main), ids=" ".join)
def test_each_command_explains_itself_without_settings_and_without_loading_the_bot(
    path: tuple[str, ...], tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(arguments=[*path, "--help"], heavy=HEAVY)],
        env={**without_settings(), "PYTHONPATH": str(ROOT)}, cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *told, loaded = done.stdout.strip().splitlines()
    assert told[0].startswith("Usage:")
    assert len(told[2].strip()) > 20, "a sentence says what it does"
    assert loaded == "[]"
    assert list(tmp_path.iterdir()) == [], "asking leaves nothing behind"


def test_an_unknown_command_or_option_is_refused() -> None:
    for arguments in (("frobnicate",), ("serve", "--fast"), ("apply",), ("backup",), ("audit", "burn")):
        ran = mpops(*arguments, env=without_settings())
        assert ran.code == 2
        assert "Usage:" in ran.err


@pytest.mark.parametrize(
    ("arguments", "secret"),
    [
        (("serve",), None),
        (("migrate",), "too short"),
        (("backup", "x"), None),
    ],
)
def test_without_a_secret_key_nothing_begins_and_it_is_told_how_to_make_one(
    arguments: tuple[str, ...], secret: str | None, tmp_path: Path
) -> None:
    env = without_settings() | ({"MPOPS_SECRET_KEY": secret} if secret else {})
    ran = mpops(*arguments, env=env, folder=tmp_path)
    assert ran.code == 1
    assert "MPOPS_SECRET_KEY is missing or shorter than 16 characters" in ran.err
    assert "openssl rand -base64 32" in ran.err
    assert list(tmp_path.iterdir()) == [], "no database was made"
