"""`/notify/<account>` from outside: names that try to be paths, junk, and junk under the channel's own signature."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from sandbox.wechatpay.keys import seal_with_api_key
from tests.security.attacked import NOTIFY, Attacked, fuzzed
from tests.security.shapes import DEEP, VALUES, WORDS, bodies, objects
from tests.security.wire import as_json

NAMES = st.sampled_from(
    [
        "/pay-main",
        "//pay-main",
        "../pay-main", "..%2fpay-main", "%2e%2e/pay-main", "pay-main/", "pay-main/../pay-main", "pay-main%00",
        "pay-main%0a", "PAY-MAIN", "pay-main ", "pay%2Dmain%20", "%70ay-main?x=/", "pay-main;x",
        "'--", "${jndi:ldap://x}", "{{7*7}}",
        "%ff%fe", "a" * 5000, ".", "..", "", "-", "env:MPOPS_SECRET_KEY", "file:%2Fetc%2Fpasswd", "con",
        "pay-main%E2%80%8B",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=40).map(quote)  # fmt: skip
SEALED = ("algorithm", "nonce", "associated_data", "ciphertext", "original_type")
OUTER = ("id", "create_time", "event_type", "resource_type", "resource", "summary")


@fuzzed(30)
@given(NAMES, st.sampled_from(["GET", "POST", "HEAD", "PUT"]), st.binary(max_size=100))
def test_names_of_accounts(bot: Attacked, name: str, method: str, body: bytes) -> None:
    answer = bot.strike(f"/notify/{name}", body, method=method)
    assert answer.status in (400, 401, 404, 405), answer
    assert "pay-main" not in answer.written, "which accounts there are is nobody's business"


@fuzzed(20)
@given(bodies(*OUTER), st.sampled_from(["GET", "POST"]))
def test_junk(bot: Attacked, body: bytes, method: str) -> None:
    assert bot.strike(NOTIFY, body, {"Content-Type": "application/json"}, method=method).status in (401, 413)


@fuzzed(20)
@given(bodies(*OUTER) | objects(*SEALED).map(lambda resource: as_json({"id": "x", "resource": resource})))
def test_junk_under_the_right_signature(bot: Attacked, body: bytes) -> None:
    assert bot.notify(body).status in (401, 413)


@fuzzed(30)
@given(
    st.text(min_size=1, max_size=20) | st.just("\x00") | st.just("\ud800"),
    st.sampled_from(["COMPLAINT.CREATE", "COMPLAINT.X", "REFUND.SUCCESS", "REFUND.X", "COUPON.USE"]) | WORDS,
    objects("complaint_id", "action_type", "out_refund_no", "refund_status", "amount", "transaction_id").map(as_json)
    | VALUES.map(as_json) | DEEP | st.binary(max_size=50),
    objects("create_time", "summary", "resource_type"),
)  # fmt: skip
def test_junk_sealed_with_the_right_key(
    bot: Attacked, id: str, event: str, content: bytes, more: dict[str, Any]
) -> None:
    key = bot.world.wechatpay.merchants[bot.world.merchant_id].api_v3_key
    resource = seal_with_api_key(key, content.decode("utf-8", "replace"), "complaint").as_json()
    told = {"id": id, "event_type": event, "resource": resource, **more}
    assert bot.notify(json.dumps(told).encode()).status in (200, 401, 413)
