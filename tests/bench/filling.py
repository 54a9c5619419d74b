"""Databases with many complaints, as years of work leave them behind: nearly all finished, a few hundred open."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from storage.areas.complaints import Complaint, ComplaintEntry, Progress
from storage.areas.configuration import Account, Chat, Program
from storage.areas.people import People
from storage.core.schedule import Deadline
from storage.database import Database
from storage.migrate import migrate
from tests.bench.processes import KEY

CHAT = "oc_bench"
OPEN_ID = "ou_bench_operator"
NOW = datetime(2026, 3, 2, 4, 30, tzinfo=UTC)
_OPEN = 400
_DUE = 20
_PAGE = 5000


def phone(number: int) -> str:
    return f"1390000{number:04d}"


def fill(url: str, count: int) -> Database:
    """A database with `count` complaints, one entry and two deadlines each; open and unlocked."""
    database = Database(url)
    migrate(database)
    database.unlock([KEY])
    with database.write() as session:
        People(session).grant(
            People(session).ensure(OPEN_ID, name="陈晨", at=NOW), "operator", "mall", at=NOW, source="chat"
        )
        session.add_all(
            [
                Account(key="pay-main", channel="wechatpay", mode="direct", settings={"base_url": "x"}, changed_at=NOW),
                Program(key="mall", account_key="pay-main", name="商城", chat_id=CHAT, owner=OPEN_ID),
                Chat(chat_id=CHAT, name="支付投诉群", zone="Asia/Shanghai", language="zh_cn"),
            ]
        )
    rows = min(_OPEN, count // 4)
    for first in range(1, count + 1, _PAGE):
        numbers = range(first, min(first + _PAGE, count + 1))
        with database.write() as session:
            session.execute(insert(Complaint), [_complaint(number, count, rows) for number in numbers])
            session.execute(insert(ComplaintEntry), [_entry(number) for number in numbers])
            session.execute(insert(Deadline), [each for number in numbers for each in _deadlines(number, count, rows)])
    _audit(database, 10 * count)
    if not database.is_sqlite:  # PostgreSQL does that by itself within a minute, SQLite never does
        with database.writer.connect() as connection:
            connection.execute(text("ANALYZE"))
            connection.commit()
    return database


def _audit(database: Database, count: int) -> None:
    """Entries as they look, made by the database itself, for there are up to ten million; nobody checks their chain."""
    many = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)"
        if database.is_sqlite
        else "WITH n(i) AS (SELECT generate_series(1, :count))"
    )
    params = database.vault.seal("{}")
    with database.write() as session:
        session.execute(
            text(
                "INSERT INTO audit (id, at, actor_id, event, subject, params, previous, hash) "
                f"{many} SELECT i, :at, 1, 'complaint.claimed', 'complaint:' || (i / 10 + 1), :params, :hash, :hash"
                " FROM n"
            ),
            {"count": count, "at": NOW.replace(tzinfo=None), "params": params, "hash": "0" * 64},
        )


def _is_open(number: int, count: int, rows: int) -> bool:
    return number > count - rows


def _at(number: int, count: int) -> datetime:
    return NOW - timedelta(minutes=2 * (count - number))


def _complaint(number: int, count: int, rows: int) -> dict[str, Any]:
    at = _at(number, count)
    waits = _is_open(number, count, rows)
    return {
        "id": number, "account_key": "pay-main", "external_id": f"2000{number:012d}", "program_key": "mall",
        "chat_id": CHAT, "progress": Progress.WAITING if waits else Progress.FINISHED,
        "remote_state": "PENDING" if waits else "PROCESSED", "words": f"杯子漏水，要求退款 {number}", "problem": "退款",
        "problem_type": "REFUND", "merchant_id": "1900000109", "transaction_id": f"42{number:012d}",
        "out_trade_no": f"T{number:012d}", "amount_fen": 6800, "phone": _phone(number),
        "phone_index": _phone(number), "openid": f"o{number}", "openid_index": f"o{number}", "complained_at": at,
        "times": 1, "user_waits": waits, "platform_assists": False, "immediate": False, "fully_refunded": False,
        "picture_urls": [], "picture_keys": [], "first_reply_due": at + timedelta(hours=24),
        "finish_due": at + timedelta(hours=72), "finished_at": None if waits else at + timedelta(hours=5),
        "first_replied_at": None if waits else at + timedelta(hours=1), "synced_at": at, "row_version": 1,
    }  # fmt: skip


def _phone(number: int) -> str:
    """A customer complains as often in a large company as in a small one."""
    return phone(number) if number < 1000 else f"136{number:08d}"


def _entry(number: int) -> dict[str, Any]:
    return {
        "complaint_id": number, "external_id": f"e{number}", "at": NOW, "author": "customer",
        "kind": "USER_CREATE_COMPLAINT", "words": "杯子漏水",
    }  # fmt: skip


def _deadlines(number: int, count: int, rows: int) -> Iterator[dict[str, Any]]:
    waits = _is_open(number, count, rows)
    soon = number > count - min(_DUE, rows)
    for kind, hours in (("complaint.first_reply", 24), ("complaint.finish", 72)):
        due = _at(number, count) + timedelta(hours=hours)
        yield {
            "kind": kind, "subject": str(number), "due_at": due, "stage": 0, "done_at": None if waits else due,
            "next_at": NOW - timedelta(seconds=5) if waits and soon else due + timedelta(days=365),
        }  # fmt: skip
