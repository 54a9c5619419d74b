"""Each command once as a shell starts it: a new process that has loaded nothing, whose end is its own."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.running import MPOPS, settings
from tests.databases import migrated_url


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("migrate",), 0, "schema"),
        (("apply", "examples/demo.toml", "--dry-run"), 0, "would be made"),
        (("doctor",), 1, "to mend"),
        (("backup", "{folder}/a.backup"), 0, "rows of"),
        (("restore", "{folder}/missing.backup"), 2, "does not exist"),
        (("drill", "{folder}/missing.backup"), 2, "does not exist"),
        (("keys", "list"), 0, "in use"),
        (("audit", "verify"), 0, "whole"),
        (("audit", "export"), 0, ""),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_in_a_process_of_its_own(arguments: tuple[str, ...], code: int, word: str, tmp_path: Path) -> None:
    env = settings(migrated_url("sqlite", tmp_path), SANDBOX_URL="http://127.0.0.1:9")
    ran = subprocess.run(
        [*MPOPS, *(each.format(folder=tmp_path) for each in arguments)],
        cwd=Path(MPOPS[1]).parent, env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = ran.stdout + ran.stderr
    assert "Traceback" not in said
    assert (ran.returncode, word in said) == (code, True), said
