"""Lists that page badly, and phones that cannot be read."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import pytest
from merchant_kit import client_of, conceal, private_pem, signed
from wire_server import Behaviour, WireServer, answer, refusal, serving

from adapters.errors import BadRequest, Unavailable
from adapters.wechatpay.complaints import WeChatPayComplaints
from adapters.wechatpay.pictures import Pictures

DAY = date(2026, 3, 20)


@contextmanager
def complaints_of(*script: Behaviour, **changes: Any) -> Iterator[tuple[WireServer, WeChatPayComplaints]]:
    with serving(*script) as server, client_of(server.url, **changes) as client:
        yield server, WeChatPayComplaints(client, Pictures(client))


def told(content: object) -> Behaviour:
    body = json.dumps(content).encode()
    return answer(200, body, signed(body))


def rows(*numbers: int) -> list[dict[str, str]]:
    return [{"complaint_id": str(number)} for number in numbers]


def asked(server: WireServer) -> list[tuple[int, int]]:
    """(limit, offset) of each call."""
    lines = [server.head(number)[""] for number in range(len(server.requests))]
    return [(int(found[1]), int(found[2])) for line in lines if (found := re.search(r"limit=(\d+)&offset=(\d+)", line))]


def pages(total: int, at_most: int) -> Behaviour:
    """A platform that refuses more than `at_most` rows at a time."""

    def act(connection: socket.socket, request: bytes) -> None:
        found = re.search(rb"limit=(\d+)&offset=(\d+)", request)
        assert found is not None
        limit, offset = int(found[1]), int(found[2])
        if limit > at_most:
            refusal(400, "PARAM_ERROR", "当前查询结果数据量过大，请缩小查询范围")(connection, request)
            return
        content: dict[str, object] = {"data": rows(*range(offset, min(offset + limit, total)))}
        if offset == 0:
            content["total_count"] = total
        told(content)(connection, request)

    return act


def test_fewer_rows_are_asked_for_when_the_answer_gets_too_large() -> None:
    with complaints_of(pages(30, 12)) as (server, complaints):
        assert [one.id for one in complaints.listed(DAY, DAY)] == [str(number) for number in range(30)]
        assert asked(server)[:4] == [(50, 0), (25, 0), (12, 0), (12, 12)]


def test_one_row_that_is_too_large_is_an_error_and_no_loop() -> None:
    with complaints_of(pages(30, 0)) as (server, complaints):
        with pytest.raises(BadRequest, match="数据量过大"):
            list(complaints.listed(DAY, DAY))
        assert asked(server)[-1] == (1, 0)


@pytest.mark.parametrize("content", [{}, {"data": None}, {"data": []}, {"data": "x", "total_count": "many"}])
def test_an_empty_list_in_every_shape(content: object) -> None:
    with complaints_of(told(content)) as (server, complaints):
        assert list(complaints.listed(DAY, DAY)) == []
        assert len(server.requests) == 1


def test_a_complaint_that_moves_between_pages_comes_once() -> None:
    script = (
        told({"data": rows(*range(50)), "total_count": 52}),
        told({"data": rows(49, 50, 51)}),
    )
    with complaints_of(*script) as (_, complaints):
        assert [one.id for one in complaints.listed(DAY, DAY)] == [str(number) for number in range(52)]


def test_a_platform_that_ignores_the_offset_does_not_hold_us() -> None:
    with complaints_of(told({"data": rows(*range(50)), "total_count": 10**6})) as (server, complaints):
        assert len(list(complaints.listed(DAY, DAY))) == 50
        assert len(server.requests) == 2


def test_a_row_without_an_id_does_not_hide_the_others() -> None:
    with complaints_of(told({"data": [{"complaint_detail": "?"}, *rows(7), 5, None]})) as (_, complaints):
        assert [one.id for one in complaints.listed(DAY, DAY)] == ["7"]


def test_a_long_span_is_asked_in_windows_of_thirty_days() -> None:
    with complaints_of(told({})) as (server, complaints):
        assert list(complaints.listed(date(2026, 1, 1), date(2026, 3, 1))) == []
        spans = [
            re.findall(r"date=(\d{4}-\d\d-\d\d)", server.head(number)[""]) for number in range(len(server.requests))
        ]
        assert spans == [["2026-01-01", "2026-01-30"], ["2026-01-31", "2026-03-01"]]


@pytest.mark.parametrize("content", [{}, {"complaint_id": "8"}])
def test_an_answer_about_another_complaint_is_not_taken(content: object) -> None:
    with complaints_of(told(content)) as (_, complaints), pytest.raises(Unavailable, match="another complaint"):
        complaints.detail("7")


@pytest.mark.parametrize(
    ("sealed_for", "old_keys", "phone"),
    [
        ("merchant", (), "13912345678"),
        ("old merchant", ("old merchant",), "13912345678"),
        ("old merchant", (), ""),
        ("nobody", ("old merchant",), ""),
    ],
)
def test_phones_after_a_key_was_renewed(sealed_for: str, old_keys: tuple[str, ...], phone: str) -> None:
    content = {"complaint_id": "7", "complaint_detail": "?", "payer_phone": conceal(sealed_for, "13912345678")}
    pems = ("a broken one", *(private_pem(name) for name in old_keys))
    with complaints_of(told(content), old_private_keys=pems) as (_, complaints):
        read = complaints.detail("7")
        assert (read.payer_phone, read.text) == (phone, "?")


@pytest.mark.parametrize("phone", ["13912345678", "not base64!", "", "QUJD"])
def test_a_phone_that_is_not_concealed_as_documented_is_unavailable(phone: str) -> None:
    with complaints_of(told({"complaint_id": "7", "payer_phone": phone})) as (_, complaints):
        assert complaints.detail("7").payer_phone == ""
