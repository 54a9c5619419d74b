"""One signed conversation with WeChat Pay: sign what is sent, prove what comes back, then read it.

docs/platforms/wechatpay.md ("Requests and signatures", "Answers and their signatures").
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import tenacity
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate

from adapters.errors import BadRequest, ChannelError, OutcomeUnknown, Unavailable, Untrusted
from adapters.json_reading import read_object
from adapters.transport import Answer, Outgoing, Transport
from adapters.wechatpay import crypto
from adapters.wechatpay.credentials import CHANNEL, Credentials
from adapters.wechatpay.errors import to_error
from adapters.wechatpay.keys import VerificationKeys
from adapters.wechatpay.reply_checks import unsupported_characters
from adapters.wechatpay.signatures import Distrust, check_signature

Result = TypeVar("Result")
USER_AGENT = "mpops/0.1"


@dataclass(frozen=True, slots=True)
class Patience:
    """How reads are repeated: tries in all, first and longest pause in seconds."""

    tries: int = 3
    first: float = 0.3
    longest: float = 5.0


class Client:
    """Calls of one account. Thread-safe. Only reads are repeated; a write is sent once and its fate told."""

    def __init__(
        self,
        credentials: Credentials,
        transport: Transport,
        *,
        clock: Callable[[], datetime],
        fetches_certificates: bool,
        nonce: Callable[[], str] = lambda: secrets.token_hex(16),
        patience: Patience = Patience(),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.credentials, self.transport, self.clock = credentials, transport, clock
        self.keys = VerificationKeys(credentials, clock, self._fetch_certificates, fetches=fetches_certificates)
        self._nonce, self._patience, self._sleep = nonce, patience, sleep

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, shown: str = "") -> dict[str, Any]:
        """Read a JSON object. `path` is already percent-encoded (see `segment`); `params` are not."""
        request = Outgoing("GET", f"{path}?{urlencode(params)}" if params else path, shown=shown)
        return self._repeated(lambda: self._signed(request))

    def write(
        self, method: str, path: str, body: Mapping[str, object] | None = None, *, limited_is_unknown: bool = False
    ) -> dict[str, Any]:
        """Change something, once. An answer without content reads as {}."""
        content = b"" if body is None else self._serialised(body)
        return self._signed(Outgoing(method, path, body=content, writes=True), limited_is_unknown=limited_is_unknown)

    def download(self, origin: str, target: str, *, shown: str, max_bytes: int) -> Answer:
        """Fetch a file. The platform never signs these answers: the caller has to check what came."""
        request = Outgoing("GET", target, origin=origin, shown=shown, max_bytes=max_bytes)
        return self._repeated(lambda: self.transport.call(self._with_headers(request), self._unsigned))

    def probe(self, path: str) -> Answer:
        """Call once and return whatever comes, unproven: for finding out what is wrong."""
        return self.transport.call(self._with_headers(Outgoing("GET", path)), lambda answer: answer)

    def doubt(self, answer: Answer) -> str | None:
        """Why this answer is not proven to be the platform's; None if it is."""
        try:
            check_signature(answer.headers, answer.body, self.keys.find, self.clock())
        except Distrust as reason:
            return str(reason)
        return None

    def _signed(self, request: Outgoing, *, limited_is_unknown: bool = False) -> dict[str, Any]:
        self.keys.prepare()

        def judge(answer: Answer) -> dict[str, Any]:
            if answer.status not in (200, 201, 204):
                raise to_error(answer, writes=request.writes, limited_is_unknown=limited_is_unknown)
            self._prove(request, answer)
            return self._content(request, answer)

        return self.transport.call(self._with_headers(request), judge)

    def _prove(self, request: Outgoing, answer: Answer) -> None:
        try:
            check_signature(answer.headers, answer.body, self._find_or_look, self.clock())
        except Distrust as reason:
            kind = OutcomeUnknown if request.writes else Untrusted
            request_id = answer.header("Request-ID")[:128]
            raise kind(
                CHANNEL, f"the answer is not proven: {reason}", status=answer.status, request_id=request_id
            ) from None

    def _find_or_look(self, serial: str) -> RSAPublicKey | None:
        found = self.keys.find(serial)
        if found is None and self.keys.look_again():
            found = self.keys.find(serial)
        return found

    def _content(self, request: Outgoing, answer: Answer) -> dict[str, Any]:
        if not answer.body:
            return {}
        try:
            return read_object(answer.body)
        except ValueError as why:
            raise self.transport.no_answer(request, f"unreadable answer: {why}", answer.status) from None

    def _unsigned(self, answer: Answer) -> Answer:
        if answer.status != 200:
            raise to_error(answer, writes=False)
        return answer

    def _with_headers(self, request: Outgoing) -> Outgoing:
        timestamp, nonce = int(self.clock().timestamp()), self._nonce()
        target = self.transport.exact_target(request)
        message = crypto.request_message(request.method, target, timestamp, nonce, request.body)
        token = ",".join(
            f'{name}="{value}"'
            for name, value in (
                ("mchid", self.credentials.merchant_id),
                ("nonce_str", nonce),
                ("signature", crypto.sign(self.credentials.private_key, message)),
                ("timestamp", timestamp),
                ("serial_no", self.credentials.merchant_serial),
            )
        )
        headers = {
            "Authorization": f"{crypto.SCHEMA} {token}",
            "Accept": "application/json",
            "Accept-Encoding": "identity",  # the signature is over the bytes that we read
            "User-Agent": USER_AGENT,
        }
        if request.body:
            headers["Content-Type"] = "application/json"
        if self.credentials.public_key_id:
            headers["Wechatpay-Serial"] = self.credentials.public_key_id  # it chooses the key of the answer
        return replace(request, headers=headers)

    def _serialised(self, body: Mapping[str, object]) -> bytes:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        if unsupported_characters(text):
            raise BadRequest(CHANNEL, "the text holds characters that WeChat Pay cannot take (emoji)")
        return text.encode("utf-8")

    def _repeated(self, read: Callable[[], Result]) -> Result:
        patience = self._patience
        backoff = tenacity.wait_exponential_jitter(
            multiplier=patience.first, max=patience.longest, jitter=patience.first
        )

        def wait(state: tenacity.RetryCallState) -> float:
            error = state.outcome.exception() if state.outcome else None
            return max(backoff(state), error.after if isinstance(error, ChannelError) else 0.0)

        def worth_it(error: BaseException) -> bool:
            # An unproven answer too: the platform sends wrong signatures on purpose now and then.
            if not isinstance(error, ChannelError) or error.after > patience.longest:
                return False
            return error.retryable or isinstance(error, Untrusted)

        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(patience.tries),
            wait=wait,
            retry=tenacity.retry_if_exception(worth_it),
            sleep=self._sleep,
            reraise=True,
        )(read)

    def _fetch_certificates(self) -> Sequence[Certificate]:
        request = Outgoing("GET", "/v3/certificates")
        return self._repeated(lambda: self.transport.call(self._with_headers(request), self._read_certificates))

    def _read_certificates(self, answer: Answer) -> Sequence[Certificate]:
        """The first list is signed by a key that stands in it; the APIv3 key proves the certificates themselves."""
        if answer.status != 200:
            raise to_error(answer, writes=False)
        found: dict[str, Certificate] = {}
        try:
            for item in read_object(answer.body).get("data") or []:
                sealed = item["encrypt_certificate"]
                parts = (str(sealed[name]) for name in ("nonce", "associated_data", "ciphertext"))
                pem = self.credentials.unseal(*parts).decode("ascii")
                certificate = crypto.load_certificate(pem)
                found[crypto.certificate_serial(certificate)] = certificate
        except (ValueError, KeyError, TypeError):
            raise Untrusted(CHANNEL, "the list of certificates cannot be opened; check api_v3_key") from None
        if not found:
            raise Unavailable(CHANNEL, "the list of certificates is empty")

        def find(serial: str) -> RSAPublicKey | None:
            listed = found.get(serial.upper())
            return crypto.certificate_key(listed) if listed is not None else self.keys.find(serial)

        try:
            check_signature(answer.headers, answer.body, find, self.clock())
        except Distrust as reason:
            raise Untrusted(CHANNEL, f"the list of certificates is not proven: {reason}") from None
        return list(found.values())


def segment(text: str) -> str:
    """One part of a path, percent-encoded, so that no id can reach another address."""
    if text in ("", ".", ".."):
        raise BadRequest(CHANNEL, "an id is empty or not an id")
    try:
        return quote(text, safe="")
    except UnicodeError:
        raise BadRequest(CHANNEL, "an id holds characters that no id has") from None
