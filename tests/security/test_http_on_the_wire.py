"""The web server itself: lengths that lie, bodies that never end, headers without measure, methods of all kinds."""

from __future__ import annotations

import gzip
import os
import time
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.feishu.envelope import LARGEST
from tests.security.attacked import EVENTS, NOTIFY, Attacked, at_once, fuzzed
from tests.security.wire import chunked, request

MEGABYTE = 1024 * 1024
JSON = {"Content-Type": "application/json"}
PAGES = ("/healthz", "/readyz", "/metrics")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "BREW", "get", "G" * 300)
BOTH = pytest.mark.parametrize("path", [EVENTS, NOTIFY])


@pytest.mark.parametrize("path", [*PAGES, EVENTS, NOTIFY, "/", "/nothing"])
def test_any_method(bot: Attacked, path: str) -> None:
    for method in METHODS:
        answer = bot.strike(path, method=method)
        if path in PAGES:
            assert answer.status in ((200,) if method in ("GET", "HEAD", "OPTIONS") else (400, 405)), answer
        assert "x-powered-by" not in answer.headers
        assert not answer.headers.get("server")


@BOTH
def test_bodies_that_are_too_large(bot: Attacked, path: str) -> None:
    for size in (LARGEST + 1, 2 * MEGABYTE, 8 * MEGABYTE):
        assert bot.strike(path, b"x" * size, JSON).status == 413
        assert bot.strike(path, b"{}", JSON, length=str(size * 1000)).status in (0, 413), "refused before it came"
    pieces = [
        request(path, b"", {**JSON, "Transfer-Encoding": "chunked"}, length=""),
        chunked(b"x" * 3 * MEGABYTE, 65536),
    ]
    assert bot.raw(pieces, path).status in (0, 413)


@BOTH
def test_many_large_bodies_at_once(bot: Attacked, path: str) -> None:
    body = os.urandom(LARGEST // 2)
    at_once([partial(bot.strike, path, body, JSON) for _ in range(40)])


@BOTH
@pytest.mark.parametrize("length", ["-1", "abc", "1e3", "+5", "0x10", "5, 5", "9" * 40, " ", "５"])
def test_lengths_that_lie(bot: Attacked, path: str, length: str) -> None:
    assert bot.strike(path, b"{}{}{}", JSON, length=length).status in (0, 400, 401, 413)


@BOTH
def test_bodies_shorter_than_they_say(bot: Attacked, path: str) -> None:
    assert bot.raw([request(path, b"{}", JSON, length="500")], path, shut=True).status in (0, 400, 401)


@BOTH
@pytest.mark.parametrize(
    "body", [chunked(b'{"a": 1}', 3), b"zz\r\n{}\r\n", b"-1\r\n{}\r\n", b"ffffffffffffffff\r\n{}", b"2;" + b"x" * 9000]
)
def test_chunks(bot: Attacked, path: str, body: bytes) -> None:
    head = request(path, b"", {**JSON, "Transfer-Encoding": "chunked"}, length="")
    assert bot.raw([head, body], path, shut=True).status in (0, 400, 401)


@BOTH
@pytest.mark.parametrize("coding", ["gzip, chunked", "xchunked", "chunked, chunked", "identity", "\x0bchunked"])
def test_two_ways_to_tell_where_a_request_ends(bot: Attacked, path: str, coding: str) -> None:
    hidden = request("/metrics", method="GET")
    answer = bot.raw([request(path, b"0\r\n\r\n" + hidden, {**JSON, "Transfer-Encoding": coding})], path, shut=True)
    assert answer.status in (0, 400, 401, 501)
    assert b"mpops_" not in answer.body, "what was hidden in a body was taken for a request"


@BOTH
def test_what_is_packed_is_not_unpacked(bot: Attacked, path: str) -> None:
    bomb = gzip.compress(b" " * 64 * MEGABYTE)
    assert len(bomb) < LARGEST
    for coding in ("gzip", "deflate", "br", "gzip, gzip"):
        assert bot.strike(path, bomb[: 200 * 1024], {**JSON, "Content-Encoding": coding}).status == 401


@BOTH
def test_slow_senders_do_not_keep_others_waiting(bot: Attacked, path: str) -> None:
    whole = request(path, b"x" * 60, JSON)

    def quick() -> None:
        time.sleep(0.3)
        started = time.monotonic()
        assert bot.strike("/healthz", method="GET").status == 200
        assert time.monotonic() - started < 1.5

    slow = [
        partial(bot.raw, [whole[at : at + 20] for at in range(0, len(whole), 20)], path, pause=0.2) for _ in range(60)
    ]
    at_once([*slow, quick])


@fuzzed(25)
@given(
    st.sampled_from([EVENTS, NOTIFY, *PAGES]),
    st.lists(
        st.tuples(
            st.sampled_from(
                ["X-Lark-Signature", "X-Lark-Request-Timestamp", "X-Lark-Request-Nonce", "Wechatpay-Serial", "Range",
                 "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Signature", "Content-Type", "Expect", "Cookie",
                 "X-Forwarded-For", "Authorization", "Accept-Encoding", "Upgrade", "Host", "Content_Length"]
            ),
            st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
                ["1" * 20, "PUB_KEY_ID_" + "0" * 3000, "-1", "\x00", "a\r\nb: c", "100-continue", "h2c"]
            ),
        ),
        max_size=8,
    ),
)  # fmt: skip
def test_any_headers(bot: Attacked, path: str, headers: list[tuple[str, str]]) -> None:
    bot.raw([request(path, b"{}", headers, method="GET" if path in PAGES else "POST")], path, shut=True)


@BOTH
def test_headers_without_measure(bot: Attacked, path: str) -> None:
    for headers in ([("X-A", "a" * 40_000)], [(f"X-{n}", "a" * 100) for n in range(3000)], [("A" * 40_000, "a")]):
        assert bot.strike(path, b"{}", headers).status in (0, 400, 431)
    assert bot.strike(path + "?" + "q" * 60_000, b"{}").status in (0, 400, 414, 431)


@fuzzed(20)
@given(
    st.binary(max_size=200)
    | st.builds(lambda a, b: a + b" " + b + b" HTTP/1.1\r\n\r\n", st.binary(max_size=9), st.binary(max_size=99))
)
def test_what_is_no_http(bot: Attacked, data: bytes) -> None:
    bot.raw([data], shut=True)
