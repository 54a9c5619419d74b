"""The vendor's Node SDK verifies and decrypts what the sandbox pushes, answers a click, and sends a message."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault, PushFault
from sandbox.feishu.platform import Feishu
from sandbox.server import Sandbox
from tests.contract.feishu.conftest import Company, Raw, card, refund_form, until

NODE = Path(__file__).parents[1] / "node"


@pytest.fixture(scope="session")
def node() -> str:
    """The path of node, with the SDK installed beside the bot; a machine without node skips unless told otherwise."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        if os.environ.get("MPOPS_REQUIRE_ALL"):
            pytest.fail("node and npm are required here and missing")
        pytest.skip("node or npm is missing: the Node SDK cannot prove the sandbox on this machine")
    if not (NODE / "node_modules" / "@larksuiteoapi").is_dir():
        subprocess.run([npm, "ci", "--ignore-scripts"], cwd=NODE, check=True, capture_output=True, timeout=300)
    return found


@pytest.fixture
def bot(node: str, box: Sandbox) -> Iterator[subprocess.Popen[str]]:
    app = box.feishu.app
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    process = subprocess.Popen(
        [node, "bot.js", app.app_id, app.secret, box.url, app.encrypt_key, app.verification_token],
        cwd=NODE,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    app.event_url = f"http://127.0.0.1:{said(process)['port']}/feishu/events"
    yield process
    process.kill()
    process.communicate(timeout=10)


def said(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line: dict[str, Any] = json.loads(process.stdout.readline())
    return line


def test_challenge_event_click_and_send(bot: subprocess.Popen[str], feishu: Feishu, raw: Raw, company: Company) -> None:
    zhang, group = company.zhang.open_id, company.group.chat_id
    outcome = feishu.verify_callback()
    assert outcome.ok, outcome.detail

    # A wrong signature is dropped by the SDK, though it answers 200: the next event is the first one heard of.
    feishu.world.faults.add(Fault("feishu", PushFault.TAMPER, path="im.message"))
    feishu.user_sends(zhang, group, "假的")
    until(lambda: feishu.world.deliveries.attempts[0].answers == [200], 10, "the answer to the tampered event")
    sent = feishu.user_sends(zhang, group, "/帮助 🎉")
    assert said(bot) == {"kind": "message", "id": sent.message_id, "text": "@_user_1 /帮助 🎉"}

    message_id = raw.send(group, card(refund_form()))["data"]["message_id"]
    result = feishu.click_button(zhang, message_id, "提交", {"amount": "1.00"})
    form = {"amount": "1.00", "note": "", "reason": "quality"}
    assert said(bot) == {"kind": "click", "value": {"act": "refund"}, "form": form}
    assert (result.code, result.toast_text) == (0, "收到")

    assert bot.stdin is not None
    bot.stdin.write(json.dumps({"chat": group, "text": "来自 Node"}) + "\n")
    bot.stdin.flush()
    answer = said(bot)
    assert answer["code"] == 0
    assert feishu.store.message(answer["id"]).content == {"text": "来自 Node"}
