"""What customers and the platform's staff do: complain, write, ask for help. Merchants are told."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from sandbox.delivery import Attempt
from sandbox.wechatpay.complaints import Complaint
from sandbox.wechatpay.core import Core, new_openid
from sandbox.wechatpay.payments import Payment
from sandbox.wechatpay.pictures import Picture, draw, new_media_id
from sandbox.wechatpay.refusals import WrongMoment
from sandbox.wechatpay.samples import Sample, sample
from sandbox.wechatpay.times import stamp


class Customers(Core):
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
                openid=payment.openid if payment is not None else new_openid(),
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

    def _new_pictures(self, merchant_id: str, count: int) -> tuple[str, ...]:
        new = []
        for _ in range(count):
            media_id = new_media_id()
            self.pictures[media_id] = Picture(media_id, merchant_id, True, "image/png", draw(len(self.pictures)))
            new.append(media_id)
        return tuple(new)
