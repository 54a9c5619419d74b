from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from feishu_bot import TinyBot

from bot.feishu.doctor import SCOPES, Callback, Finding, check_callback, examine
from bot.feishu.lark import LarkFeishu
from sandbox.server import Sandbox


class Off:
    """A clock that is `by` off."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by


def by_check(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_good_set_up_has_nothing_to_remedy(sandbox: Sandbox, port: LarkFeishu) -> None:
    app, clock = sandbox.feishu.app, sandbox.world.clock
    chat = sandbox.feishu.add_chat("群", [sandbox.feishu.add_user("周")])
    with TinyBot(app.encrypt_key, app.verification_token, clock) as bot:
        callback = Callback(bot.url, app.encrypt_key, app.verification_token)
        findings = examine(port, clock, chats=[chat.chat_id], callback=callback)
    assert [finding.check for finding in findings] == [
        *("credentials", "bot", "clock", "scopes", "contacts", "chats", "callback")
    ]
    assert [finding for finding in findings if not finding.ok or finding.remedy] == []


def test_a_wrong_secret_is_said_first_and_nothing_else_is_asked(sandbox: Sandbox) -> None:
    port = LarkFeishu(sandbox.feishu.app.app_id, "wrong", sandbox.url, sandbox.world.clock)
    (finding,) = examine(port, sandbox.world.clock)
    assert (finding.check, finding.ok) == ("credentials", False)
    assert "App Secret" in finding.remedy


def test_a_feishu_out_of_reach_is_not_called_a_wrong_secret(sandbox: Sandbox) -> None:
    port = LarkFeishu("cli_a", "s", "http://127.0.0.1:9", sandbox.world.clock)
    (finding,) = examine(port, sandbox.world.clock)
    assert (finding.check, finding.ok) == ("reach", False)


def test_missing_scopes_are_listed_with_their_reason(sandbox: Sandbox, port: LarkFeishu) -> None:
    sandbox.feishu.app.scopes -= {"im:resource", "contact:user.employee:readonly"}
    finding = by_check(examine(port, sandbox.world.clock))["scopes"]
    assert not finding.ok
    assert "im:resource" in finding.detail
    assert SCOPES["contact:user.employee:readonly"] in finding.detail
    assert "im:chat:readonly" not in finding.detail


def test_a_chat_without_the_bot_is_named(sandbox: Sandbox, port: LarkFeishu) -> None:
    inside = sandbox.feishu.add_chat("群", [sandbox.feishu.add_user("周")])
    finding = by_check(examine(port, sandbox.world.clock, chats=[inside.chat_id, "oc_other"]))["chats"]
    assert not finding.ok
    assert "oc_other" in finding.detail
    assert inside.chat_id not in finding.detail


def test_an_empty_contact_range_is_told(sandbox: Sandbox, port: LarkFeishu) -> None:
    sandbox.feishu.app.contact_scope = set()
    assert not by_check(examine(port, sandbox.world.clock))["contacts"].ok
    sandbox.feishu.app.contact_scope = {sandbox.feishu.add_user("周").open_id}
    assert by_check(examine(port, sandbox.world.clock))["contacts"].ok


def test_a_refused_question_becomes_a_finding(sandbox: Sandbox, port: LarkFeishu) -> None:
    sandbox.feishu.app.scopes -= {"im:chat", "im:chat:readonly"}
    finding = by_check(examine(port, sandbox.world.clock))["chats"]
    assert not finding.ok
    assert "im:chat" in finding.remedy


@pytest.mark.parametrize(("minutes", "ok"), [(0, True), (4, False), (-4, False)])
def test_a_clock_that_is_off_is_told(sandbox: Sandbox, port: LarkFeishu, minutes: int, ok: bool) -> None:
    assert by_check(examine(port, Off(timedelta(minutes=minutes))))["clock"].ok is ok


def test_the_callback_is_asked_as_feishu_asks(sandbox: Sandbox) -> None:
    clock = sandbox.world.clock
    with TinyBot("key", "token", clock) as bot:
        assert check_callback(Callback(bot.url, "key", "token"), clock).ok
        for wrong in (Callback(bot.url, "other", "token"), Callback(bot.url, "key", "other")):
            assert "401" in check_callback(wrong, clock).detail
        assert not check_callback(Callback(bot.url, "", ""), clock).ok
        bot.delay = 1.1
        slow = check_callback(Callback(bot.url, "key", "token"), clock)
        assert not slow.ok
        assert "waits 1 s" in slow.detail
    assert "reached" in check_callback(Callback(bot.url, "key", "token"), clock).detail
    assert not check_callback(Callback("no address", "key", "token"), clock).ok
    with TinyBot("", "token", clock) as plain:
        assert check_callback(Callback(plain.url, "", "token"), clock).ok
