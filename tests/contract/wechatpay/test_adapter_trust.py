"""Keys, clocks and pushes: what our adapter believes, against the sandbox in every key mode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from adapter_kit import Mailbox, Pushed, Shop, eventually, mailbox, shop_in

from adapters.channel import build
from adapters.errors import BadRequest, Misconfigured, OutcomeUnknown, Untrusted
from adapters.ports.complaints import ComplaintsPort
from adapters.ports.diagnosis import DiagnosisPort
from adapters.ports.pushes import CallbacksPort, InboundPort
from adapters.ports.upkeep import UpkeepPort
from adapters.values import ComplaintNotice, Finding
from sandbox.faults import CallFault, PushFault
from sandbox.server import Sandbox
from sandbox.wechatpay.keys import KeyPair, new_public_key_pair
from sandbox.wechatpay.merchants import KeyMode

PUBLIC, CERTIFIED, SWITCHING = "1900000109", "1900000201", "1900000202"
MODES = {PUBLIC: KeyMode.PUBLIC_KEY, CERTIFIED: KeyMode.CERTIFICATE, SWITCHING: KeyMode.SWITCHING}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Shop]:
    merchant_id = getattr(request, "param", PUBLIC)
    with shop_in(sandbox, merchant_id, MODES[merchant_id]) as opened:
        yield opened


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with mailbox() as opened:
        yield opened


def complain(shop: Shop) -> str:
    return shop.sandbox.wechatpay.customer_complains(shop.merchant.id, None, "没收到货", problem_type="OTHERS").id


def pushed(shop: Shop, box: Mailbox, count: int = 1) -> list[Pushed]:
    shop.sandbox.wechatpay.set_notify_url(shop.merchant.id, box.url)
    for _ in range(count):
        complain(shop)
    return box.wait(count)


def by_check(findings: object) -> dict[str, Finding]:
    assert isinstance(findings, list)
    return {finding.check: finding for finding in findings}


# Calls


@pytest.mark.parametrize("shop", [PUBLIC, CERTIFIED, SWITCHING], indirect=True)
def test_reads_and_writes_in_every_key_mode(shop: Shop) -> None:
    complaint_id, complaints = complain(shop), shop.complaints
    assert complaints.detail(complaint_id).id == complaint_id
    complaints.reply(complaint_id, shop.merchant.id, "您好", idempotency_key="a")
    assert len(complaints.history(complaint_id)) == 3


@pytest.mark.parametrize("shop", [SWITCHING], indirect=True)
def test_before_the_switch_answers_still_come_under_the_certificate(shop: Shop) -> None:
    """Set up with the public key alone they cannot be believed; with both keys they can."""
    complaint_id = complain(shop)
    certificate_only = {"platform_public_key": "", "platform_public_key_id": ""}
    assert shop.port(ComplaintsPort, **certificate_only).detail(complaint_id)
    given = tuple(pair.certificate_pem() for pair in shop.sandbox.wechatpay.certificates)
    assert shop.port(ComplaintsPort, platform_certificates=given).detail(complaint_id)


@pytest.mark.parametrize("shop", [CERTIFIED], indirect=True)
def test_a_new_platform_certificate_is_found_when_it_signs(shop: Shop) -> None:
    pay = shop.sandbox.wechatpay
    complaint_id, complaints = complain(shop), shop.complaints
    complaints.detail(complaint_id)
    fetched = shop.calls("/v3/certificates")
    pay.list_new_certificate()
    pay.sign_with_newest()
    shop.skew += timedelta(minutes=2)  # the list is read at most once a minute
    complaints.reply(complaint_id, shop.merchant.id, "您好", idempotency_key="a")
    complaints.detail(complaint_id)
    assert shop.calls("/v3/certificates") == fetched + 1


@pytest.mark.parametrize("shop", [CERTIFIED], indirect=True)
def test_many_threads_fetch_the_certificates_once(shop: Shop) -> None:
    complaint_id, complaints = complain(shop), shop.complaints
    before = shop.calls("/v3/certificates")
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(complaints.detail, [complaint_id] * 16))
    assert {one.id for one in told} == {complaint_id}
    assert shop.calls("/v3/certificates") == before + 1


def test_a_wrong_key_of_the_platform_believes_nothing(shop: Shop) -> None:
    complaint_id = complain(shop)
    wrong = {"platform_public_key": new_public_key_pair().public_pem()}
    with pytest.raises(Untrusted):
        shop.port(ComplaintsPort, **wrong).detail(complaint_id)
    with pytest.raises(OutcomeUnknown):
        shop.port(ComplaintsPort, **wrong).reply(complaint_id, PUBLIC, "您好", idempotency_key="a")


def test_a_clock_that_is_off_is_told_as_such(shop: Shop) -> None:
    complaint_id = complain(shop)
    for minutes in (-6, 6):
        shop.skew = timedelta(minutes=minutes)
        with pytest.raises(Misconfigured, match="timestamp"):
            shop.complaints.detail(complaint_id)
    shop.skew = timedelta(minutes=4)
    assert shop.complaints.detail(complaint_id)


# Pushes


@pytest.mark.parametrize("shop", [PUBLIC, CERTIFIED, SWITCHING], indirect=True)
def test_pushes_are_opened_in_every_key_mode(shop: Shop, box: Mailbox) -> None:
    inbound = shop.port(InboundPort, fetch_certificates=shop.merchant.mode is not KeyMode.PUBLIC_KEY)
    came = pushed(shop, box, 4)
    if shop.merchant.mode is not KeyMode.PUBLIC_KEY:
        ports = shop.ports(fetch_certificates=True)
        upkeep, renewed = ports[UpkeepPort], ports[InboundPort]
        assert isinstance(upkeep, UpkeepPort)
        assert isinstance(renewed, InboundPort)
        before = shop.calls("/v3/certificates")
        by_certificate = next(push for push in came if "PUB_KEY" not in push.headers["Wechatpay-Serial"])
        with pytest.raises(Untrusted, match="not held"):
            inbound.open(by_certificate.headers, by_certificate.body)
        assert shop.calls("/v3/certificates") == before, "a push must never make us call out"
        upkeep.refresh()
        upkeep.refresh()
        assert shop.calls("/v3/certificates") == before + 1
        inbound = renewed
    told = [inbound.open(push.headers, push.body) for push in came]
    assert len({one.key for one in told}) == 4
    for one in told:
        assert one.event == "COMPLAINT.CREATE"
        notice = inbound.read(one.event, one.resource)
        assert isinstance(notice, ComplaintNotice)
        assert notice.action == "CREATE_COMPLAINT"
        assert notice.complaint_id in shop.sandbox.wechatpay.complaints
        json.dumps(dict(one.resource))


def test_a_repeat_has_the_same_key(shop: Shop, box: Mailbox) -> None:
    shop.fault(PushFault.REPEAT)
    pushed(shop, box)
    first, second = (shop.inbound.open(push.headers, push.body) for push in box.wait(2))
    assert first.key == second.key
    assert first.resource == second.resource


def test_a_probe_is_refused_and_comes_again_rightly(shop: Shop, box: Mailbox) -> None:
    box.status = shop.inbound.refused().status
    shop.fault(PushFault.TAMPER)
    probe = pushed(shop, box)[0]
    with pytest.raises(Untrusted):
        shop.inbound.open(probe.headers, probe.body)
    box.status = shop.inbound.accepted().status
    world = shop.sandbox.world
    eventually(lambda: bool(world.deliveries.attempts[-1].answers))
    eventually(lambda: len(box.pushed) > 1 or not world.clock.advance(timedelta(seconds=20)), pause=0.2)
    again = box.wait(2)[1]
    assert shop.inbound.open(again.headers, again.body).event == "COMPLAINT.CREATE"


def test_header_names_in_any_case(shop: Shop, box: Mailbox) -> None:
    push = pushed(shop, box)[0]
    for change in (str.upper, str.lower):
        assert shop.inbound.open({change(name): value for name, value in push.headers.items()}, push.body)


def test_pushes_that_are_not_believed(shop: Shop, box: Mailbox) -> None:
    push = pushed(shop, box)[0]
    inbound = shop.inbound
    inbound.open(push.headers, push.body)
    for body in (push.body + b" ", push.body.replace(b"COMPLAINT.CREATE", b"REFUND.SUCCESS"), b"", b"{}"):
        with pytest.raises(Untrusted):
            inbound.open(push.headers, body)
    for name in ("Wechatpay-Signature", "Wechatpay-Serial", "Wechatpay-Timestamp", "Wechatpay-Nonce"):
        with pytest.raises(Untrusted):
            inbound.open({key: value for key, value in push.headers.items() if key != name}, push.body)
        with pytest.raises(Untrusted):
            inbound.open({**push.headers, name: "0" * 40}, push.body)
    with pytest.raises(BadRequest):
        inbound.open(push.headers, b"x" * (inbound.max_bytes + 1))
    for minutes in (-5, 5):
        shop.skew = timedelta(minutes=minutes, seconds=1 if minutes > 0 else -1)
        with pytest.raises(Untrusted, match="clock"):
            inbound.open(push.headers, push.body)


def test_a_push_sealed_with_another_api_key(shop: Shop, box: Mailbox) -> None:
    push = pushed(shop, box)[0]
    with pytest.raises(Untrusted, match="api_v3_key"):
        shop.port(InboundPort, api_v3_key="x" * 32).open(push.headers, push.body)
    with pytest.raises(Misconfigured):
        shop.port(InboundPort, api_v3_key="too short").open(push.headers, push.body)


# The address of pushes, and doctor


def test_the_address_of_pushes(shop: Shop) -> None:
    callbacks: CallbacksPort = shop.callbacks
    assert callbacks.address() is None
    callbacks.set_address("https://bot.example.com/notify/pay-main")
    assert callbacks.address() == "https://bot.example.com/notify/pay-main"
    writes = shop.calls("complaint-notifications", "PUT") + shop.calls("complaint-notifications", "POST")
    callbacks.set_address("https://bot.example.com/notify/pay-main")
    callbacks.set_address("https://bot.example.com/notify/other")
    assert callbacks.address() == "https://bot.example.com/notify/other"
    assert shop.calls("complaint-notifications", "PUT") + shop.calls("complaint-notifications", "POST") == writes + 1
    with pytest.raises(BadRequest):
        callbacks.set_address("http://bot.example.com/notify?x=1")


@pytest.mark.parametrize("shop", [PUBLIC, CERTIFIED, SWITCHING], indirect=True)
def test_doctor_is_content(shop: Shop) -> None:
    url = "https://bot.example.com/notify/pay-main"
    shop.sandbox.wechatpay.set_notify_url(shop.merchant.id, url)
    doctor = shop.port(DiagnosisPort, merchant_certificate=shop.merchant.certificate_pem)
    findings = by_check(list(doctor.examine(url)))
    assert {name: finding for name, finding in findings.items() if not finding.ok} == {}
    assert {"private_key", "key_pair", "clock", "signed_call", "answer_signature", "complaint_address"} <= set(findings)
    shown = repr(findings)
    assert shop.merchant.api_v3_key not in shown
    assert "PRIVATE" not in shown


@pytest.mark.parametrize(
    ("changes", "check", "remedy"),
    [
        ({"merchant_serial": "ABC"}, "merchant_serial", "40 hex"),
        ({"merchant_serial": "A" * 40}, "signed_call", "belong together"),
        ({"private_key": "x"}, "private_key", "apiclient_key.pem"),
        ({"api_v3_key": "short"}, "api_v3_key", "copy"),
        ({"platform_public_key": "x"}, "platform_public_key", "pub_key.pem"),
        ({"platform_public_key_id": "PUB_KEY_ID_1"}, "answer_signature", "platform_public_key_id"),
        ({"platform_public_key_id": "0114232134912410"}, "platform_public_key_id", "PUB_KEY_ID_"),
        ({"platform_public_key": "", "platform_public_key_id": ""}, "certificate_list", "since 2024-09"),
        ({"platform_certificates": ("x",)}, "platform_certificates", ".pem"),
        ({"base_url": "http://127.0.0.1:9"}, "reach", "base_url"),
    ],
)
def test_doctor_names_what_is_wrong(shop: Shop, changes: dict[str, object], check: str, remedy: str) -> None:
    finding = by_check(list(shop.port(DiagnosisPort, **changes).examine()))[check]
    assert not finding.ok
    assert remedy in finding.remedy


def test_doctor_sees_the_wrong_key_the_clock_and_the_address(shop: Shop) -> None:
    wrong: KeyPair = new_public_key_pair()
    findings = by_check(list(shop.port(DiagnosisPort, platform_public_key=wrong.public_pem()).examine()))
    assert not findings["answer_signature"].ok
    assert findings["signed_call"].ok
    assert not findings["complaint_address"].ok
    shop.sandbox.wechatpay.set_notify_url(PUBLIC, "https://old.example.com/notify")
    address = by_check(list(shop.diagnosis.examine("https://bot.example.com/notify/pay-main")))["complaint_address"]
    assert not address.ok
    assert "https://bot.example.com/notify/pay-main" in address.remedy
    shop.skew = timedelta(minutes=2)
    assert not by_check(list(shop.diagnosis.examine()))["clock"].ok
    shop.skew = timedelta(minutes=7)
    late = by_check(list(shop.diagnosis.examine()))
    assert not late["signed_call"].ok
    assert "NTP" in late["signed_call"].remedy
    shop.skew = timedelta(0)
    shop.fault(CallFault.TOO_MANY, times=-1)
    assert "minute" in by_check(list(shop.diagnosis.examine()))["signed_call"].remedy


@pytest.mark.parametrize("shop", [CERTIFIED], indirect=True)
def test_doctor_warns_of_certificates_that_expire(shop: Shop) -> None:
    pem = shop.merchant.certificate_pem
    shop.skew = timedelta(days=5 * 365 - 20)
    findings = by_check(list(shop.port(DiagnosisPort, merchant_certificate=pem).examine()))
    assert not findings["merchant_certificate"].ok
    assert "renew" in findings["merchant_certificate"].remedy


def test_a_channel_built_the_ordinary_way(shop: Shop) -> None:
    complaint_id = complain(shop)
    channel = build(shop.config(), clock=shop.now)
    try:
        assert channel.require(ComplaintsPort).detail(complaint_id).id == complaint_id
    finally:
        channel.close()
