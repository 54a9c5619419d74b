"""The platform's keys by serial: its public key, its certificates, or both while a merchant switches.

docs/platforms/wechatpay.md ("Two key modes").
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import Certificate

from adapters.errors import ChannelError
from adapters.wechatpay import crypto
from adapters.wechatpay.credentials import Credentials

# The platform wants its list read at intervals under 12 h; a new certificate stands in it 24 h before it signs.
_FRESH_FOR = timedelta(hours=11)
_PAUSE_AFTER_FAILURE = timedelta(minutes=1)


class VerificationKeys:
    """Looks keys up without calling out; `refresh` calls `fetch` when the list of certificates is due. Thread-safe."""

    def __init__(
        self,
        credentials: Credentials,
        clock: Callable[[], datetime],
        fetch: Callable[[], Sequence[Certificate]],
        *,
        fetches: bool,
    ) -> None:
        self._credentials, self._clock, self._fetch = credentials, clock, fetch
        self.fetches = fetches
        self._fetched: Mapping[str, Certificate] = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._refreshing = threading.Lock()

    def certificates(self) -> Sequence[Certificate]:
        """All that are held, handed in or downloaded, expired ones too."""
        given = {crypto.certificate_serial(one): one for one in self._credentials.certificates}
        return list({**given, **self._fetched}.values())

    def find(self, serial: str) -> RSAPublicKey | None:
        """The key that `Wechatpay-Serial` names; None for an unknown or expired one. Never calls out."""
        if serial.startswith("PUB_KEY_ID_"):
            return self._credentials.public_key if serial == self._credentials.public_key_id else None
        wanted = serial.upper()
        for certificate in self.certificates():
            if crypto.certificate_serial(certificate) == wanted:
                now = self._clock()
                valid = certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc
                return crypto.certificate_key(certificate) if valid else None
        return None

    def prepare(self) -> None:
        """Before a call: be able to check its answer. Raises when no key at all can be had; nothing was sent then."""
        # Looked at even when nothing is due: a key that turns out broken after a refund was sent is too late.
        has_some = self._credentials.public_key is not None or bool(self.certificates())
        if not self.fetches or not self._due() or (has_some and self._paused()):
            return
        try:
            self._refresh(wait=not has_some)
        except ChannelError:
            if not has_some:
                raise

    def look_again(self) -> bool:
        """After an answer with an unknown serial: read the list anew, at most once a minute. True when it was read."""
        if not self.fetches or self._paused():
            return False
        try:
            self._refresh(force=True)
        except ChannelError:
            return False
        return True

    def refresh(self) -> None:
        """Read the list when it is due. Raises what the call raises."""
        if self.fetches and self._due():
            self._refresh()

    def _due(self) -> bool:
        # The absolute distance: a clock that was set back must not make the list fresh for years.
        return self._fetched_at is None or abs(self._clock() - self._fetched_at) >= _FRESH_FOR

    def _paused(self) -> bool:
        return self._tried_at is not None and abs(self._clock() - self._tried_at) < _PAUSE_AFTER_FAILURE

    def _refresh(self, *, wait: bool = True, force: bool = False) -> None:
        if not self._refreshing.acquire(blocking=wait):
            return  # another thread is at it, and there are keys to go on with
        try:
            if not force and not self._due():
                return
            self._tried_at = self._clock()
            fetched = self._fetch()
            self._fetched = {crypto.certificate_serial(one): one for one in fetched}
            self._fetched_at = self._clock()
        finally:
            self._refreshing.release()
