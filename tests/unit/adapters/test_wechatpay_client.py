"""The signed conversation over a real socket, against a server that answers what it is told."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from merchant_kit import (
    NOW,
    PUBLIC_KEY_ID,
    SERIAL,
    Pauses,
    certificate_pem,
    client_of,
    key,
    sealed,
    signed,
)
from wire_server import Behaviour, WireServer, answer, hang_up, refusal, serving

from adapters.errors import (
    BadRequest,
    ChannelError,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
    Untrusted,
)
from adapters.wechatpay import crypto
from adapters.wechatpay.client import segment
from adapters.wechatpay.refunds import PATH, WeChatPayRefunds


def proven(body: Mapping[str, object], **how: object) -> Behaviour:
    content = json.dumps(body).encode()
    return answer(200, content, signed(content, **how))  # type: ignore[arg-type]  # passed through for brevity


GOOD = proven({"ok": True})


def authorization(server: WireServer, number: int = 0) -> dict[str, str]:
    scheme, _, rest = server.head(number)["authorization"].partition(" ")
    assert scheme == "WECHATPAY2-SHA256-RSA2048"
    return dict(re.findall(r'(\w+)="([^"]*)"', rest))


def test_a_read_is_signed_over_exactly_what_is_sent() -> None:
    with serving(GOOD) as server, client_of(server.url) as client:
        assert client.get("/v3/a%2Fb", {"q": "你 +", "n": 5}) == {"ok": True}
        head, told = server.head(), authorization(server)
        target = head[""].split(" ")[1]
        assert target == "/v3/a%2Fb?q=%E4%BD%A0+%2B&n=5"
        assert (told["mchid"], told["serial_no"], told["nonce_str"]) == ("1900000109", SERIAL, "0" * 32)
        assert int(told["timestamp"]) == int(NOW.timestamp())
        message = crypto.request_message("GET", target, int(told["timestamp"]), "0" * 32, b"")
        assert crypto.verify(key("merchant").public_key(), told["signature"], message)
        assert (head["accept"], head["wechatpay-serial"]) == ("application/json", PUBLIC_KEY_ID)
        assert head["user-agent"].startswith("mpops/")
        assert "content-type" not in head


def test_a_write_sends_the_bytes_that_were_signed() -> None:
    with serving(GOOD) as server, client_of(server.url) as client:
        client.write("POST", "/v3/x", {"text": "你好", "n": 1})
        told, body = authorization(server), server.body()
        assert json.loads(body) == {"text": "你好", "n": 1}
        message = crypto.request_message("POST", "/v3/x", int(told["timestamp"]), "0" * 32, body)
        assert crypto.verify(key("merchant").public_key(), told["signature"], message)
        assert server.head()["content-type"] == "application/json"


@pytest.mark.parametrize(
    "behaviour",
    [
        answer(200, b'{"ok":true}'),
        proven({"ok": True}, by="other"),
        proven({"ok": True}, serial="PUB_KEY_ID_999"),
        proven({"ok": True}, serial="ABCDEF"),
        proven({"ok": True}, at=NOW - timedelta(seconds=301)),
        proven({"ok": True}, at=NOW + timedelta(seconds=301)),
        answer(204, b""),
    ],
    ids=["unsigned", "other key", "unknown id", "unknown serial", "replayed", "from the future", "unsigned 204"],
)
def test_an_unproven_answer(behaviour: Behaviour) -> None:
    with serving(behaviour) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknown, match="not proven"):
            client.write("POST", "/v3/x", {})
        assert len(server.requests) == 1
        with pytest.raises(Untrusted, match="not proven"):
            client.get("/v3/x")


def test_a_probe_signature_on_a_read_is_answered_by_asking_again() -> None:
    body = b'{"ok":true}'
    probe = {**signed(body), "Wechatpay-Signature": "WECHATPAY/SIGNTEST/AAAA"}
    with serving(answer(200, body, probe), GOOD) as server, client_of(server.url) as client:
        assert client.get("/v3/x") == {"ok": True}
        assert len(server.requests) == 2


def test_an_empty_proven_answer_reads_as_nothing() -> None:
    with serving(answer(204, b"", signed(b""))) as server, client_of(server.url) as client:
        assert client.write("POST", "/v3/x", {"a": 1}) == {}


@pytest.mark.parametrize(("body", "error"), [(b"[1]", Unavailable), (b"{", Unavailable)])
def test_a_proven_answer_that_is_no_object(body: bytes, error: type[ChannelError]) -> None:
    with serving(answer(200, body, signed(body))) as server, client_of(server.url) as client:
        with pytest.raises(error, match="unreadable"):
            client.get("/v3/x")
        with pytest.raises(OutcomeUnknown, match="unreadable"):
            client.write("POST", "/v3/x", {})


@pytest.mark.parametrize(
    "trouble", [hang_up, refusal(500, "SYSTEM_ERROR"), refusal(429, "FREQUENCY_LIMITED"), answer(502, b"<html>")]
)
def test_reads_are_repeated_and_signed_anew(trouble: Behaviour) -> None:
    pauses = Pauses()
    with serving(trouble, trouble, GOOD) as server, client_of(server.url, pauses=pauses) as client:
        assert client.get("/v3/x") == {"ok": True}
        assert len(server.requests) == 3
        assert len(pauses.seconds) == 2
        assert pauses.seconds[0] < 0.03


def test_reads_give_up_after_three_tries_and_never_on_a_refusal() -> None:
    with serving(refusal(500, "SYSTEM_ERROR", "系统异常")) as server, client_of(server.url) as client:
        with pytest.raises(Unavailable, match="系统异常"):
            client.get("/v3/x")
        assert len(server.requests) == 3
    with serving(refusal(404, "RESOURCE_NOT_EXISTS")) as server, client_of(server.url) as client:
        with pytest.raises(NotFound):
            client.get("/v3/x")
        assert len(server.requests) == 1


def test_the_platforms_own_pause_is_kept_or_left_to_the_caller() -> None:
    pauses = Pauses()
    soon = refusal(429, "FREQUENCY_LIMITED", Retry_After="2")
    with serving(soon, GOOD) as server, client_of(server.url, pauses=pauses) as client:
        client.get("/v3/x")
    assert pauses.seconds == [2.0]
    with serving(refusal(429, "FREQUENCY_LIMITED", Retry_After="60")) as server, client_of(server.url) as client:
        with pytest.raises(RateLimited) as caught:
            client.get("/v3/x")
        assert caught.value.after == 60
        assert len(server.requests) == 1


@pytest.mark.parametrize("trouble", [hang_up, refusal(500, "SYSTEM_ERROR"), answer(202, b"{}"), answer(502, b"<html>")])
def test_writes_are_never_repeated(trouble: Behaviour) -> None:
    with serving(trouble) as server, client_of(server.url) as client:
        with pytest.raises(OutcomeUnknown):
            client.write("POST", "/v3/x", {})
        assert len(server.requests) == 1


def test_a_throttled_refund_is_unknown_and_a_throttled_reply_is_not() -> None:
    with serving(refusal(429, "FREQUENCY_LIMITED")) as server, client_of(server.url) as client:
        refunds = WeChatPayRefunds(client, provider=False)
        with pytest.raises(OutcomeUnknown):
            refunds.create(out_refund_no="r", transaction_id="t", amount_fen=1, total_fen=2, reason="")
        with pytest.raises(RateLimited):
            client.write("POST", "/v3/x", {})


def test_an_answer_about_another_refund_is_not_taken() -> None:
    with serving(proven({"out_refund_no": "other", "status": "SUCCESS"})) as server, client_of(server.url) as client:
        refunds = WeChatPayRefunds(client, provider=False)
        with pytest.raises(OutcomeUnknown):
            refunds.create(out_refund_no="r", transaction_id="t", amount_fen=1, total_fen=2, reason="")
        with pytest.raises(Unavailable):
            refunds.query("r")


def test_a_partner_names_the_sub_merchant_of_a_refund() -> None:
    told = proven({"out_refund_no": "r|1", "status": "PROCESSING", "amount": {"refund": 1, "total": 2}})
    with serving(told) as server, client_of(server.url, mode="provider") as client:
        refunds = WeChatPayRefunds(client, provider=True, notify_url="https://bot.example/notify/pay")
        with pytest.raises(BadRequest, match="sub-merchant"):
            refunds.create(out_refund_no="r|1", transaction_id="t", amount_fen=1, total_fen=2, reason="")
        assert server.connections == 0
        refunds.create(
            out_refund_no="r|1", transaction_id="t", amount_fen=1, total_fen=2, reason="质量", merchant_id="1900000200"
        )
        assert json.loads(server.body()) == {
            "transaction_id": "t",
            "out_refund_no": "r|1",
            "amount": {"refund": 1, "total": 2, "currency": "CNY"},
            "reason": "质量",
            "notify_url": "https://bot.example/notify/pay",
            "sub_mchid": "1900000200",
        }
        refunds.query("r|1", merchant_id="1900000200")
        assert server.head(1)[""] == f"GET {PATH}/r%7C1?sub_mchid=1900000200 HTTP/1.1"


@pytest.mark.parametrize("number", ["", "a b", "退款", "../x", "r" * 65, "r\n"])
def test_refund_numbers_that_cannot_be_are_not_sent(number: str) -> None:
    with serving(GOOD) as server, client_of(server.url) as client:
        refunds = WeChatPayRefunds(client, provider=False)
        with pytest.raises(BadRequest):
            refunds.create(out_refund_no=number, transaction_id="t", amount_fen=1, total_fen=2, reason="")
        with pytest.raises(BadRequest):
            refunds.query(number)
        assert server.connections == 0


@pytest.mark.parametrize(("amount", "total"), [(0, 5), (-1, 5), (6, 5)])
def test_impossible_amounts_are_not_sent(amount: int, total: int) -> None:
    with serving(GOOD) as server, client_of(server.url) as client:
        with pytest.raises(BadRequest):
            WeChatPayRefunds(client, provider=False).create(
                out_refund_no="r", transaction_id="t", amount_fen=amount, total_fen=total, reason=""
            )
        assert server.connections == 0


def test_emoji_never_leave() -> None:
    with serving(GOOD) as server, client_of(server.url) as client:
        for text in ("好😀", "half \ud83d"):
            with pytest.raises(BadRequest, match="emoji"):
                client.write("POST", "/v3/x", {"inner": {"text": text}})
        assert server.connections == 0


@pytest.mark.parametrize("broken", ["private_key", "platform_public_key"])
def test_a_broken_key_shows_before_anything_is_sent(broken: str) -> None:
    """Noticed only when the answer came, a refund would be made and told as refused."""
    changes: dict[str, Any] = {broken: "not a key"}
    with serving(GOOD) as server, client_of(server.url, **changes) as client:
        with pytest.raises(Misconfigured, match=broken):
            client.write("POST", "/v3/x", {})
        assert server.connections == 0


@pytest.mark.parametrize(
    ("text", "encoded"), [("a/../b", "a%2F..%2Fb"), ("a?b#c", "a%3Fb%23c"), ("好", "%E5%A5%BD"), ("r|1@x", "r%7C1%40x")]
)
def test_no_id_reaches_another_address(text: str, encoded: str) -> None:
    assert segment(text) == encoded


@pytest.mark.parametrize("text", ["", ".", "..", "\ud800"])
def test_ids_that_are_none(text: str) -> None:
    with pytest.raises(BadRequest):
        segment(text)


def listing(pem: str, *, by: str = "platform", serial: str = "0" * 34 + "ABCDEF", api_v3_key: str = "") -> Behaviour:
    """GET /v3/certificates with one certificate, signed by its own key."""
    parts = sealed(pem.encode(), "certificate", api_v3_key) if api_v3_key else sealed(pem.encode(), "certificate")
    return proven({"data": [{"serial_no": serial, "encrypt_certificate": parts}]}, by=by, serial=serial)


CERTIFIED: dict[str, Any] = {"platform_public_key": "", "platform_public_key_id": ""}


def test_without_a_public_key_the_certificates_are_fetched_first() -> None:
    serial = "0" * 34 + "ABCDEF"
    told = proven({"ok": True}, serial=serial)
    with serving(listing(certificate_pem("platform")), told) as server, client_of(server.url, **CERTIFIED) as client:
        assert client.get("/v3/x") == {"ok": True}
        assert client.get("/v3/x") == {"ok": True}
        lines = [server.head(number)[""] for number in range(3)]
        assert [line.split(" ")[1] for line in lines] == ["/v3/certificates", "/v3/x", "/v3/x"]
        assert "wechatpay-serial" not in server.head(1)


@pytest.mark.parametrize(
    "first",
    [
        listing(certificate_pem("platform"), by="other"),
        listing(certificate_pem("platform"), api_v3_key="x" * 32),
        listing("not a certificate"),
        proven({"data": []}),
        proven({"data": [{"encrypt_certificate": 5}]}),
        proven({"data": "x"}),
        refusal(500, "SYSTEM_ERROR"),
        hang_up,
    ],
    ids=["wrong signature", "other api key", "no pem", "empty", "shape", "type", "500", "hang up"],
)
def test_without_any_key_nothing_is_written(first: Behaviour) -> None:
    """A write whose answer could not be proven is not begun."""
    with serving(first) as server, client_of(server.url, **CERTIFIED) as client:
        with pytest.raises((Untrusted, Unavailable)):
            client.write("POST", "/v3/x", {"pay": 1})
        assert all(b"/v3/certificates" in request for request in server.requests)


def test_a_handed_in_certificate_carries_on_while_the_list_is_down() -> None:
    trouble = refusal(500, "SYSTEM_ERROR")
    told = proven({"ok": True}, serial="0" * 34 + "ABCDEF")
    with (
        serving(trouble, trouble, trouble, told) as server,
        client_of(server.url, **CERTIFIED, platform_certificates=(certificate_pem("platform"),)) as client,
    ):
        assert client.write("POST", "/v3/x", {}) == {"ok": True}
        assert client.write("POST", "/v3/x", {}) == {"ok": True}, "the list is not asked for again within a minute"
        assert len(server.requests) == 5


def test_an_expired_certificate_proves_nothing() -> None:
    expired = certificate_pem("platform", days=-1)
    with (
        serving(refusal(500, "SYSTEM_ERROR")) as server,
        client_of(server.url, **CERTIFIED, platform_certificates=(expired,)) as client,
    ):
        assert client.keys.find("0" * 34 + "ABCDEF") is None


def test_both_keys_side_by_side() -> None:
    with (
        serving(proven({"by": "key"}), proven({"by": "certificate"}, by="old platform", serial="00abcdef")) as server,
        client_of(server.url, platform_certificates=(certificate_pem("old platform", 0xABCDEF),)) as client,
    ):
        assert client.get("/v3/x") == {"by": "key"}
        with pytest.raises(Untrusted, match="not held"):
            client.get("/v3/x")
    full = "0" * 34 + "abcdef"  # the serial is compared without regard to case
    with (
        serving(proven({"by": "certificate"}, by="old platform", serial=full)) as server,
        client_of(server.url, platform_certificates=(certificate_pem("old platform", 0xABCDEF),)) as client,
    ):
        assert client.get("/v3/x") == {"by": "certificate"}
