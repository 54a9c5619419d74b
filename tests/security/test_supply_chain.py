"""What the lock file promises, what is said of known vulnerabilities, and the list of parts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.security.dependencies import LOCK, ROOT, verdict

FLAW = {"id": "PYSEC-2026-1", "fix_versions": ["2.0"], "aliases": [], "description": "…"}


def report(*packages: dict[str, Any]) -> dict[str, Any]:
    return {"dependencies": list(packages), "fixes": []}


@pytest.mark.parametrize(
    ("found", "errors", "code", "words"),
    [
        (report({"name": "a", "version": "1.0", "vulns": []}), "", 0, "1 dependencies have no known vulnerability"),
        (report({"name": "a", "version": "1.0", "vulns": [FLAW]}), "", 1, "a 1.0: PYSEC-2026-1, mended in 2.0"),
        (report({"name": "a", "skip_reason": "not on PyPI"}), "", 0, "were not audited"),
        (
            report({"name": "a", "skip_reason": "?"}, {"name": "b", "version": "1", "vulns": []}),
            "", 0, "not known to the service: a",
        ),
        (None, "requests.exceptions.ConnectionError: …", 0, "cannot be reached; dependencies were not audited"),
        (None, "usage: pip-audit\nerror: no such option", 1, "could not be audited: error: no such option"),
        (None, "", 1, "could not be audited"),
    ],
)  # fmt: skip
def test_what_is_said_of_vulnerabilities(found: dict[str, Any] | None, errors: str, code: int, words: str) -> None:
    ended, said = verdict(found, errors)
    assert ended == code
    assert words in said


def locked(path: Path) -> dict[str, str]:
    """Name to version of every package of a lock file."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_package_is_pinned_with_its_hashes_and_comes_from_no_named_place(name: str) -> None:
    words = (ROOT / name).read_text()
    pinned = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n", "", words).strip())
    assert len(pinned) == len(locked(ROOT / name)) > 20
    for package in pinned:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", package), package
    assert "://" not in words
    assert "--index-url" not in words


def test_the_list_of_parts(tmp_path: Path) -> None:
    file = tmp_path / "sbom.json"
    made = re.search(r"^sbom:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert made is not None, "make sbom"
    command = made[1].replace("$(BIN)/", f"{Path(sys.executable).parent}/").replace("var/sbom.json", str(file))
    subprocess.run(command.replace("\t@", "").replace("\t", ""), shell=True, cwd=ROOT, check=True, timeout=100)
    parts = json.loads(file.read_text())
    assert parts["bomFormat"] == "CycloneDX"
    assert parts["metadata"]["component"]["name"] == "mpops"
    assert {part["name"].lower(): part["version"] for part in parts["components"]} == locked(LOCK)
    for part in parts["components"]:
        assert part["purl"] == f"pkg:pypi/{part['name']}@{part['version']}"
        kinds = {each["alg"] for reference in part["externalReferences"] for each in reference.get("hashes", [])}
        assert "SHA-256" in kinds, part
