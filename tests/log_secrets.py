"""Searches what the bot's processes wrote for every secret and every customer that they had to do with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from sandbox.demo import Demo

_PHONE = re.compile(r"(?<![\dA-Za-z_-])1[3-9]\d{9}(?![\dA-Za-z_-])")
_NAMES = ("SECRET", "SECRET_KEY", "_KEY", "TOKEN")
_SHORTEST = 6  # less than that stands in a log by chance


def leaks(written: str, demo: Demo) -> list[str]:
    """What stands in `written` that never may: named, and never shown whole."""
    found = [f"{what} in the log: {secret[:3]}…" for what, secret in known(demo) if stands_in(secret, written)]
    return found + [f"a phone number in the log: {match[0][:3]}…" for match in _PHONE.finditer(written)]


def stands_in(secret: str, written: str) -> bool:
    """As it is, or as JSON or Python write it down."""
    forms = {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return any(form in written for form in forms)


def known(demo: Demo) -> Iterator[tuple[str, str]]:
    """Kind and text of everything of this demo that must not be written down."""
    with demo.sandbox.world.lock:
        for what, secret in (*_credentials(demo), *_customers(demo)):
            # A word that logs use anyway proves nothing; what people write here is Chinese or long.
            if len(secret) >= _SHORTEST and (what != "a text" or not secret.isascii() or len(secret) >= 20):
                yield what, secret


def judge(demo: Demo) -> None:
    """For `Demo.witnesses`: fails when a log of this demo tells too much."""
    wrong = [
        f"{path.name}: {leak}"
        for path in sorted(demo.folder.glob("*.log"))
        for leak in leaks(path.read_text(errors="replace"), demo)
    ]
    assert not wrong, "\n".join(wrong)


def _credentials(demo: Demo) -> Iterator[tuple[str, str]]:
    for name, value in demo.environment().items():
        if name.startswith(("MPOPS_", "SANDBOX_")) and name.endswith(_NAMES):
            yield name, value
    for app in demo.sandbox.feishu.store.apps.values():
        yield from (("an app secret", app.secret), ("an encrypt key", app.encrypt_key))
        yield "a verification token", app.verification_token
    for token in demo.sandbox.feishu.store.tokens:
        yield "an access token", token
    for merchant in demo.sandbox.wechatpay.merchants.values():
        yield "an APIv3 key", merchant.api_v3_key
        for line in merchant.private_key_pem.splitlines():
            if not line.startswith("-----"):
                yield "a private key", line


def _customers(demo: Demo) -> Iterator[tuple[str, str]]:
    for user in demo.sandbox.feishu.store.users.values():
        yield "a colleague's phone number", user.mobile
    for payment in demo.sandbox.wechatpay.ledger.payments.values():
        yield "a customer's open id", payment.openid
    for ticket in demo.sandbox.wechatpay.complaints.values():
        yield from (("a phone number", ticket.phone), ("a customer's open id", ticket.openid))
        yield "a text", ticket.text
        for record in ticket.history:
            yield "a text", record.details
