"""Complaints of one merchant: `ComplaintsPort`. docs/platforms/wechatpay.md ("Complaints: list and details")."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import structlog

from adapters.errors import BadRequest, Unavailable
from adapters.values import ComplaintDetails, HistoryEntry, Objection, Picture
from adapters.wechatpay import reply_checks
from adapters.wechatpay.client import Client, segment
from adapters.wechatpay.complaint_values import to_complaint, to_history
from adapters.wechatpay.credentials import CHANNEL
from adapters.wechatpay.errors import AnswerTooLarge
from adapters.wechatpay.models import ComplaintWire, PageWire, RecordWire
from adapters.wechatpay.pictures import Pictures

log = structlog.get_logger("adapters.wechatpay")

BASE = "/v3/merchant-service/complaints-v2"
WINDOW_DAYS = 30
LIST_LIMIT = 50
HISTORY_LIMIT = 300
MOST_ROWS = 100_000  # a list that never ends is somebody's mistake


class WeChatPayComplaints:
    """Reads are repeated by themselves, writes never."""

    def __init__(self, client: Client, pictures: Pictures) -> None:
        self._client, self._pictures = client, pictures

    def listed(self, first: date, last: date) -> Iterator[ComplaintDetails]:
        """Asked in windows of 30 days; a complaint that moves between pages while we read comes once."""
        if first > last:
            raise ValueError("the first day is after the last")
        seen: set[str] = set()
        while first <= last:
            end = min(last, first + timedelta(days=WINDOW_DAYS - 1))
            days = {"begin_date": first.isoformat(), "end_date": end.isoformat()}
            for row in self._rows(BASE, days, LIST_LIMIT):
                wire = ComplaintWire.model_validate(row)
                if not wire.complaint_id:
                    log.warning("channel.odd", channel=CHANNEL, what="a complaint without an id")
                elif wire.complaint_id not in seen:
                    seen.add(wire.complaint_id)
                    yield self._complaint(wire)
            first = end + timedelta(days=1)

    def detail(self, complaint_id: str) -> ComplaintDetails:
        wire = ComplaintWire.model_validate(self._client.get(self._path(complaint_id)))
        if wire.complaint_id != complaint_id:
            raise Unavailable(CHANNEL, "the answer is about another complaint, or about none")
        return self._complaint(wire)

    def history(self, complaint_id: str) -> Sequence[HistoryEntry]:
        rows = self._rows(self._path(complaint_id, "negotiation-historys"), {}, HISTORY_LIMIT)
        return to_history([RecordWire.model_validate(row) for row in rows], self._client.clock())

    def check_reply(self, text: str) -> Objection | None:
        return reply_checks.check_reply(text)

    def check_reason(self, text: str) -> Objection | None:
        return reply_checks.check_reason(text)

    def reply(
        self, complaint_id: str, merchant_id: str, text: str, *, immediate: bool = False, idempotency_key: str
    ) -> None:
        """The call for immediate service takes no other complaint and the ordinary one refuses those."""
        _insist(reply_checks.check_reply(text), "reply")
        if not immediate:
            body: dict[str, object] = {"complainted_mchid": merchant_id, "response_content": text}
            self._client.write("POST", self._path(complaint_id, "response"), body)
            return
        message = {"blocks": [{"type": "TEXT", "text": {"text": text}}], "sender_identity": "MANUAL"}
        body = {
            "complainted_mchid": merchant_id,
            "message": message,
            "idempotent_id": idempotent_id(idempotency_key),
        }
        self._client.write("POST", self._path(complaint_id, "response-immediate-service"), body)

    def complete(self, complaint_id: str, merchant_id: str) -> None:
        self._client.write("POST", self._path(complaint_id, "complete"), {"complainted_mchid": merchant_id})

    def approve_refund(self, complaint_id: str, merchant_id: str, launch_in_days: int = 0, remark: str = "") -> None:
        _insist(reply_checks.check_text(remark, reply_checks.REASON_LIMIT, required=False), "remark")
        self._decide(complaint_id, {"action": "APPROVE", "launch_refund_day": launch_in_days}, remark)

    def reject_refund(self, complaint_id: str, merchant_id: str, reason: str, remark: str = "") -> None:
        _insist(reply_checks.check_reason(reason), "reason")
        _insist(reply_checks.check_text(remark, reply_checks.REASON_LIMIT, required=False), "remark")
        self._decide(complaint_id, {"action": "REJECT", "reject_reason": reason}, remark)

    def picture(self, url: str) -> Picture:
        return self._pictures.fetch(url)

    def _decide(self, complaint_id: str, decision: dict[str, object], remark: str) -> None:
        # Only the fields of the chosen action: others were seen to be refused. The call takes no merchant id.
        if remark:
            decision["remark"] = remark
        self._client.write("POST", self._path(complaint_id, "update-refund-progress"), decision)

    def _path(self, complaint_id: str, call: str = "") -> str:
        return f"{BASE}/{segment(complaint_id)}{'/' if call else ''}{call}"

    def _complaint(self, wire: ComplaintWire) -> ComplaintDetails:
        credentials = self._client.credentials
        phone = credentials.reveal(wire.payer_phone)
        return to_complaint(wire, phone=phone, account_merchant=credentials.merchant_id, now=self._client.clock())

    def _rows(self, path: str, params: Mapping[str, str | int], limit: int) -> Iterator[dict[str, Any]]:
        """All rows of a paged list; fewer at a time when the platform says that an answer gets too large."""
        offset, total = 0, None
        before: list[dict[str, Any]] = []
        while offset < MOST_ROWS:
            try:
                page = PageWire.model_validate(self._client.get(path, {**params, "limit": limit, "offset": offset}))
            except AnswerTooLarge:
                if limit == 1:
                    raise
                limit //= 2
                continue
            if offset == 0:
                total = page.total_count
            if page.data == before:
                return  # the offset is not looked at: the same page would come for ever
            yield from page.data
            before = page.data
            offset += len(page.data)
            # A full page is followed by a look at the next even when the total says that this was all: rows may have
            # come since.
            if not page.data or (len(page.data) < limit and (total is None or offset >= total)):
                return


def idempotent_id(key: str) -> str:
    """At most 128 characters, the same for the same key."""
    if not key:
        raise BadRequest(CHANNEL, "a reply for immediate service needs an idempotency key")
    if len(key) <= 128 and key.isascii() and key.isprintable():
        return key
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()


def _insist(objection: Objection | None, what: str) -> None:
    if objection is not None:
        raise BadRequest(CHANNEL, f"{what} not sent: {objection.code}", code=objection.code)
