"""`python -m tests.security.dependencies`: fails when a package of the lock file has a known vulnerability.

That takes a service that knows them. Where it cannot be asked, one line says so and nothing fails: a laptop without a
network must be able to check everything else.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"
_PATIENCE = 180  # seconds
_UNREACHED = ("ConnectionError", "ConnectTimeout", "ReadTimeout", "Could not connect", "ServiceError", "HTTPError")


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        try:
            ran = subprocess.run(
                [sys.executable, "-m", "pip_audit", "-r", str(LOCK), "--require-hashes", "--disable-pip",
                 "--progress-spinner", "off", "--timeout", "10", "-f", "json", "-o", str(report)],
                capture_output=True, text=True, check=False, timeout=_PATIENCE,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return _told(0, f"no answer of the vulnerability service in {_PATIENCE} s; dependencies were not audited")
        found = json.loads(report.read_text()) if report.exists() and report.stat().st_size else None
    return _told(*verdict(found, ran.stderr))


def verdict(report: Mapping[str, Any] | None, errors: str) -> tuple[int, str]:
    """Exit code and what to say. What was not looked at is never called free of vulnerabilities."""
    if report is None:
        if any(sign in errors for sign in _UNREACHED):
            return 0, "the vulnerability service cannot be reached; dependencies were not audited"
        last = errors.strip().splitlines()[-1:] or ["no report and no word"]
        return 1, f"dependencies could not be audited: {last[0]}"
    packages: Sequence[Mapping[str, Any]] = report.get("dependencies", [])
    bad = [
        f"{package['name']} {package['version']}: {flaw['id']}, mended in {' '.join(flaw['fix_versions']) or 'nothing'}"
        for package in packages
        for flaw in package.get("vulns", [])
    ]
    if bad:
        return 1, "known vulnerabilities:\n  " + "\n  ".join(bad)
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    if len(unknown) == len(packages):
        return 0, "the vulnerability service knows none of the packages here; dependencies were not audited"
    said = f"{len(packages) - len(unknown)} dependencies have no known vulnerability"
    return 0, said + (f"; not known to the service: {' '.join(unknown)}" if unknown else "")


def _told(code: int, words: str) -> int:
    print(f"Dependencies: {words}.")  # noqa: T201  # a command's own words
    return code


if __name__ == "__main__":
    sys.exit(main())
