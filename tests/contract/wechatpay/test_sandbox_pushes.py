"""Notifications: sealed and signed in each key mode, repeated by the ladder, spoilt on demand."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sandbox_pay_kit import Pushed, Receiver, Shop, open_receiver, open_shop, signature_is_good, until

from sandbox.faults import Fault, PushFault
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.pushes import COMPLAINT_LADDER, REFUND_LADDER


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with open_shop() as running:
        yield running


@pytest.fixture
def receiver(shop: Shop) -> Iterator[Receiver]:
    with open_receiver() as running:
        for merchant in (shop.public, shop.certified, shop.switching):
            shop.pay.set_notify_url(merchant.id, running.url)
        yield running
        for merchant in (shop.public, shop.certified, shop.switching):
            shop.pay.set_notify_url(merchant.id, "")


def opened(push: Pushed, merchant: Merchant) -> dict[str, Any]:
    resource = push.envelope()["resource"]
    assert resource["algorithm"] == "AEAD_AES_256_GCM"
    cipher = AESGCM(merchant.api_v3_key.encode())
    raw = base64.b64decode(resource["ciphertext"])
    content: dict[str, Any] = json.loads(
        cipher.decrypt(resource["nonce"].encode(), raw, resource["associated_data"].encode())
    )
    return content


def come_again(shop: Shop, receiver: Receiver, count: int) -> list[Pushed]:
    """Advance the clock by a minute, again when the timer was set only after that, until so many pushes came."""

    def came() -> bool:
        if len(receiver.got) < count:
            shop.world.clock.advance(timedelta(seconds=61))
            time.sleep(0.1)
        return len(receiver.got) >= count

    until(came)
    return list(receiver.got)


def test_the_ladders_are_the_platforms() -> None:
    assert sum(COMPLAINT_LADDER, timedelta(0)) == timedelta(hours=2)
    assert sum(REFUND_LADDER, timedelta(0)) == timedelta(hours=24, minutes=4)
    assert len(REFUND_LADDER) == 15


def test_signed_with_the_key_of_the_mode(shop: Shop, receiver: Receiver) -> None:
    for merchant, pem in (
        (shop.public, shop.public.platform_public_key_pem),
        (shop.certified, shop.pay.signing_certificate().certificate_pem()),
    ):
        receiver.got.clear()
        complaint = shop.pay.customer_complains(merchant.id, None, "推送", problem_type="OTHERS")
        (push,) = receiver.wait(1)
        assert signature_is_good(push.headers, push.body, pem)
        assert opened(push, merchant) == {"complaint_id": complaint.id, "action_type": "CREATE_COMPLAINT"}
        envelope = push.envelope()
        assert (envelope["event_type"], envelope["resource_type"]) == ("COMPLAINT.CREATE", "encrypt-resource")


def test_the_switching_merchant_hears_from_both_keys(shop: Shop, receiver: Receiver) -> None:
    for _ in range(4):
        shop.pay.customer_complains(shop.switching.id, None, "换钥", problem_type="OTHERS")
    serials = {push.headers["Wechatpay-Serial"] for push in receiver.wait(4)}
    assert serials == {shop.switching.platform_public_key_id, shop.pay.signing_certificate().id}


def test_a_refused_push_comes_again_with_the_same_id(shop: Shop, receiver: Receiver) -> None:
    receiver.answers += [500, 302]
    shop.pay.customer_complains(shop.public.id, None, "重试", problem_type="OTHERS")
    receiver.wait(1)
    come_again(shop, receiver, 2)
    pushes = come_again(shop, receiver, 3)
    assert len({push.envelope()["id"] for push in pushes}) == 1
    assert len({push.headers["Wechatpay-Timestamp"] for push in pushes}) == 3
    assert all(signature_is_good(push.headers, push.body, shop.public.platform_public_key_pem) for push in pushes)
    until(lambda: shop.world.deliveries.attempts[-1].delivered)


def test_a_probe_signature_comes_first_and_the_right_one_later(shop: Shop, receiver: Receiver) -> None:
    shop.world.faults.add(Fault("wechatpay", PushFault.TAMPER))
    receiver.answers.append(401)
    shop.pay.customer_complains(shop.public.id, None, "探测", problem_type="OTHERS")
    (probe,) = receiver.wait(1)
    assert probe.headers["Wechatpay-Signature"].startswith("WECHATPAY/SIGNTEST/")
    assert not signature_is_good(probe.headers, probe.body, shop.public.platform_public_key_pem)
    right = come_again(shop, receiver, 2)[1]
    assert right.envelope()["id"] == probe.envelope()["id"]
    assert signature_is_good(right.headers, right.body, shop.public.platform_public_key_pem)


def test_a_repeat_has_the_same_id_and_reorder_turns_the_order(shop: Shop, receiver: Receiver) -> None:
    shop.world.faults.add(Fault("wechatpay", PushFault.REPEAT))
    complaint = shop.pay.customer_complains(shop.public.id, None, "重复", problem_type="OTHERS")
    first, second = receiver.wait(2)
    assert first.envelope()["id"] == second.envelope()["id"]
    receiver.got.clear()
    shop.world.faults.add(Fault("wechatpay", PushFault.REORDER))
    shop.pay.customer_writes(complaint.id, "一")
    shop.pay.platform_writes(complaint.id, "二")
    actions = [opened(push, shop.public)["action_type"] for push in receiver.wait(2)]
    assert actions == ["RESPONSE_BY_PLATFORM", "USER_RESPONSE"]


def test_every_step_of_the_story_is_pushed(shop: Shop, receiver: Receiver) -> None:
    complaint = shop.pay.customer_complains(shop.public.id, None, "故事", problem_type="OTHERS")
    steps: tuple[Callable[[], object], ...] = (
        lambda: shop.pay.customer_writes(complaint.id, "在吗", images=1),
        lambda: shop.pay.customer_applies_platform(complaint.id),
        lambda: shop.pay.platform_writes(complaint.id, "请商户尽快处理"),
        lambda: shop.pay.platform_finishes(complaint.id),
    )
    for count, step in enumerate(steps, 2):
        receiver.wait(count - 1)
        step()
    pushes = receiver.wait(5)
    assert [opened(push, shop.public)["action_type"] for push in pushes] == [
        "CREATE_COMPLAINT",
        "USER_RESPONSE",
        "USER_APPLY_PLATFORM_SERVICE",
        "RESPONSE_BY_PLATFORM",
        "PLATFORM_SERVICE_FINISHED",
    ]
    assert {push.envelope()["event_type"] for push in pushes[1:]} == {"COMPLAINT.STATE_CHANGE"}


def test_without_an_address_nothing_is_sent(shop: Shop) -> None:
    before = len(shop.world.deliveries.attempts)
    shop.pay.customer_complains(shop.public.id, None, "无地址", problem_type="OTHERS")
    assert len(shop.world.deliveries.attempts) == before


def test_strange_events_are_signed_but_may_not_open(shop: Shop, receiver: Receiver) -> None:
    shop.pay.push_strange(shop.public.id, "MOON.FULL", {"a": 1})
    (push,) = receiver.wait(1)
    assert push.envelope()["event_type"] == "MOON.FULL"
    assert opened(push, shop.public) == {"a": 1}
    receiver.got.clear()
    shop.pay.push_strange(shop.public.id, "COMPLAINT.CREATE", {"complaint_id": "1"}, api_v3_key="0" * 32)
    (sealed,) = receiver.wait(1)
    assert signature_is_good(sealed.headers, sealed.body, shop.public.platform_public_key_pem)
    with pytest.raises(InvalidTag):
        opened(sealed, shop.public)
