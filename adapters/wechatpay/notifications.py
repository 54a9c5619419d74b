"""Pushes of the platform: proven, fresh, decrypted. The port `InboundPort`. WeChat Pay, 投诉通知回调, 退款结果通知.

Nothing here calls out: a stranger must not be able to make us do so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from adapters.errors import BadRequest, Untrusted
from adapters.json_reading import read_object
from adapters.values import Acknowledgement, ComplaintNotice, Notification, RefundDetails
from adapters.wechatpay import crypto
from adapters.wechatpay.credentials import CHANNEL, Credentials
from adapters.wechatpay.keys import VerificationKeys
from adapters.wechatpay.models import EnvelopeWire, RefundWire, Wire, Word, read_time
from adapters.wechatpay.refunds import to_refund
from adapters.wechatpay.signatures import Distrust, check_signature

MAX_BYTES = 256 * 1024
_LONGEST_KEY = 128  # documented: 36


class _ComplaintNoticeWire(Wire):
    complaint_id: Word = ""
    action_type: Word = ""


class WeChatPayInbound:
    """The platform's probes with a wrong signature get no special treatment: they are refused and come again."""

    max_bytes: int = MAX_BYTES

    def __init__(self, credentials: Credentials, keys: VerificationKeys, clock: Callable[[], datetime]) -> None:
        self._credentials, self._keys, self._clock = credentials, keys, clock

    def open(self, headers: Mapping[str, str], body: bytes) -> Notification:
        if len(body) > self.max_bytes:
            raise BadRequest(CHANNEL, f"notification larger than {self.max_bytes} bytes")
        lowered = {name.lower(): value for name, value in headers.items()}
        try:
            check_signature(lowered, body, self._keys.find, self._clock())
        except Distrust as reason:
            raise Untrusted(CHANNEL, f"notification refused: {reason}") from None
        envelope = self._envelope(body)
        resource = self._unsealed(envelope)
        self._check_merchant(resource)
        notification = Notification(
            key=envelope.id,
            event=envelope.event_type,
            sent_at=read_time(envelope.create_time),
            summary=envelope.summary,
            resource=resource,
        )
        self.read(notification.event, resource)  # what cannot be understood later is refused while they still repeat it
        return notification

    def read(self, event: str, resource: Mapping[str, object]) -> ComplaintNotice | RefundDetails | None:
        """Raises BadRequest when the resource lacks the number that it is about."""
        if event.startswith("COMPLAINT."):
            notice = _ComplaintNoticeWire.model_validate(resource)
            if not notice.complaint_id:
                raise BadRequest(CHANNEL, "a complaint notification without complaint_id")
            return ComplaintNotice(notice.complaint_id, notice.action_type)
        if event.startswith("REFUND."):
            refund = to_refund(RefundWire.model_validate(resource))
            if not refund.out_refund_no:
                raise BadRequest(CHANNEL, "a refund notification without out_refund_no")
            return refund
        return None

    def accepted(self) -> Acknowledgement:
        """With a body, because older pages of the platform ask for one."""
        return Acknowledgement(200, '{"code":"SUCCESS","message":"成功"}'.encode())

    def refused(self) -> Acknowledgement:
        return Acknowledgement(401, '{"code":"FAIL","message":"失败"}'.encode())

    def _envelope(self, body: bytes) -> EnvelopeWire:
        try:
            envelope = EnvelopeWire.model_validate(read_object(body))
        except ValueError:
            raise BadRequest(CHANNEL, "notification is not a JSON object") from None
        if not 0 < len(envelope.id) <= _LONGEST_KEY or not envelope.event_type:
            raise BadRequest(CHANNEL, "notification without a fit id or event_type")
        if envelope.resource.algorithm != crypto.SEALED_WITH:
            raise BadRequest(CHANNEL, "notification sealed in an unknown way")
        return envelope

    def _check_merchant(self, resource: Mapping[str, object]) -> None:
        """Two merchants may share an APIv3 key, and the platform signs for all. Complaints name nobody."""
        said = resource.get("sp_mchid") or resource.get("mchid")
        if isinstance(said, str) and said and said != self._credentials.merchant_id:
            raise Untrusted(CHANNEL, "notification refused: it is of another merchant")

    def _unsealed(self, envelope: EnvelopeWire) -> dict[str, Any]:
        sealed = envelope.resource
        try:
            content = self._credentials.unseal(sealed.nonce, sealed.associated_data, sealed.ciphertext)
        except ValueError as why:
            raise Untrusted(CHANNEL, f"notification cannot be opened: {why}; check api_v3_key") from None
        try:
            return read_object(content)
        except ValueError:
            raise BadRequest(CHANNEL, "notification content is not a JSON object") from None
