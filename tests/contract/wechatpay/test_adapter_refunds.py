"""Our adapter's refunds against the sandbox: one number pays once, whatever happens to the answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from adapter_kit import Shop, eventually, mailbox, shop_in

from adapters.errors import BadRequest, Conflict, NotEnough, NotFound, OutcomeUnknown
from adapters.ports.refunds import RefundsPort
from adapters.values import RefundDetails, RefundState
from sandbox.faults import CallFault
from sandbox.server import Sandbox

MERCHANT = "1900000109"
numbers = (f"RF-{number:06d}" for number in itertools.count(1))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def shop(sandbox: Sandbox) -> Iterator[Shop]:
    with shop_in(sandbox, MERCHANT) as opened:
        opened.sandbox.wechatpay.set_balance(MERCHANT, 100_000_000)
        yield opened


def pay(shop: Shop, fen: int = 5000) -> str:
    return shop.sandbox.wechatpay.add_payment(MERCHANT, fen, "帆布鞋").transaction_id


def create(refunds: RefundsPort, number: str, transaction_id: str, fen: int = 5000, total: int = 5000) -> RefundDetails:
    return refunds.create(
        out_refund_no=number, transaction_id=transaction_id, amount_fen=fen, total_fen=total, reason="商品问题"
    )


def booked(shop: Shop) -> int:
    """How much money the sandbox took from the merchant."""
    return 100_000_000 - shop.sandbox.wechatpay.merchant_balance(MERCHANT)


def test_accepted_then_arrived(shop: Shop) -> None:
    number, transaction_id = next(numbers), pay(shop)
    told = create(shop.refunds, number, transaction_id, 1200)
    assert (told.out_refund_no, told.state, told.amount_fen, told.total_fen) == (
        number,
        RefundState.PROCESSING,
        1200,
        5000,
    )
    assert told.transaction_id == transaction_id
    assert told.succeeded_at is None
    shop.sandbox.world.clock.advance(shop.sandbox.wechatpay.refund_delay)
    eventually(lambda: shop.refunds.query(number).state is RefundState.SUCCESS)
    arrived = shop.refunds.query(number)
    assert arrived.succeeded_at is not None
    assert arrived.received_account


def test_the_same_number_pays_once_also_from_many_threads(shop: Shop) -> None:
    number, transaction_id, refunds = next(numbers), pay(shop), shop.refunds
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: create(refunds, number, transaction_id, 700), range(6)))
    assert len({refund.refund_id for refund in told}) == 1
    assert booked(shop) == 700


@pytest.mark.parametrize(
    "kind", [CallFault.DROP_ANSWER, CallFault.ERROR_AFTER, CallFault.BAD_SIGNATURE, CallFault.LATE]
)
def test_made_but_not_told_is_found_by_the_query(shop: Shop, kind: CallFault) -> None:
    number, transaction_id = next(numbers), pay(shop)
    refunds = shop.port(RefundsPort, timeout_seconds=0.4)
    fault = shop.fault(kind, "/refunds", method="POST", seconds=0.8)
    with pytest.raises(OutcomeUnknown):
        create(refunds, number, transaction_id, 900)
    assert fault.struck == 1, "a refund is never repeated by the adapter itself"
    assert refunds.query(number).amount_fen == 900
    assert booked(shop) == 900


@pytest.mark.parametrize("kind", [CallFault.TOO_MANY, CallFault.SERVER_ERROR, CallFault.DOWN])
def test_not_made_is_unknown_too_until_the_query_says_so(shop: Shop, kind: CallFault) -> None:
    number, transaction_id = next(numbers), pay(shop)
    shop.fault(kind, "/refunds", method="POST")
    with pytest.raises(OutcomeUnknown):
        create(shop.refunds, number, transaction_id, 900)
    with pytest.raises(NotFound):
        shop.refunds.query(number)
    create(shop.refunds, number, transaction_id, 900)
    assert booked(shop) == 900


@pytest.mark.parametrize(("outcome", "state"), [("CLOSED", RefundState.CLOSED), ("ABNORMAL", RefundState.ABNORMAL)])
def test_refunds_that_come_to_nothing(shop: Shop, outcome: str, state: RefundState) -> None:
    number, transaction_id = next(numbers), pay(shop)
    shop.sandbox.wechatpay.next_refund(outcome)  # type: ignore[arg-type]  # one of its literals
    create(shop.refunds, number, transaction_id)
    shop.sandbox.world.clock.advance(shop.sandbox.wechatpay.refund_delay)
    eventually(lambda: shop.refunds.query(number).state is state)


def test_refusals(shop: Shop) -> None:
    transaction_id = pay(shop)
    create(shop.refunds, next(numbers), transaction_id, 4000)
    with pytest.raises(Conflict, match="可退金额"):
        create(shop.refunds, next(numbers), transaction_id, 4000)
    with pytest.raises(NotFound):
        create(shop.refunds, next(numbers), "4200000000000000000000000000")
    shop.sandbox.wechatpay.next_refund("USER_ACCOUNT_ABNORMAL")
    with pytest.raises(Conflict):
        create(shop.refunds, next(numbers), pay(shop))
    shop.sandbox.wechatpay.set_balance(MERCHANT, 10)
    number, again = next(numbers), pay(shop)
    with pytest.raises(NotEnough):
        create(shop.refunds, number, again)
    shop.sandbox.wechatpay.set_balance(MERCHANT, 100_000_000)
    create(shop.refunds, number, again)  # topped up, the same number goes through


def test_a_number_is_not_taken_for_another_amount(shop: Shop) -> None:
    number, transaction_id = next(numbers), pay(shop)
    create(shop.refunds, number, transaction_id, 100)
    with pytest.raises(BadRequest):
        create(shop.refunds, number, transaction_id, 200)


def test_the_push_of_a_refund_reads_like_the_query(shop: Shop) -> None:
    number, transaction_id = next(numbers), pay(shop)
    with mailbox() as box:
        create(shop.port(RefundsPort, refund_notify_url=box.url), number, transaction_id, 300)
        shop.sandbox.world.clock.advance(shop.sandbox.wechatpay.refund_delay)
        pushed = box.wait()[0]
    told = shop.inbound.open(pushed.headers, pushed.body)
    assert told.event == "REFUND.SUCCESS"
    refund = shop.inbound.read(told.event, told.resource)
    assert refund == shop.refunds.query(number)
