"""The end of a process comes, also where Python by itself would wait for a thread."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from bot.server.shutdown import Shutdown

stop, pool = Shutdown(within=60), ThreadPoolExecutor(1)

def begin():
    {how}

beginner = threading.Thread(target=begin, daemon={daemon})
beginner.start()
time.sleep(0.2)
print("ending", flush=True)
stop.end(3)
"""
HANGS = "pool.submit(time.sleep, 30)"


@pytest.mark.parametrize(
    ("how", "daemon", "unfinished"),
    [
        (HANGS, False, True),
        (HANGS, True, True),  # a pool's thread is a daemon if a daemon made it, and Python waits for it all the same
        ("time.sleep(30)", False, True),
        ("time.sleep(30)", True, False),
        ("pool.submit(time.sleep, 0.1); pool.shutdown(wait=False)", True, False),
    ],
)
def test_whatever_hangs_the_end_comes_and_says_so(how: str, daemon: bool, unfinished: bool) -> None:
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(how=how, daemon=daemon)],
        cwd=ROOT, capture_output=True, text=True, timeout=25, check=False,
    )  # fmt: skip
    assert time.monotonic() - began < 20
    assert (ended.returncode, ended.stderr) == (3, "")
    assert ("stop.unfinished" in ended.stdout) is unfinished
