"""Is this account set up rightly, and what to do if not: the port `DiagnosisPort`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from adapters.account import AccountConfig
from adapters.errors import ChannelError, Misconfigured, NotFound, NotGranted, RateLimited
from adapters.json_reading import read_object
from adapters.transport import Answer
from adapters.values import Finding
from adapters.wechatpay.callbacks import PATH as ADDRESS
from adapters.wechatpay.client import Client
from adapters.wechatpay.complaints import BASE as COMPLAINTS
from adapters.wechatpay.errors import to_error
from adapters.wechatpay.key_checks import own_keys, platform_keys
from adapters.wechatpay.models import CHINA

SKEW_ALLOWED_SECONDS = 60
_PROBE_SIGNATURE = "WECHATPAY/SIGNTEST/"  # the platform signs wrongly on purpose now and then
_FETCH = "set fetch_certificates = true, or hand the certificate in as platform_certificates"

_NO_LIST = (
    "check api_v3_key and merchant_serial; a merchant opened since 2024-09 has no certificates: "
    "set platform_public_key_id and platform_public_key"
)
_KEYS_DIFFER = (
    "merchant_id, merchant_serial and private_key must belong together: "
    "compare them with the API certificate in the merchant console"
)


class WeChatPayDiagnosis:
    """Looks at the keys first and then makes one harmless signed call."""

    def __init__(self, client: Client, config: AccountConfig) -> None:
        self._client, self._config = client, config

    def examine(self, notify_url: str | None = None) -> Sequence[Finding]:
        findings = list(own_keys(self._config, self._client.clock()))
        can_sign = all(finding.ok for finding in findings if finding.check == "private_key")
        if can_sign:
            findings += self._refreshed()
        findings += platform_keys(self._config, self._client.keys, self._client.clock())
        if can_sign:
            findings += self._conversation(notify_url)
        return findings

    def _refreshed(self) -> Iterator[Finding]:
        try:
            self._client.keys.refresh()
        except ChannelError as error:
            yield Finding("certificate_list", False, _told(error), _NO_LIST)

    def _conversation(self, notify_url: str | None) -> Iterator[Finding]:
        try:
            answer = self._probe(self._reading())
            address = self._probe(ADDRESS)
        except ChannelError as error:
            yield Finding("reach", False, _told(error), "check base_url, DNS, proxy and firewall of this machine")
            return
        yield Finding("reach", True, self._client.transport.base_url)
        yield from self._clock(answer)
        refusal = None if answer.status == 200 else to_error(answer, writes=False)
        yield self._signed_call(refusal)
        if refusal is None:
            try:
                yield self._answer_signature(answer)
            except Misconfigured as error:
                yield Finding("answer_signature", False, _told(error), "repair that key first")
        if refusal is None or isinstance(refusal, NotGranted):
            yield self._address(address, notify_url)

    def _reading(self) -> str:
        """A harmless call that is answered with 200, and so signed: today's complaints, at most one."""
        today = self._client.clock().astimezone(CHINA).date()
        return f"{COMPLAINTS}?begin_date={today}&end_date={today}&limit=1&offset=0"

    def _probe(self, target: str) -> Answer:
        answer = self._client.probe(target)
        for _ in range(2):
            if not answer.header("Wechatpay-Signature").startswith(_PROBE_SIGNATURE):
                break
            answer = self._client.probe(target)
        return answer

    def _clock(self, answer: Answer) -> Iterator[Finding]:
        theirs = _time_of(answer)
        if theirs is None:
            return
        skew = (self._client.clock() - theirs).total_seconds()
        where = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the platform"
        remedy = "synchronise the clock of this machine (NTP); beyond 300 s every call is refused"
        yield Finding("clock", abs(skew) <= SKEW_ALLOWED_SECONDS, where, remedy)

    def _signed_call(self, error: ChannelError | None) -> Finding:
        if error is None or isinstance(error, NotGranted):
            return Finding("signed_call", True, "the platform accepted our signature")
        remedy = "try again; if it stays, ask the platform's support with the request id"
        if isinstance(error, RateLimited):
            remedy = "wait a minute and try again"
        elif isinstance(error, Misconfigured) and "timestamp" in error.message:
            remedy = "synchronise the clock of this machine (NTP)"
        elif isinstance(error, Misconfigured):
            remedy = _KEYS_DIFFER
        return Finding("signed_call", False, _told(error), remedy)

    def _answer_signature(self, answer: Answer) -> Finding:
        serial = answer.header("Wechatpay-Serial")[:64]
        doubt = self._client.doubt(answer)
        if doubt is None:
            return Finding("answer_signature", True, f"proven with {serial}")
        if not serial:
            remedy = "a proxy on the way strips the Wechatpay-* headers: let it pass them"
        elif self._client.keys.find(serial) is None and serial.startswith("PUB_KEY_ID_"):
            remedy = f"set platform_public_key_id = {serial} and its public key from the merchant console"
        elif self._client.keys.find(serial) is None:
            remedy = f"the platform still signs with certificate {serial}: {_FETCH}"
        else:
            remedy = f"the key that is held as {serial} is not the platform's: download it again; else check the clock"
        return Finding("answer_signature", False, doubt, remedy)

    def _address(self, answer: Answer, expected: str | None) -> Finding:
        check = "complaint_address"
        error = None if answer.status == 200 else to_error(answer, writes=False)
        if isinstance(error, NotGranted):
            return Finding(check, False, _told(error), "ask WeChat Pay for the complaint API of this merchant")
        if error is not None and not isinstance(error, NotFound):
            return Finding(check, False, _told(error), "try again")
        present = _url(answer) if error is None else ""
        if not present:
            return Finding(check, False, "none is set: complaints are not pushed", _set(expected))
        if expected and present != expected:
            return Finding(check, False, f"complaints are pushed to {present}", _set(expected))
        if not present.startswith("https://"):
            return Finding(check, True, f"{present} (the platform itself takes only https)")
        return Finding(check, True, present)


def _told(error: ChannelError) -> str:
    parts = (error.code, error.message, f"Request-ID {error.request_id}" if error.request_id else "")
    return " ".join(part for part in parts if part)


def _set(expected: str | None) -> str:
    return f"set it to {expected or 'https://<public host>/notify/<account>'}"


def _url(answer: Answer) -> str:
    try:
        url = read_object(answer.body).get("url")
    except ValueError:
        return ""
    return url if isinstance(url, str) else ""


def _time_of(answer: Answer) -> datetime | None:
    """The signature's timestamp, else the Date header."""
    stamp = answer.header("Wechatpay-Timestamp")
    try:
        if stamp.isascii() and stamp.isdigit():
            return datetime.fromtimestamp(int(stamp), UTC)
        at = parsedate_to_datetime(answer.header("Date"))
    except (ValueError, TypeError, OverflowError, OSError):
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
