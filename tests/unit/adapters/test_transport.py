"""What a broken wire means: certainly no effect, or nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs
from wire_server import (
    Behaviour,
    answer,
    answer_and_stay,
    closed_port,
    half_an_answer,
    hang_up,
    serving,
    silence,
    trickle,
)

from adapters.errors import BadRequest, ChannelError, Conflict, OutcomeUnknown, Unavailable
from adapters.transport import Answer, Outgoing, Transport


@contextmanager
def transport_to(url: str, **settings: Any) -> Iterator[Transport]:
    transport = Transport(channel="test", account="a", base_url=url, **settings)
    try:
        yield transport
    finally:
        transport.close()


def whole(answer: Answer) -> Answer:
    return answer


READ = Outgoing("GET", "/v3/x")
WRITE = Outgoing("POST", "/v3/x", body=b"{}", writes=True)


@pytest.mark.parametrize("request_", [READ, WRITE])
def test_nobody_listens_is_no_effect(request_: Outgoing) -> None:
    with transport_to(closed_port()) as transport, pytest.raises(Unavailable, match="nothing was sent"):
        transport.call(request_, whole)


def test_unknown_name_is_no_effect() -> None:
    with transport_to("http://no-such-host.invalid") as transport, pytest.raises(Unavailable, match="nothing was sent"):
        transport.call(WRITE, whole)


@pytest.mark.parametrize("behaviour", [hang_up, half_an_answer, silence(1.0)], ids=["hang up", "half", "silence"])
@pytest.mark.parametrize(("request_", "error"), [(READ, Unavailable), (WRITE, OutcomeUnknown)])
def test_no_whole_answer(behaviour: Behaviour, request_: Outgoing, error: type[ChannelError]) -> None:
    with (
        serving(behaviour) as server,
        transport_to(server.url, timeout=0.3) as transport,
        pytest.raises(error) as caught,
    ):
        transport.call(request_, whole)
    assert type(caught.value) is error
    assert len(server.requests) == 1


def test_an_answer_that_never_ends_is_cut_by_size_and_by_time() -> None:
    with serving(answer(200, b"x" * 2000)) as server, transport_to(server.url) as transport:
        with pytest.raises(OutcomeUnknown, match="larger than 1000"):
            transport.call(Outgoing("POST", "/", body=b"{}", writes=True, max_bytes=1000), whole)
        assert len(transport.call(Outgoing("GET", "/", max_bytes=2000), whole).body) == 2000
    with (
        serving(trickle(50, 0.02)) as server,
        transport_to(server.url, deadline=0.2) as transport,
        pytest.raises(Unavailable, match="longer than"),
    ):
        transport.call(READ, whole)


def test_redirects_are_not_followed() -> None:
    with serving(answer(200, b"secret")) as other, serving(answer(302, headers={"Location": other.url})) as server:
        with transport_to(server.url) as transport:
            assert transport.call(READ, whole).status == 302
        assert other.connections == 0


def test_writes_never_ride_on_a_kept_connection() -> None:
    """A kept connection that dies as the request leaves would make every such write an unknown one."""
    with serving(answer_and_stay) as server, transport_to(server.url) as transport:
        for _ in range(3):
            assert transport.call(WRITE, whole).status == 200
        assert server.connections == 3


@pytest.mark.parametrize("base_url", ["", "ftp://host", "https://", "https://host/?a=b", "host:80", "http://host/#x"])
def test_base_url_must_be_an_address(base_url: str) -> None:
    with pytest.raises(BadRequest):
        Transport(channel="test", account="a", base_url=base_url)


def test_target_is_sent_as_it_is_signed() -> None:
    target = "/v3/images/a%2Bb%2fc?t=%E4%BD%A0&x=1+2"
    with serving(answer(200)) as server, transport_to(server.url) as transport:
        request = Outgoing("GET", target)
        assert transport.exact_target(request) == target
        transport.call(request, whole)
        assert server.head()[""] == f"GET {target} HTTP/1.1"


def test_one_log_line_with_neither_query_nor_headers_nor_body() -> None:
    def refuse(answer: Answer) -> Answer:
        raise Conflict("test", "no", code="WRONG", request_id="08-1")

    judges: list[Callable[[Answer], Answer]] = [whole, refuse]
    for judge in judges:
        with (
            capture_logs() as lines,
            serving(answer(200, b"body-secret", {"Request-ID": "08AB-0"})) as server,
            transport_to(server.url, request_id_header="Request-ID") as transport,
        ):
            request = Outgoing("POST", "/v3/x?openid=o-secret", {"Authorization": "key-secret"}, b"sent-secret", True)
            try:
                transport.call(request, judge)
            except Conflict:
                assert judge is refuse
        assert [line["event"] for line in lines] == ["channel.call"]
        line = lines[0]
        assert "secret" not in repr(line)
        assert line["ms"] >= 0
        assert (line["channel"], line["method"], line["path"], line["status"]) == ("test", "POST", "/v3/x", 200)
        assert line["request_id"] == "08AB-0"
        expected = ("done", "", "info") if judge is whole else ("Conflict", "WRONG", "warning")
        assert (line["outcome"], line["code"], line["log_level"]) == expected


def test_a_path_that_names_a_person_is_logged_as_told() -> None:
    with capture_logs() as lines, transport_to(closed_port()) as transport, pytest.raises(Unavailable):
        transport.call(Outgoing("GET", "/users/oABC", shown="/users/*"), whole)
    assert lines[0]["path"] == "/users/*"
    assert lines[0]["status"] == 0
