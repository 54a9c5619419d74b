from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.feishu.envelope import LARGEST, Challenge, Envelope, Refused, moment, open_envelope
from bot.feishu.sealing import NONCE, SIGNATURE, TIMESTAMP, encrypt, seal, signature

NOW = datetime(2026, 1, 1, 0, 0, 30, tzinfo=UTC)
KEY, TOKEN = "ekey", "vtok"
MESSAGE: dict[str, Any] = {
    "schema": "2.0",
    "header": {
        "event_id": "ev_1",
        "event_type": "im.message.receive_v1",
        "create_time": "1767225600000",
        "token": TOKEN,
        "app_id": "cli_demo",
    },
    "event": {"message": {"message_id": "om_1"}},
}
APPROVAL: dict[str, Any] = {
    "ts": "1502199207.7171419",
    "uuid": "bc447199585340d1f3728d26b1c0297a",
    "token": TOKEN,
    "type": "event_callback",
    "event": {"type": "approval_instance", "instance_code": "x"},
}
CHALLENGE = {"challenge": 'say "this"', "token": TOKEN, "type": "url_verification"}


def opened(
    headers: Mapping[str, str], body: bytes, key: str = KEY, token: str = TOKEN, now: datetime = NOW
) -> Challenge | Envelope:
    return open_envelope(headers, body, encrypt_key=key, verification_token=token, now=now)


def sealed(payload: object, key: str = KEY, at: datetime = NOW) -> tuple[Mapping[str, str], bytes]:
    return seal(json.dumps(payload).encode(), key, at)


def changed(event: Mapping[str, Any], **header: Any) -> dict[str, Any]:
    return {**event, "header": {**event["header"], **header}}


def test_a_message_is_known_by_its_message_id() -> None:
    envelope = opened(*sealed(MESSAGE))
    assert envelope == Envelope(
        "message:om_1", "im.message.receive_v1", "2.0", datetime(2026, 1, 1, tzinfo=UTC), MESSAGE["event"]
    )


def test_other_events_are_known_by_their_event_id() -> None:
    click = changed(MESSAGE, event_type="card.action.trigger", create_time="1767225600123456")
    envelope = opened(*sealed(click))
    assert isinstance(envelope, Envelope)
    assert envelope.natural_id == "ev_1"
    assert envelope.created_at == datetime(2026, 1, 1, 0, 0, 0, 123456, tzinfo=UTC)


def test_events_of_the_old_schema_are_known_by_their_uuid() -> None:
    envelope = opened(*sealed(APPROVAL))
    assert isinstance(envelope, Envelope)
    assert (envelope.natural_id, envelope.event_type, envelope.schema) == (
        "bc447199585340d1f3728d26b1c0297a",
        "approval_instance",
        "1.0",
    )
    assert envelope.created_at.year == 2017


def test_an_unknown_event_type_is_opened_like_any_other() -> None:
    envelope = opened(*sealed(changed(MESSAGE, event_type="moon.phase.changed_v9")))
    assert isinstance(envelope, Envelope)
    assert envelope.natural_id == "ev_1"


def test_header_names_may_come_in_any_case() -> None:
    headers, body = sealed(MESSAGE)
    assert isinstance(opened({name.lower(): value for name, value in headers.items()}, body), Envelope)
    assert isinstance(opened({name.upper(): value for name, value in headers.items()}, body), Envelope)


def test_the_address_check_needs_no_signature_but_the_token() -> None:
    _, body = sealed(CHALLENGE)
    assert opened({}, body) == Challenge('say "this"')
    assert opened({TIMESTAMP: "1", NONCE: "n", SIGNATURE: "0" * 64}, body) == Challenge('say "this"')
    _, wrong = sealed({**CHALLENGE, "token": "guess"})
    with pytest.raises(Refused, match="token"):
        opened({}, wrong)


def test_the_address_check_of_an_app_without_a_key_comes_plain() -> None:
    assert opened({}, json.dumps(CHALLENGE).encode(), key="") == Challenge('say "this"')


def test_without_a_key_the_token_is_the_proof() -> None:
    assert isinstance(opened({}, json.dumps(MESSAGE).encode(), key=""), Envelope)
    for wrong in (changed(MESSAGE, token="guess"), changed(MESSAGE, token=None), changed(MESSAGE, token=7)):
        with pytest.raises(Refused, match="token"):
            opened({}, json.dumps(wrong).encode(), key="")


def test_with_neither_key_nor_token_nothing_is_believed() -> None:
    with pytest.raises(Refused, match="configured"):
        opened({}, json.dumps(MESSAGE).encode(), key="", token="")


def test_a_signed_event_needs_no_token_but_no_wrong_one_either() -> None:
    assert isinstance(opened(*sealed(changed(MESSAGE, token=None))), Envelope)
    assert isinstance(opened(*sealed(changed(MESSAGE, token="whatever")), token=""), Envelope)
    with pytest.raises(Refused, match="token"):
        opened(*sealed(changed(MESSAGE, token="guess")))


@pytest.mark.parametrize("seconds", [-301, 301, 86400, -86400])
def test_a_signature_of_another_time_is_refused(seconds: int) -> None:
    with pytest.raises(Refused, match="window"):
        opened(*sealed(MESSAGE, at=NOW + timedelta(seconds=seconds)))


@pytest.mark.parametrize("seconds", [-299, 0, 299])
def test_a_clock_may_be_a_little_off(seconds: int) -> None:
    assert isinstance(opened(*sealed(MESSAGE, at=NOW + timedelta(seconds=seconds))), Envelope)


def test_a_repeat_is_signed_anew_and_keeps_its_id() -> None:
    later = NOW + timedelta(hours=6)
    first, repeat = opened(*sealed(MESSAGE)), opened(*sealed(MESSAGE, at=later), now=later)
    assert isinstance(first, Envelope)
    assert isinstance(repeat, Envelope)
    assert first.natural_id == repeat.natural_id


@pytest.mark.parametrize("missing", [TIMESTAMP, NONCE, SIGNATURE])
def test_a_missing_header_is_refused(missing: str) -> None:
    headers, body = sealed(MESSAGE)
    with pytest.raises(Refused, match="unsigned"):
        opened({name: value for name, value in headers.items() if name != missing}, body)


@pytest.mark.parametrize("forged", ["", "0" * 64, "é", "\udcff", "A" * 100_000])
def test_a_wrong_signature_is_refused(forged: str) -> None:
    headers, body = sealed(MESSAGE)
    with pytest.raises(Refused, match="unsigned"):
        opened({**headers, SIGNATURE: forged}, body)


def test_a_changed_body_is_refused() -> None:
    headers, body = sealed(MESSAGE)
    with pytest.raises(Refused):
        opened(headers, body + b" ")


@pytest.mark.parametrize("timestamp", ["", "soon", "-5", "1e9", "٣", "9" * 13, " 1767225630"])
def test_a_timestamp_that_is_no_number_is_refused(timestamp: str) -> None:
    _, body = sealed(MESSAGE)
    headers = {TIMESTAMP: timestamp, NONCE: "n", SIGNATURE: signature(timestamp, "n", KEY, body)}
    with pytest.raises(Refused, match="timestamp"):
        opened(headers, body)


def test_a_plain_body_is_refused_where_a_key_is_configured() -> None:
    body = json.dumps(MESSAGE).encode()
    timestamp = str(int(NOW.timestamp()))
    headers = {TIMESTAMP: timestamp, NONCE: "n", SIGNATURE: signature(timestamp, "n", KEY, body)}
    with pytest.raises(Refused, match="plain"):
        opened(headers, body)
    with pytest.raises(Refused, match="no encrypt key"):
        opened(*sealed(MESSAGE), key="")


@pytest.mark.parametrize(
    "inner",
    [
        b"",
        b"null",
        b"[]",
        b"[[[[]]]]",
        b"7",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"header":{}}',
        b'{"schema":"2.0","header":[],"event":{}}',
        b'{"schema":"2.0","header":{"event_type":"x","event_id":""},"event":{}}',
        b'{"schema":"2.0","header":{"event_type":{},"event_id":"1"},"event":{}}',
        b'{"schema":"2.0","header":{"event_type":"x","event_id":"a\\u0000b"},"event":{}}',
        b'{"schema":"2.0","header":{"event_type":"x","event_id":"\\ud800"},"event":{}}',
        b'{"schema":"2.0","header":{"event_type":"x","event_id":"1"},"event":[]}',
        b'{"type":"url_verification"}',
        b'{"type":"url_verification","challenge":{"a":1}}',
        b'{"uuid":"1","event":{}}',
        b'{"uuid":9,"event":{"type":"x"}}',
        b'{"n":' + b"9" * 5000 + b"}",
    ],
)
def test_what_is_no_event_is_refused_even_when_it_is_signed(inner: bytes) -> None:
    with pytest.raises(Refused):
        opened(*seal(inner, KEY, NOW), token="")


def test_bad_base64_and_bad_padding_are_refused() -> None:
    for text in ("!!!", "AAAA", encrypt(b'{"a":1}', "other")):
        body = json.dumps({"encrypt": text}).encode()
        timestamp = str(int(NOW.timestamp()))
        headers = {TIMESTAMP: timestamp, NONCE: "n", SIGNATURE: signature(timestamp, "n", KEY, body)}
        with pytest.raises(Refused):
            opened(headers, body)


def test_a_body_of_two_megabytes_is_refused_unread() -> None:
    with pytest.raises(Refused, match="too large"):
        opened({}, b"x" * (2 * LARGEST))
    headers, body = sealed({**MESSAGE, "more": "x" * 300_000})
    assert isinstance(opened(headers, body), Envelope)
    with pytest.raises(Refused, match="unsigned"):
        opened({}, body)


def test_an_envelope_survives_the_inbox_with_any_text_in_it() -> None:
    envelope = Envelope("1", "x", "2.0", NOW, {"text": "半\ud800😀\x00", "deep": [{"n": 1.5}]})
    stored = envelope.dump()
    assert stored.encode("ascii")
    assert Envelope.load(stored) == envelope


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("1767225600", "2026-01-01T00:00:00+00:00"),
        (1767225600, "2026-01-01T00:00:00+00:00"),
        ("1767225600000", "2026-01-01T00:00:00+00:00"),
        (1767225600000, "2026-01-01T00:00:00+00:00"),
        ("1767225600000000", "2026-01-01T00:00:00+00:00"),
    ],
)
def test_seconds_milliseconds_and_microseconds_are_told_apart(raw: object, expected: str) -> None:
    found = moment(raw)
    assert found is not None
    assert found.isoformat() == expected


@pytest.mark.parametrize("raw", [None, "", "x", "nan", "inf", "-inf", 0, -1, True, [], {}, 10**400, "1e400"])
def test_what_is_no_time_is_none(raw: object) -> None:
    assert moment(raw) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
KNOWN = st.sampled_from(["schema", "header", "event", "type", "token", "challenge", "uuid", "ts", "encrypt"])
INNER = st.sampled_from(["event_id", "event_type", "create_time", "token", "type", "message", "message_id"])
EVENTISH = st.dictionaries(KNOWN, JSON | st.dictionaries(INNER, JSON, max_size=5), max_size=7)


@settings(max_examples=100, deadline=None)
@given(headers=st.dictionaries(st.sampled_from([TIMESTAMP, NONCE, SIGNATURE]), st.text(max_size=80)), body=st.binary())
def test_no_bytes_crash_it(headers: dict[str, str], body: bytes) -> None:
    for key in (KEY, ""):
        with pytest.raises(Refused):
            opened(headers, body, key=key)


@settings(max_examples=100, deadline=None)
@given(payload=EVENTISH, token=st.sampled_from(["", TOKEN]))
def test_no_signed_json_crashes_it(payload: dict[str, Any], token: str) -> None:
    with suppress(Refused):
        assert isinstance(opened(*sealed(payload), token=token), Challenge | Envelope)


# --- while the key and the token are changed in the console -----------------------------------------------------------


def during(headers: Mapping[str, str], body: bytes, **more: str) -> Challenge | Envelope:
    known = {"encrypt_key": "new key", "encrypt_key_previous": KEY, "verification_token": "new"}
    return open_envelope(headers, body, now=NOW, **{**known, "verification_token_previous": TOKEN, **more})  # type: ignore[arg-type]  # all text


@pytest.mark.parametrize("key", [KEY, "new key"])
@pytest.mark.parametrize("token", [TOKEN, "new"])
def test_during_a_change_both_keys_and_both_tokens_count(key: str, token: str) -> None:
    envelope = during(*sealed(changed(MESSAGE, token=token), key))
    assert isinstance(envelope, Envelope)
    assert envelope.natural_id == "message:om_1"
    headers, body = sealed({**CHALLENGE, "token": token}, key)
    unsigned = {name: value for name, value in headers.items() if name != SIGNATURE}
    assert during(unsigned, body) == Challenge(CHALLENGE["challenge"])


def test_during_a_change_nothing_else_counts() -> None:
    for key, token in (("third key", TOKEN), (KEY, "third"), ("third key", "third")):
        with pytest.raises(Refused):
            during(*sealed(changed(MESSAGE, token=token), key))
    headers, body = sealed(MESSAGE)
    with pytest.raises(Refused, match="unsigned"):
        during({name: value for name, value in headers.items() if name != SIGNATURE}, body)
    with pytest.raises(Refused, match="plain body"):
        during({}, json.dumps(MESSAGE).encode())


def test_after_a_change_the_previous_ones_are_worth_nothing() -> None:
    with pytest.raises(Refused):
        during(*sealed(changed(MESSAGE, token="new")), encrypt_key_previous="")
    with pytest.raises(Refused, match="token"):
        during(*sealed(MESSAGE, "new key"), verification_token_previous="")


def test_a_previous_key_alone_opens_nothing() -> None:
    with pytest.raises(Refused, match="neither"):
        during(*sealed(MESSAGE), encrypt_key="", verification_token="")
    with pytest.raises(Refused, match="no encrypt key"):
        during(*sealed(MESSAGE), encrypt_key="")


def test_a_wrong_key_that_opens_by_chance_does_not_hide_the_right_one() -> None:
    """Padding fits a wrong key about once in 256 times."""
    for number in range(600):
        headers, body = sealed(MESSAGE)
        assert isinstance(during(headers, body, encrypt_key=f"new key {number}"), Envelope)


# --- whose event it is ---------------------------------------------------------------------------------------------


OURS = {"app_id": "cli_ours", "tenant_key": "tk_ours"}
CLICK = changed(MESSAGE, event_type="card.action.trigger")


def whose(payload: Mapping[str, Any], tenants: list[str] | None = None, key: str = KEY, app: str = "cli_ours") -> str:
    """Why it is refused, "" if it is not; `tenants` collects those that were asked about."""
    asked: list[str] = [] if tenants is None else tenants

    def takes(tenant_key: str) -> bool:
        asked.append(tenant_key)
        return tenant_key == "tk_ours"

    headers, body = sealed(payload, key)
    try:
        open_envelope(headers, body, encrypt_key=key, verification_token=TOKEN, now=NOW, app_id=app, takes_tenant=takes)
    except Refused as refusal:
        return refusal.reason
    return ""


def of(payload: Mapping[str, Any], **said: Any) -> dict[str, Any]:
    """The event as that app and tenant would send it, each schema in its own place."""
    place = "header" if "header" in payload else "event"
    told = {name: value for name, value in payload[place].items() if name not in OURS}
    return {**payload, place: {**told, **said}}


@pytest.mark.parametrize("key", [KEY, ""], ids=["encrypted", "by token only"])
@pytest.mark.parametrize("payload", [MESSAGE, CLICK, APPROVAL], ids=["2.0", "a click", "1.0"])
def test_b14_an_event_of_another_app_or_tenant_is_refused(payload: dict[str, Any], key: str) -> None:
    assert whose(of(payload, **OURS), key=key) == ""
    asked: list[str] = []
    assert whose(of(payload, **{**OURS, "app_id": "cli_other"}), asked, key) == "another app"
    assert asked == [], "and says nothing of the tenant"
    assert whose(of(payload, **{**OURS, "tenant_key": "tk_other"}), key=key) == "another tenant"


@pytest.mark.parametrize("payload", [MESSAGE, CLICK, APPROVAL], ids=["2.0", "a click", "1.0"])
@pytest.mark.parametrize("nothing", ["", None, [], 5])
def test_b14_what_an_event_does_not_say_is_not_held_against_it(payload: dict[str, Any], nothing: object) -> None:
    asked: list[str] = []
    for said in ({}, {"app_id": "cli_ours"}, {"app_id": nothing, "tenant_key": nothing}):
        assert whose(of(payload, **said), asked) == ""
    assert asked == []
    assert whose(of(payload, app_id="cli_other"), app="") == "", "and where we know no app of ours, any is taken"


def test_b14_a_sender_or_operator_of_another_tenant_is_no_event_of_another_tenant() -> None:
    """As in a group with outsiders."""
    event = {
        "message": {"message_id": "om_1"}, "sender": {"tenant_key": "tk_other"}, "operator": {"tenant_key": "tk_other"},
        "app_id": "cli_other", "tenant_key": "tk_other",
    }  # fmt: skip
    assert whose({**of(MESSAGE, **OURS), "event": event}) == ""


def test_b14_only_what_is_proven_and_whole_says_a_tenant() -> None:
    asked: list[str] = []
    headers, body = sealed(of(MESSAGE, **OURS), "another key")
    with pytest.raises(Refused):
        open_envelope(
            headers, body, encrypt_key=KEY, verification_token=TOKEN, now=NOW, takes_tenant=lambda key: bool(asked)
        )
    assert whose(of(changed(MESSAGE, token="wrong"), **OURS), asked) == "verification token missing or wrong"
    assert whose(of(changed(MESSAGE, event_type=""), **OURS), asked) != ""
    assert whose({**CHALLENGE, **OURS}, asked) == ""
    assert asked == []
