"""HTTP to a platform: one exchange at a time, bounded in time and size, with one log line each.

What matters most is told by the class of the error: `Unavailable` for a request that certainly took no effect (or
that only read something), `OutcomeUnknown` for one that changes something and left without a trustworthy answer.
"""

from __future__ import annotations

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol, TypeVar
from urllib.parse import urlsplit

import httpx
import structlog

from adapters.errors import BadRequest, ChannelError, OutcomeUnknown, Unavailable

Result = TypeVar("Result")
log = structlog.get_logger("adapters.transport")

# Raised before the first byte of a request leaves: refused connection, name not found, no free connection.
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


class Watch(Protocol):
    """Is told of every call once. `operation` names no item, `outcome` is `done` or the class of the error."""

    def __call__(self, channel: str, account: str, operation: str, outcome: str, seconds: float) -> None: ...


def nobody_watches(channel: str, account: str, operation: str, outcome: str, seconds: float) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request. `target` is path and query, already percent-encoded; `writes` says that it changes something.

    `shown` replaces the path in the log where the path itself names a person.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    writes: bool = False
    max_bytes: int = 8 * 1024 * 1024
    shown: str = ""
    origin: str = ""  # scheme and host, where it is not the base URL's

    @property
    def log_path(self) -> str:
        return self.shown or self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def header(self, name: str) -> str:
        return self.headers.get(name.lower(), "")


class Transport:
    """The connections of one account. Thread-safe."""

    def __init__(
        self,
        *,
        channel: str,
        account: str,
        base_url: str,
        timeout: float = 8.0,
        connect_timeout: float = 5.0,
        deadline: float = 30.0,
        connections: int = 16,
        request_id_header: str = "",
        path_words: frozenset[str] = frozenset(),
        watch: Watch = nobody_watches,
    ) -> None:
        """`timeout` bounds each silence of the platform, `deadline` the whole exchange; both in seconds.

        `path_words` are the parts of paths that name an operation; all others are ids and stand as `*` in its name.
        """
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise BadRequest(channel, f"account {account}: base_url is not an http(s) address")
        self.channel, self.account = channel, account
        self.base_url = base_url.rstrip("/")
        self._deadline = deadline
        self._request_id_header = request_id_header
        self._path_words = path_words
        self._watch = watch
        # httpx writes every URL with its query at INFO; queries hold ids of people.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        timeouts = httpx.Timeout(timeout, connect=connect_timeout, pool=5.0)
        limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=15.0)
        self._reads = httpx.Client(
            trust_env=False, verify=_trust(), timeout=timeouts, limits=limits, follow_redirects=False
        )
        # A kept connection may be closed by the other side just as a request leaves, and then nobody knows whether
        # it arrived. Writes are few, so each gets a connection of its own.
        alone = httpx.Limits(max_connections=connections, max_keepalive_connections=0)
        self._writes = httpx.Client(
            trust_env=False, verify=_trust(), timeout=timeouts, limits=alone, follow_redirects=False
        )

    def close(self) -> None:
        self._reads.close()
        self._writes.close()

    def exact_target(self, request: Outgoing) -> str:
        """Path and query byte for byte as they will be sent; signatures are made over this."""
        return self._url(request).raw_path.decode("ascii")

    def call(self, request: Outgoing, judge: Callable[[Answer], Result]) -> Result:
        """Send, read the whole answer, and return what `judge` makes of it. Writes one log line in any case.

        Raises Unavailable or OutcomeUnknown, and whatever ChannelError `judge` raises.
        """
        started = time.monotonic()
        answer: Answer | None = None
        failure: ChannelError | None = None
        try:
            answer = self._exchange(request)
            return judge(answer)
        except ChannelError as error:
            failure = error
            raise
        finally:
            self._log(request, answer, failure, started)

    def _url(self, request: Outgoing) -> httpx.URL:
        try:
            return httpx.URL((request.origin or self.base_url) + request.target)
        except httpx.InvalidURL:
            raise BadRequest(self.channel, "the address of the call is malformed") from None

    def _exchange(self, request: Outgoing) -> Answer:
        client = self._writes if request.writes else self._reads
        url = self._url(request)
        try:
            outgoing = client.build_request(
                request.method, url, headers=dict(request.headers), content=request.body or None
            )
            until = time.monotonic() + self._deadline
            response = client.send(outgoing, stream=True)
            try:
                body = self._read(response, request, until)
            finally:
                response.close()
        except _NOT_SENT as error:
            raise Unavailable(self.channel, f"could not be reached ({_name(error)}), nothing was sent") from error
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol) as error:
            raise BadRequest(self.channel, f"the request could not be built ({_name(error)})") from error
        except httpx.HTTPError as error:
            raise self.no_answer(request, _name(error)) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)

    def _read(self, response: httpx.Response, request: Outgoing, until: float) -> bytes:
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_bytes():
            size += len(piece)
            if size > request.max_bytes:
                raise self.no_answer(request, f"answer larger than {request.max_bytes} bytes", response.status_code)
            if time.monotonic() > until:
                raise self.no_answer(request, f"answer took longer than {self._deadline:g} s", response.status_code)
            pieces.append(piece)
        return b"".join(pieces)

    def no_answer(self, request: Outgoing, why: str, status: int = 0, **more: str) -> ChannelError:
        """The error for a request that left and brought back nothing that can be believed."""
        kind = OutcomeUnknown if request.writes else Unavailable
        return kind(self.channel, why, status=status, code=more.get("code", ""), request_id=more.get("request_id", ""))

    def _log(self, request: Outgoing, answer: Answer | None, failure: ChannelError | None, started: float) -> None:
        request_id = answer.header(self._request_id_header) if answer and self._request_id_header else ""
        outcome = type(failure).__name__ if failure else "done"
        seconds = time.monotonic() - started
        self._watch(self.channel, self.account, self._operation(request), outcome, seconds)
        write = log.info if failure is None else log.warning
        write(
            "channel.call",
            channel=self.channel,
            account=self.account,
            method=request.method,
            path=request.log_path,
            status=answer.status if answer else 0,
            outcome=outcome,
            code=failure.code if failure else "",
            request_id=request_id,
            ms=int(seconds * 1000),
        )

    def _operation(self, request: Outgoing) -> str:
        parts = request.log_path.strip("/").split("/")
        told = [part if part in self._path_words else "*" for part in parts]
        return f"{request.method} {'/'.join(told[-4:])}"


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """One for all accounts: reading the list of authorities takes longer than a call."""
    return httpx.create_ssl_context(trust_env=False)


def _name(error: Exception) -> str:
    return type(error).__name__
