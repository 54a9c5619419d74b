"""What every part of the fake WeChat Pay stands on: merchants, orders, complaints, keys, the way out to merchants."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sandbox.wechatpay.complaints import Complaint
from sandbox.wechatpay.keys import KeyPair, new_api_v3_key, new_certified_pair, new_public_key_pair
from sandbox.wechatpay.ledger import Ledger, RefundOutcome
from sandbox.wechatpay.limits import Limits
from sandbox.wechatpay.merchants import KeyMode, Merchant
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.pictures import Picture, new_media_id
from sandbox.wechatpay.pushes import Notices
from sandbox.wechatpay.refunds import Refund
from sandbox.wechatpay.refusals import no_right, wrong_field
from sandbox.world import World


class Core:
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
            payment = self.ledger.pay(merchant, amount_fen, description, openid or new_openid(), paid_at)
        self.world.changed()
        return payment

    def payment_of(self, transaction_id: str) -> Payment:
        return self.ledger.payments[transaction_id]

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

    # Inner steps

    def _now(self) -> datetime:
        return self.world.clock.now()

    def _tell(self, complaint: Complaint, action: str) -> Complaint:
        self.notices.complaint(self.merchants[complaint.merchant_id], complaint.id, action)
        self.world.changed()
        return complaint

    def _money_arrived(self, refund: Refund) -> None:
        for complaint in self.complaints.values():
            if complaint.payment is refund.payment:
                action = complaint.money_arrived(self._now(), refund.amount_fen)
                if action is not None:
                    self._tell(complaint, action)


def new_openid() -> str:
    return "oSandbox" + secrets.token_urlsafe(15)
