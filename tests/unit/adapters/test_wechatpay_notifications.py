"""Pushes that are proven but odd: read, or refused as ours to refuse; never anything else."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from merchant_kit import API_V3_KEY, NOW, config, sealed, signed

from adapters.channel import build
from adapters.errors import BadRequest, Untrusted
from adapters.ports.pushes import InboundPort
from adapters.values import ComplaintNotice, Notification, RefundDetails, RefundState
from adapters.wechatpay.key_checks import own_keys

INBOUND = build(config(), clock=lambda: NOW).require(InboundPort)
CONTENT = {"complaint_id": "200201820200101080076610000", "action_type": "CREATE_COMPLAINT"}


def opened(envelope: object) -> Notification:
    body = envelope if isinstance(envelope, bytes) else json.dumps(envelope).encode()
    return INBOUND.open(signed(body), body)


def envelope(content: object = CONTENT, **changes: Any) -> dict[str, Any]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    known = {
        "id": "EV-2018022511223320873",
        "create_time": "2026-03-20T14:00:00+08:00",
        "resource_type": "encrypt-resource",
        "event_type": "COMPLAINT.CREATE",
        "summary": "产生新投诉",
        "resource": {"original_type": "complaint", **sealed(raw, "complaint")},
    }
    return {**known, **changes}


def test_a_documented_push() -> None:
    told = opened(envelope())
    assert (told.key, told.event, told.summary) == ("EV-2018022511223320873", "COMPLAINT.CREATE", "产生新投诉")
    assert told.sent_at == datetime(2026, 3, 20, 6, tzinfo=UTC)
    assert told.resource == CONTENT
    assert INBOUND.read(told.event, told.resource) == ComplaintNotice(CONTENT["complaint_id"], "CREATE_COMPLAINT")


@pytest.mark.parametrize("event", ["TRANSACTION.SUCCESS", "VIOLATION.PUNISH", "SOMETHING.NEW"])
def test_events_without_a_word_of_ours_are_kept_whole(event: str) -> None:
    told = opened(envelope({"new": {"deep": [1]}}, event_type=event, create_time="20180225112233"))
    assert told.resource == {"new": {"deep": [1]}}
    assert told.sent_at == datetime(2018, 2, 25, 3, 22, 33, tzinfo=UTC)
    assert INBOUND.read(told.event, told.resource) is None


def test_a_refund_in_our_words() -> None:
    content = {"out_refund_no": "RF-1", "refund_status": "ABNORMAL", "amount": {"total": 100, "refund": 60}}
    told = opened(envelope(content, event_type="REFUND.ABNORMAL"))
    refund = INBOUND.read(told.event, told.resource)
    assert isinstance(refund, RefundDetails)
    assert (refund.out_refund_no, refund.state, refund.amount_fen) == ("RF-1", RefundState.ABNORMAL, 60)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        envelope(id=""),
        envelope(id="x" * 129),
        envelope(id=None),
        envelope(event_type=""),
        envelope(resource=None),
        envelope(resource={"algorithm": "AEAD_SM4_GCM"}),
        envelope(b"not json"),
        envelope([1]),
        envelope({"action_type": "CREATE_COMPLAINT"}),
        envelope({"complaint_id": {}}, event_type="COMPLAINT.STATE_CHANGE"),
        envelope({"refund_status": "SUCCESS"}, event_type="REFUND.SUCCESS"),
    ],
)
def test_proven_but_not_as_documented(body: object) -> None:
    with pytest.raises(BadRequest):
        opened(body)


@pytest.mark.parametrize("change", [{"ciphertext": "AAAA"}, {"nonce": ""}, {"associated_data": "other"}, {"nonce": 5}])
def test_proven_but_not_to_be_opened(change: dict[str, Any]) -> None:
    whole = envelope()
    with pytest.raises(Untrusted, match="cannot be opened"):
        opened({**whole, "resource": {**whole["resource"], **change}})


REFUNDED = {"out_refund_no": "RF-1", "refund_status": "SUCCESS", "amount": {"total": 100, "refund": 60}}


@pytest.mark.parametrize("said", [{"mchid": "1900000999"}, {"sp_mchid": "1900000999", "sub_mchid": "1900000109"}])
def test_b14_a_push_of_another_merchant_is_refused(said: dict[str, str]) -> None:
    with pytest.raises(Untrusted, match="another merchant"):
        opened(envelope({**REFUNDED, **said}, event_type="REFUND.SUCCESS"))


@pytest.mark.parametrize("said", [{"mchid": "1900000109"}, {}, {"mchid": None}, {"mchid": 5}, {"mchid": ""}])
def test_b14_our_own_is_taken_also_if_it_does_not_say_whose_it_is(said: dict[str, Any]) -> None:
    assert opened(envelope({**REFUNDED, **said}, event_type="REFUND.SUCCESS")).resource == {**REFUNDED, **said}


junk = st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.lists(st.integers(), max_size=2)
keys = ["id", "create_time", "event_type", "resource_type", "summary", "resource", "extra"]


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(keys), junk), st.dictionaries(st.text(max_size=12), junk, max_size=4))
def test_nothing_proven_raises_anything_else(changes: dict[str, Any], content: dict[str, Any]) -> None:
    try:
        told = opened({**envelope({**CONTENT, **content}), **changes})
    except (BadRequest, Untrusted):
        return
    assert told.key
    json.dumps(dict(told.resource)).encode("utf-8")


def test_answers_to_the_platform_tell_nothing() -> None:
    assert INBOUND.accepted().status == 200
    assert json.loads(INBOUND.accepted().body)["code"] == "SUCCESS"
    assert 400 <= INBOUND.refused().status < 500
    assert json.loads(INBOUND.refused().body) == {"code": "FAIL", "message": "失败"}


# --- while the APIv3 key is changed ---------------------------------------------------------------------------------

OLD = "an old key of thirty-two letters"


@pytest.mark.parametrize("key", [OLD, API_V3_KEY])
def test_pushes_sealed_with_the_old_and_the_new_key_are_opened(key: str) -> None:
    inbound = build(config(api_v3_key_previous=OLD), clock=lambda: NOW).require(InboundPort)
    resource = {"original_type": "complaint", **sealed(json.dumps(CONTENT).encode(), "complaint", key)}
    body = json.dumps(envelope(resource=resource)).encode()
    assert inbound.open(signed(body), body).resource == CONTENT


def test_a_third_key_is_refused_and_so_is_the_old_one_afterwards() -> None:
    for known, key in ((OLD, "a third key of thirty-two letters"[:32]), ("", OLD)):
        inbound = build(config(api_v3_key_previous=known), clock=lambda: NOW).require(InboundPort)
        resource = {"original_type": "complaint", **sealed(json.dumps(CONTENT).encode(), "complaint", key)}
        body = json.dumps(envelope(resource=resource)).encode()
        with pytest.raises(Untrusted, match="api_v3_key"):
            inbound.open(signed(body), body)


def test_doctor_reminds_of_the_old_key() -> None:
    for previous, detail in ((OLD, "still taken"), ("short", "not 32 bytes"), (API_V3_KEY, "the same")):
        found = {each.check: each for each in own_keys(config(api_v3_key_previous=previous), NOW)}
        assert not found["api_v3_key_previous"].ok
        assert detail in found["api_v3_key_previous"].detail
        assert previous not in found["api_v3_key_previous"].detail
    assert "api_v3_key_previous" not in {each.check for each in own_keys(config(), NOW)}
