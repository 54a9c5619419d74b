"""What the console's page shows of WeChat Pay: complaints to choose from, merchants, and the books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.wechatpay.books import Books
from sandbox.wechatpay.merchants import Merchant
from sandbox.wechatpay.samples import SAMPLES

NEWEST = 100  # complaints and refunds shown


def page(merchants: Iterable[Merchant]) -> dict[str, Any]:
    return {
        "samples": [
            {"key": one.key, "title": one.title, "text": one.text[:400], "amount_fen": one.amount_fen}
            for one in SAMPLES
        ],
        "merchants": [{"id": one.id, "name": one.name} for one in merchants],
    }


def books_page(shown: Mapping[str, Any], books: Books) -> dict[str, Any]:
    """`shown` is the snapshot of the same moment."""
    return {
        "complaints": [
            {**one, "refunded_fen": books.refunded_by_complaint.get(one["id"], 0)}
            for one in shown["complaints"][:NEWEST]
        ],
        "refunds": shown["refunds"][:NEWEST],
        "complaint_count": len(shown["complaints"]),
        "refund_count": len(shown["refunds"]),
        "refunded_fen": books.refunded_fen,
        "under_way_fen": books.under_way_fen,
        "refund_create_calls": books.refund_create_calls,
    }
