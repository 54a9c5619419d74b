"""A chat that Feishu throttles for a moment goes on at once when that is over, to its last message."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from sandbox.demo import ROOT, Demo
from sandbox.faults import CallFault, Fault
from tests.story.waiting import eventually

COUNT = 12


def test_messages_behind_a_throttled_one_do_not_wait_for_long(tmp_path: Path) -> None:
    demo = Demo(0, [sys.executable, str(ROOT / "app.py")], folder=tmp_path / "demo")
    try:
        demo.start()
        feishu = demo.sandbox.feishu
        chat = feishu.add_chat("运营", ["ou_operator_chen"]).chat_id
        demo.sandbox.world.faults.add(Fault("feishu", CallFault.TOO_MANY, "/im/v1/messages", "POST", times=2))
        started = time.monotonic()
        subprocess.run(
            [sys.executable, "-m", "tests.bench.say_much", str(COUNT), chat],
            env=demo.environment(), cwd=ROOT, check=True, timeout=90,
        )  # fmt: skip
        eventually(lambda: len(feishu.store.in_chat(chat)) == COUNT, "not all messages came", patience=45)
        # The jobs of the last ones are used up while the first waits; a minute later they would be found anyway.
        assert time.monotonic() - started < 55
    finally:
        demo.stop()
