"""A process that can no longer write says so to whoever asks whether it is ready, and again when it can."""

from __future__ import annotations

import resource
from pathlib import Path

import httpx

from tests.faults.stage import Stage, wait_for


def test_a_full_disk_is_told_and_so_is_its_end(tmp_path: Path) -> None:
    with Stage(tmp_path / "stage") as stage:

        def told() -> tuple[int, bool]:
            answer = httpx.get(f"{stage.bot_url}/readyz", timeout=5, trust_env=False)
            return answer.status_code, answer.json().get("writing", True)

        assert told() == (200, True)
        process = stage.process()
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (4096, before[1]))
        wait_for(lambda: told() == (503, False), 60, "the process to say that it cannot write", every=0.5)
        assert httpx.get(f"{stage.bot_url}/healthz", trust_env=False).status_code == 200, "a restart would not help"
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        wait_for(lambda: told() == (200, True), 30, "the process to say that it can write", every=0.5)
        assert stage.alive()
