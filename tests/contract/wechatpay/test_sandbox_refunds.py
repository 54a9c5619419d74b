"""Refunds: the money, the numbers, the refusals."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sandbox_pay_kit import BareClient, Receiver, Shop, code_of, open_receiver, open_shop, until

from sandbox.faults import CallFault, Fault
from sandbox.wechatpay.refunds import OFFICIAL_GAP


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    with open_shop() as running:
        running.pay.refund_delay = timedelta(0)
        yield running


@pytest.fixture
def client(shop: Shop) -> Iterator[BareClient]:
    made = BareClient(shop, shop.public)
    yield made
    made.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with open_receiver() as running:
        yield running


def status_of(client: BareClient, number: str) -> str:
    return str(client.get(f"/v3/refund/domestic/refunds/{number}").json()["status"])


def becomes(client: BareClient, number: str, status: str) -> None:
    until(lambda: status_of(client, number) == status)


def test_the_same_number_pays_once(shop: Shop, client: BareClient) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "一次")
    balance = shop.pay.merchant_balance(shop.public.id)
    first, second = (client.refund("once", payment.transaction_id, 400, 1_000).json() for _ in range(2))
    assert first["refund_id"] == second["refund_id"]
    other = client.refund("once", payment.transaction_id, 500, 1_000)
    assert code_of(other) == (400, "INVALID_REQUEST")
    becomes(client, "once", "SUCCESS")
    books = shop.pay.books()
    assert books.refunds_by_transaction[payment.transaction_id] == ("once",)
    assert next(line.create_calls for line in books.refunds if line.out_refund_no == "once") == 2
    assert shop.pay.merchant_balance(shop.public.id) == balance - 400


def test_many_at_once_pay_once(shop: Shop) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "同时")
    answers: list[int] = []

    def ask(number: str) -> None:
        client = BareClient(shop, shop.public)
        answers.append(client.refund(number, payment.transaction_id, 600, 1_000).status_code)
        client.close()

    threads = [threading.Thread(target=ask, args=(f"race-{at % 2}",)) for at in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 200, 400, 400, 400]  # 600 + 600 is more than was paid
    assert len(shop.pay.books().refunds_by_transaction[payment.transaction_id]) == 1


@pytest.mark.parametrize("kind", [CallFault.DROP_ANSWER, CallFault.ERROR_AFTER])
def test_a_lost_answer_leaves_a_refund_that_can_be_queried(shop: Shop, client: BareClient, kind: CallFault) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "断线")
    shop.world.faults.add(Fault("wechatpay", kind, path="/refunds", method="POST"))
    number = f"lost-{kind}"
    try:
        assert client.refund(number, payment.transaction_id, 1_000, 1_000).status_code == 500
    except httpx.TransportError:
        assert kind is CallFault.DROP_ANSWER
    becomes(client, number, "SUCCESS")
    assert client.refund(number, payment.transaction_id, 1_000, 1_000).status_code == 200
    assert len(shop.pay.books().refunds_by_transaction[payment.transaction_id]) == 1


def test_more_than_was_paid_is_refused(shop: Shop, client: BareClient) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "超额")
    assert client.refund("part-1", payment.transaction_id, 700, 1_000).status_code == 200
    answer = client.refund("part-2", payment.transaction_id, 301, 1_000)
    assert (code_of(answer), answer.json()["message"]) == ((400, "INVALID_REQUEST"), "申请退款金额超过订单可退金额")
    assert client.refund("part-3", payment.transaction_id, 300, 1_000).status_code == 200


def test_fifty_parts_are_the_most(shop: Shop, client: BareClient) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "五十次")
    for at in range(50):
        assert client.refund(f"fifty-{at}", payment.transaction_id, 1, 1_000).status_code == 200
    assert code_of(client.refund("fifty-50", payment.transaction_id, 1, 1_000)) == (400, "INVALID_REQUEST")


def test_parts_a_minute_apart_when_switched_on(shop: Shop, client: BareClient) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "间隔")
    shop.pay.ledger.refund_gap = OFFICIAL_GAP
    assert client.refund("gap-1", payment.transaction_id, 1, 1_000).status_code == 200
    assert code_of(client.refund("gap-2", payment.transaction_id, 1, 1_000)) == (429, "FREQUENCY_LIMITED")
    shop.world.clock.advance(timedelta(seconds=61))
    assert client.refund("gap-2", payment.transaction_id, 1, 1_000).status_code == 200
    shop.pay.ledger.refund_gap = timedelta(0)


def test_too_little_money_then_enough(shop: Shop, client: BareClient) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "余额")
    balance = shop.pay.merchant_balance(shop.public.id)
    shop.pay.set_balance(shop.public.id, 999)
    assert code_of(client.refund("poor", payment.transaction_id, 1_000, 1_000)) == (403, "NOT_ENOUGH")
    assert code_of(client.get("/v3/refund/domestic/refunds/poor")) == (404, "RESOURCE_NOT_EXISTS")
    shop.pay.set_balance(shop.public.id, balance)
    assert client.refund("poor", payment.transaction_id, 1_000, 1_000).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"amount": {"refund": 600.0, "total": 1_000, "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"refund": "600", "total": 1_000, "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"refund": 0, "total": 1_000, "currency": "CNY"}}, (400, "PARAM_ERROR")),
        ({"amount": {"refund": 1, "total": 1_000, "currency": "USD"}}, (400, "PARAM_ERROR")),
        ({"amount": {"refund": 1, "total": 999, "currency": "CNY"}}, (400, "INVALID_REQUEST")),
        ({"amount": {"refund": 1, "total": 1_000, "currency": "CNY", "fee": 1}}, (400, "PARAM_ERROR")),
        ({"out_refund_no": "带中文"}, (400, "PARAM_ERROR")),
        ({"out_refund_no": "x" * 65}, (400, "PARAM_ERROR")),
        ({"out_trade_no": "both"}, (400, "PARAM_ERROR")),
        ({"transaction_id": "404"}, (404, "RESOURCE_NOT_EXISTS")),
        ({"reason": "长" * 81}, (400, "PARAM_ERROR")),
        ({"sub_mchid": "1"}, (400, "PARAM_ERROR")),
        ({"notify_url": "http://example.com/notify"}, (400, "INVALID_REQUEST")),
        ({"notify_url": "https://example.com/notify?a=1"}, (400, "INVALID_REQUEST")),
    ],
)
def test_wrong_refunds_are_refused(
    shop: Shop, client: BareClient, body: dict[str, object], expected: tuple[int, str]
) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "错误")
    right = {
        "transaction_id": payment.transaction_id,
        "out_refund_no": "wrong",
        "amount": {"refund": 1, "total": 1_000, "currency": "CNY"},
    }
    assert code_of(client.post("/v3/refund/domestic/refunds", right | body)) == expected
    assert shop.pay.books().refunds_by_transaction[payment.transaction_id] == ()


def test_an_order_of_last_year_and_of_another_merchant(shop: Shop, client: BareClient) -> None:
    old = shop.pay.add_payment(shop.public.id, 1_000, "去年", paid_at=shop.world.clock.now() - timedelta(days=366))
    assert code_of(client.refund("old", old.transaction_id, 1, 1_000)) == (400, "INVALID_REQUEST")
    foreign = shop.pay.add_payment(shop.certified.id, 1_000, "别家")
    assert code_of(client.refund("foreign", foreign.transaction_id, 1, 1_000)) == (404, "RESOURCE_NOT_EXISTS")
    target = f"/v3/pay/transactions/id/{foreign.transaction_id}?mchid={shop.public.id}"
    assert code_of(client.get(target)) == (404, "ORDER_NOT_EXIST")


def test_orders_are_found_by_either_number(shop: Shop, client: BareClient) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "查询", "openid-1")
    by_id = client.get(f"/v3/pay/transactions/id/{payment.transaction_id}?mchid={shop.public.id}").json()
    by_own = client.get(f"/v3/pay/transactions/out-trade-no/{payment.out_trade_no}?mchid={shop.public.id}").json()
    assert by_id == by_own
    assert (by_id["trade_state"], by_id["amount"]["total"], by_id["payer"]) == (
        "SUCCESS",
        1_000,
        {"openid": "openid-1"},
    )
    assert code_of(client.get(f"/v3/pay/transactions/id/{payment.transaction_id}")) == (400, "PARAM_ERROR")


def test_abnormal_closed_and_dead_accounts(shop: Shop, client: BareClient, receiver: Receiver) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "异常")
    balance = shop.pay.merchant_balance(shop.public.id)
    shop.pay.next_refund("ABNORMAL")
    shop.pay.next_refund("CLOSED")
    shop.pay.next_refund("USER_ACCOUNT_ABNORMAL")
    client.refund("abnormal", payment.transaction_id, 100, 1_000, notify_url=receiver.url)
    becomes(client, "abnormal", "ABNORMAL")
    client.refund("closed", payment.transaction_id, 900, 1_000, notify_url=receiver.url)
    becomes(client, "closed", "CLOSED")
    assert {push.envelope()["event_type"] for push in receiver.wait(2)} == {"REFUND.ABNORMAL", "REFUND.CLOSED"}
    assert shop.pay.merchant_balance(shop.public.id) == balance - 100
    refused = client.refund("dead", payment.transaction_id, 900, 1_000)
    assert code_of(refused) == (403, "USER_ACCOUNT_ABNORMAL")

    refund = shop.pay.ledger.refunds[shop.public.id, "abnormal"]
    target = f"/v3/refund/domestic/refunds/{refund.refund_id}/apply-abnormal-refund"
    body = {"out_refund_no": "abnormal", "type": "MERCHANT_BANK_CARD"}
    assert client.post(target, body).json()["status"] == "PROCESSING"
    becomes(client, "abnormal", "SUCCESS")
    assert code_of(client.post(target, body)) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    ("problem_type", "approved", "state"), [("REFUND", True, "PROCESSED"), ("OTHERS", False, "PENDING")]
)
def test_what_money_does_to_the_complaint(
    shop: Shop, client: BareClient, problem_type: str, approved: bool, state: str
) -> None:
    payment = shop.pay.add_payment(shop.public.id, 1_000, "投诉")
    complaint = shop.pay.customer_complains(shop.public.id, payment, "退钱", problem_type=problem_type)
    target = f"/v3/merchant-service/complaints-v2/{complaint.id}"
    if approved:
        assert client.post(f"{target}/update-refund-progress", {"action": "APPROVE"}).status_code == 204
    number = f"money-{problem_type}"
    client.refund(number, payment.transaction_id, 1_000, 1_000)
    until(lambda: client.get(target).json()["complaint_full_refunded"] is True)
    assert client.get(target).json()["complaint_state"] == state
    kinds = [record["operate_type"] for record in client.get(f"{target}/negotiation-historys").json()["data"]]
    assert "COMPLAINT_FULL_REFUNDED_SYSTEM_MESSAGE" in kinds
