"""Notifications to merchants: sealed, signed, repeated by the platform's ladder. docs: 投诉通知回调, 退款结果通知."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from datetime import timedelta

import httpx

from sandbox.delivery import Attempt, Push
from sandbox.wechatpay.keys import KeyPair, seal_with_api_key, signature_headers
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.times import rfc3339
from sandbox.world import World

PLATFORM = "wechatpay"
TIMEOUT = 5.0  # seconds within which a merchant has to answer

# Every minute ten times, then every five minutes until two hours have passed.
COMPLAINT_LADDER = (timedelta(seconds=60),) * 10 + (timedelta(seconds=300),) * 22
# The ladder of payments and refunds: 15 repeats in 24 hours and 4 minutes.
REFUND_LADDER = (
    *(timedelta(seconds=seconds) for seconds in (15, 15, 30)),
    *(timedelta(minutes=minutes) for minutes in (3, 10, 20, 30, 30, 30, 60)),
    *(timedelta(hours=hours) for hours in (3, 3, 3, 6, 6)),
)

_SUMMARIES = {
    "COMPLAINT.CREATE": "产生新投诉",
    "COMPLAINT.STATE_CHANGE": "投诉单状态变化",
    "REFUND.SUCCESS": "退款成功",
    "REFUND.ABNORMAL": "退款异常",
    "REFUND.CLOSED": "退款关闭",
    "SECURITY_ECHO.SUCCESS": "安全回显成功",
}


def accepted(answer: httpx.Response) -> bool:
    return answer.status_code in (200, 204)


class Notices:
    """Sends notifications through the world's deliveries; a repeat keeps id and body and is signed anew."""

    def __init__(self, world: World, certificate: Callable[[], KeyPair]) -> None:
        self._world = world
        self._certificate = certificate

    def complaint(self, merchant: Merchant, complaint_id: str, action: str) -> Attempt | None:
        """None when the merchant has set no address: then the platform tells nobody."""
        event = "COMPLAINT.CREATE" if action == "CREATE_COMPLAINT" else "COMPLAINT.STATE_CHANGE"
        content = {"complaint_id": complaint_id, "action_type": action}
        note = f"{action} {complaint_id}"
        return self._send(merchant, merchant.complaint_notify_url, event, "complaint", content, COMPLAINT_LADDER, note)

    def refund(self, merchant: Merchant, url: str, status: str, content: Mapping[str, object]) -> Attempt | None:
        note = f"{content['out_refund_no']} {status}"
        return self._send(merchant, url, f"REFUND.{status}", "refund", content, REFUND_LADDER, note)

    def echo(self, merchant: Merchant, url: str, message: str) -> Attempt | None:
        return self._send(merchant, url, "SECURITY_ECHO.SUCCESS", "security", {"echo_message": message}, (), "echo")

    def strange(
        self, merchant: Merchant, event: str, original_type: str, content: Mapping[str, object], api_v3_key: str
    ) -> Attempt | None:
        """Well signed, but of an event nobody handles, or sealed with another key; goes to the complaint address."""
        url = merchant.complaint_notify_url
        return self._send(merchant, url, event, original_type, content, COMPLAINT_LADDER, f"odd {event}", api_v3_key)

    def _send(
        self,
        merchant: Merchant,
        url: str,
        event: str,
        original_type: str,
        content: Mapping[str, object],
        ladder: tuple[timedelta, ...],
        note: str,
        api_v3_key: str = "",
    ) -> Attempt | None:
        if not url:
            return None
        text = json.dumps(content, ensure_ascii=False)
        sealed = seal_with_api_key(api_v3_key or merchant.api_v3_key, text, original_type)
        envelope = {
            "id": str(uuid.uuid4()),
            "create_time": rfc3339(self._world.clock.now()),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": _SUMMARIES.get(event, event),
            "resource": {"original_type": original_type, **sealed.as_json()},
        }
        body = json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()
        pair = merchant.key_for_notice(self._certificate())

        def make(wrong: bool) -> tuple[Mapping[str, str], bytes]:
            headers = {
                "Content-Type": "application/json",
                "Accept": "*/*",
                "User-Agent": "Mozilla/4.0",
                **signature_headers(pair, body, self._world.clock.seconds(), wrong=wrong),
            }
            return headers, body

        push = Push(PLATFORM, event, url, make, ladder, accepted, TIMEOUT, note)
        return self._world.deliveries.send(push)
