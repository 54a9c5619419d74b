"""The platform as a whole: its state, what people in the story do to it, and its face over HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from flask import Blueprint, Response

from sandbox.delivery import Attempt
from sandbox.faults import CallFault
from sandbox.wechatpay import complaint_routes, routes
from sandbox.wechatpay.books import Books, write_books
from sandbox.wechatpay.complaints import Complaint
from sandbox.wechatpay.keys import KeyPair, new_api_v3_key, new_certified_pair, new_public_key_pair
from sandbox.wechatpay.ledger import Ledger, RefundOutcome
from sandbox.wechatpay.limits import Limits, system_error, too_many
from sandbox.wechatpay.merchants import KeyMode, Merchant
from sandbox.wechatpay.notices import Notices
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.pictures import Picture, draw, new_media_id
from sandbox.wechatpay.refunds import Refund
from sandbox.wechatpay.refusals import WrongMoment, no_right, wrong_field
from sandbox.wechatpay.samples import Sample, sample
from sandbox.wechatpay.snapshot import describe
from sandbox.wechatpay.times import stamp
from sandbox.wechatpay.wire import refusal_answer
from sandbox.world import World


class WeChatPay:
    """WeChat Pay with its merchants, orders, complaints and refunds.

    `history_media` is "object" (as documented) or "array" (as one vendor's sample has it); `push_own_actions` says
    whether a merchant is told of its own replies and completions, which the platform stopped doing.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.merchants: dict[str, Merchant] = {}
        self.complaints: dict[str, Complaint] = {}
        self.pictures: dict[str, Picture] = {}
        self.limits = Limits()
        self.history_media = "object"
        self.push_own_actions = False
        self.certificates: list[KeyPair] = [self._new_certificate()]
        self._signing = 0
        self.notices = Notices(world, self.signing_certificate)
        self.ledger = Ledger(world, self.notices, self._money_arrived)

    # The platform's keys

    def signing_certificate(self) -> KeyPair:
        return self.certificates[self._signing]

    def list_new_certificate(self) -> KeyPair:
        """List another platform certificate; the old one goes on signing until `sign_with_newest`."""
        pair = self._new_certificate()
        with self.world.lock:
            self.certificates.append(pair)
        return pair

    def sign_with_newest(self) -> None:
        with self.world.lock:
            self._signing = len(self.certificates) - 1

    def _new_certificate(self) -> KeyPair:
        return new_certified_pair("Tenpay.com Sandbox", "Tenpay.com Sandbox Root CA", self.world.clock.now())

    # Merchants, orders, refunds

    def add_merchant(self, merchant_id: str, name: str, *, mode: KeyMode | str = KeyMode.PUBLIC_KEY) -> Merchant:
        kind = KeyMode(mode)
        merchant = Merchant(
            id=merchant_id,
            name=name,
            mode=kind,
            api_v3_key=new_api_v3_key(),
            keys=new_certified_pair(f"{merchant_id} {name}"[:60], "Tenpay.com Sandbox CA", self.world.clock.now()),
            public_key_pair=None if kind is KeyMode.CERTIFICATE else new_public_key_pair(),
            platform_certificates=self.certificates,
        )
        with self.world.lock:
            if merchant_id in self.merchants:
                raise ValueError(f"merchant {merchant_id} is already there")
            self.merchants[merchant_id] = merchant
        self.world.changed()
        return merchant

    def set_notify_url(self, merchant_id: str, url: str) -> None:
        """Where complaint notifications go, without the checks of the API; "" for nowhere."""
        self.merchants[merchant_id].complaint_notify_url = url

    def set_refund_notify_url(self, merchant_id: str, url: str) -> None:
        """The merchant console's refund address; a refund's own `notify_url` goes first."""
        self.merchants[merchant_id].refund_notify_url = url

    def set_balance(self, merchant_id: str, fen: int) -> None:
        with self.world.lock:
            self.merchants[merchant_id].balance_fen = fen
        self.world.changed()

    def merchant_balance(self, merchant_id: str) -> int:
        return self.merchants[merchant_id].balance_fen

    @property
    def refund_delay(self) -> timedelta:
        return self.ledger.refund_delay

    @refund_delay.setter
    def refund_delay(self, delay: timedelta) -> None:
        self.ledger.refund_delay = delay

    def next_refund(self, outcome: RefundOutcome) -> None:
        """Decide what becomes of the next new refund."""
        with self.world.lock:
            self.ledger.next_refund(outcome)

    def add_payment(
        self, merchant_id: str, amount_fen: int, description: str, openid: str = "", paid_at: datetime | None = None
    ) -> Payment:
        with self.world.lock:
            merchant = self.merchants[merchant_id]
            payment = self.ledger.pay(merchant, amount_fen, description, openid or _new_openid(), paid_at)
        self.world.changed()
        return payment

    def payment_of(self, transaction_id: str) -> Payment:
        return self.ledger.payments[transaction_id]

    # What customers and the platform's staff do

    def customer_complains(
        self,
        merchant_id: str,
        payment: Payment | None,
        text: str,
        *,
        problem_type: str = "REFUND",
        problem: str = "商家未发货，申请退款",
        phone: str = "13800138000",
        apply_refund_fen: int | None = None,
        images: int = 0,
        user_tags: Sequence[str] = (),
        immediate: bool = False,
    ) -> Complaint:
        """File a complaint and notify the merchant. A REFUND complaint asks for the whole amount unless told."""
        with self.world.lock:
            now = self.world.clock.now()
            merchant = self.merchants[merchant_id]
            if problem_type == "REFUND" and apply_refund_fen is None and payment is not None:
                apply_refund_fen = payment.amount_fen
            complaint = Complaint(
                id=f"2002018{stamp(now, '%Y%m%d')}{len(self.complaints) + 1:012d}",
                merchant_id=merchant_id,
                created_at=now,
                text=text,
                problem_type=problem_type,
                problem=problem,
                phone=phone,
                openid=payment.openid if payment is not None else _new_openid(),
                payment=payment,
                apply_refund_fen=apply_refund_fen,
                media_ids=self._new_pictures(merchant_id, images),
                user_tags=tuple(user_tags),
                immediate=immediate,
            )
            complaint.add(now, "投诉人", "USER_CREATE_COMPLAINT", text, media_ids=complaint.media_ids)
            complaint.add(now, "系统", "USER_CREATE_COMPLAINT_SYSTEM_MESSAGE", "投诉已提交，请商户在24小时内处理")
            self.complaints[complaint.id] = complaint
            self.notices.complaint(merchant, complaint.id, "CREATE_COMPLAINT")
        self.world.changed()
        return complaint

    def complain_with_sample(self, merchant_id: str, which: str | Sample) -> Complaint:
        """File one of `samples.SAMPLES`, with a fresh order of its amount."""
        chosen = sample(which) if isinstance(which, str) else which
        payment = self.add_payment(merchant_id, chosen.amount_fen, chosen.goods)
        return self.customer_complains(
            merchant_id,
            payment,
            chosen.text,
            problem_type=chosen.problem_type,
            problem=chosen.problem,
            phone=f"13{secrets.randbelow(10**9):09d}",
            apply_refund_fen=chosen.apply_refund_fen,
            images=chosen.images,
            user_tags=chosen.user_tags,
            immediate=chosen.immediate,
        )

    def customer_writes(self, complaint_id: str, text: str, *, images: int = 0) -> Complaint:
        with self.world.lock:
            complaint = self.complaints[complaint_id]
            complaint.written(self._now(), text, self._new_pictures(complaint.merchant_id, images))
            return self._tell(complaint, "USER_RESPONSE")

    def customer_continues(self, complaint_id: str, text: str) -> Complaint:
        """Complain again on a finished ticket."""
        with self.world.lock:
            complaint = self.complaints[complaint_id]
            complaint.continued(self._now(), text)
            return self._tell(complaint, "CONTINUE_COMPLAINT")

    def customer_applies_platform(self, complaint_id: str, why: str = "商家一直不处理") -> Complaint:
        """The customer asks the platform's staff for help."""
        with self.world.lock:
            complaint = self.complaints[complaint_id]
            if complaint.platform_assists:
                raise WrongMoment("平台客服已介入")
            complaint.platform_assists = True
            complaint.add(self._now(), "投诉人", "USER_APPLY_PLATFORM_SERVICE", why, reason="OTHERS")
            return self._tell(complaint, "USER_APPLY_PLATFORM_SERVICE")

    def customer_cancels_platform(self, complaint_id: str) -> Complaint:
        with self.world.lock:
            return self._platform_leaves(complaint_id, "投诉人", "USER_CANCEL_PLATFORM_SERVICE")

    def platform_finishes(self, complaint_id: str) -> Complaint:
        with self.world.lock:
            return self._platform_leaves(complaint_id, "微信支付客服", "PLATFORM_SERVICE_FINISHED")

    def platform_writes(self, complaint_id: str, text: str) -> Complaint:
        with self.world.lock:
            complaint = self.complaints[complaint_id]
            complaint.add(self._now(), "微信支付客服", "PLATFORM_RESPONSE", text)
            return self._tell(complaint, "RESPONSE_BY_PLATFORM")

    def _platform_leaves(self, complaint_id: str, who: str, kind: str) -> Complaint:
        complaint = self.complaints[complaint_id]
        if not complaint.platform_assists:
            raise WrongMoment("平台客服未介入")
        complaint.platform_assists = False
        complaint.add(self._now(), who, kind)
        return self._tell(complaint, kind)

    def push_strange(
        self, merchant_id: str, event: str, content: Mapping[str, object], *, api_v3_key: str = ""
    ) -> Attempt | None:
        """Push an event that nobody documented, or one that the merchant's key cannot open."""
        with self.world.lock:
            original_type = event.partition(".")[0].lower()
            return self.notices.strange(self.merchants[merchant_id], event, original_type, content, api_v3_key)

    # For the routes; all under the world's lock

    def own_complaint(
        self, merchant: Merchant, complaint_id: str, refusal: str = "您暂无权限操作该投诉单"
    ) -> Complaint:
        complaint = self.complaints.get(complaint_id)
        if complaint is None:
            raise wrong_field("complaint_id", "投诉单不存在", complaint_id)
        if complaint.merchant_id != merchant.id:
            raise no_right(refusal)
        return complaint

    def told_of_own_action(self, complaint: Complaint, action: str) -> None:
        """The merchant did something: seen by the console, pushed only for decisions or when switched on."""
        decision = action in ("MERCHANT_APPROVE_REFUND", "MERCHANT_REJECT_REFUND")
        if self.push_own_actions or decision:
            self.notices.complaint(self.merchants[complaint.merchant_id], complaint.id, action)
        self.world.changed()

    def add_picture(self, merchant: Merchant, content_type: str, content: bytes) -> str:
        media_id = new_media_id()
        self.pictures[media_id] = Picture(media_id, merchant.id, False, content_type, content)
        return media_id

    def check_uploads(self, merchant: Merchant, media_ids: Sequence[str], field: str) -> None:
        for media_id in media_ids:
            picture = self.pictures.get(media_id)
            if picture is None or picture.by_customer or picture.merchant_id != merchant.id:
                raise wrong_field(f"/{field}", "图片media_id无效或不属于该商户", media_id)

    # Face

    def blueprint(self) -> Blueprint:
        """All routes, under /v3; to be mounted on an app once."""
        blueprint = Blueprint("wechatpay", __name__)
        routes.add(blueprint, self)
        complaint_routes.add(blueprint, self)
        return blueprint

    def error_answer(self, kind: CallFault) -> Response:
        """What the platform says when it is told to fail."""
        return refusal_answer(too_many() if kind is CallFault.TOO_MANY else system_error())

    def books(self) -> Books:
        with self.world.lock:
            return write_books(
                self.ledger.payments.values(),
                self.complaints.values(),
                self.ledger.refunds.values(),
                self.ledger.create_calls,
            )

    def snapshot(self) -> dict[str, object]:
        """The state as JSON for the console; holds no keys."""
        with self.world.lock:
            return describe(
                self.merchants.values(),
                self.complaints.values(),
                self.ledger.refunds.values(),
                self.ledger.payments.values(),
            )

    # Inner steps

    def _now(self) -> datetime:
        return self.world.clock.now()

    def _tell(self, complaint: Complaint, action: str) -> Complaint:
        self.notices.complaint(self.merchants[complaint.merchant_id], complaint.id, action)
        self.world.changed()
        return complaint

    def _new_pictures(self, merchant_id: str, count: int) -> tuple[str, ...]:
        new = []
        for _ in range(count):
            media_id = new_media_id()
            self.pictures[media_id] = Picture(media_id, merchant_id, True, "image/png", draw(len(self.pictures)))
            new.append(media_id)
        return tuple(new)

    def _money_arrived(self, refund: Refund) -> None:
        for complaint in self.complaints.values():
            if complaint.payment is refund.payment:
                action = complaint.money_arrived(self._now(), refund.amount_fen)
                if action is not None:
                    self._tell(complaint, action)


def _new_openid() -> str:
    return "oSandbox" + secrets.token_urlsafe(15)
