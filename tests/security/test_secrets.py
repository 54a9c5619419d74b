"""Secrets: never in a log, never in what a command says, never compared letter by letter."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.demo import ROOT, Demo
from tests import log_secrets
from tests.security.attacked import Attacked

_SECRET = ("signature", "verification_token", "access_token", "mac", "hash", "secret", "password", "claimed")


def test_the_search_finds_each_kind_of_secret(bot: Attacked) -> None:
    """What is known is all that should be; each of it is found in the way a log writes it."""
    demo = bot.world.demo
    known = list(log_secrets.known(demo))
    kinds = {what for what, _ in known}
    assert kinds >= {
        "MPOPS_SECRET_KEY", "an app secret", "an encrypt key", "a verification token", "an access token",
        "an APIv3 key", "a private key", "a phone number", "a customer's open id", "a text",
    }  # fmt: skip
    for what, secret in known:
        line = f'{{"event": "x", "detail": {secret!r}}}'
        assert any(what in leak for leak in log_secrets.leaks(line, demo)), what
        assert secret not in str(log_secrets.leaks(line, demo)), "and it is not told again"
    assert log_secrets.leaks('{"phone": "call 13912345678 now"}', demo)
    assert log_secrets.leaks('{"event": "complaint.stored", "id": "1391234567890"}', demo) == []


def test_whoever_stops_a_demo_has_its_log_searched(tmp_path: Path) -> None:
    assert log_secrets.judge in Demo.witnesses
    demo = Demo(0, ["true"], folder=tmp_path / "demo")
    (demo.folder / "bot.log").write_text(f"token {demo.sandbox.feishu.app.secret}\n")
    demo.sandbox.start()
    with pytest.raises(AssertionError):
        demo.stop()


def comparisons() -> Iterator[tuple[str, str]]:
    """Every comparison in the product with the place where it stands."""
    for folder in ("bot", "storage", "adapters", "handlers"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Compare) and any(isinstance(each, ast.Eq | ast.NotEq) for each in node.ops):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", ast.unparse(node)


# What is stored beside each other, where nobody can try: rows of the audit against their own neighbours.
_STORED = {"head.last_id != checked or head.hash != previous", "head.hash != previous"}


def test_no_proof_is_compared_in_a_time_that_tells_about_it() -> None:
    found = list(comparisons())
    assert len(found) > 100
    suspicious = []
    for place, code in found:
        names = {
            part
            for node in ast.walk(ast.parse(code))
            for part in (getattr(node, "attr", ""), getattr(node, "id", ""))
            if isinstance(part, str)
        }
        if code not in _STORED and any(name.endswith(_SECRET) for name in names):
            suspicious.append(f"{place}: {code}")
    assert suspicious == [], "hmac.compare_digest is for these"
