"""Whether an event is of our company: one that another company's app sealed with our key is not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import structlog

from bot.clock import Clock
from storage.core.tenants import Tenants
from storage.database import Database

log = structlog.get_logger("ingress")
_LONGEST = 200
_LOOK_AGAIN = 10.0  # seconds between two looks for whether what is remembered was forgotten meanwhile


class KnownTenant:
    """Remembers the tenant of the first proven event of this app, in the database, for all processes.

    It is read once in the life of a process, and again when another one turns up, but not for each of those.
    Thread-safe.
    """

    def __init__(
        self, database: Database, app_id: str, clock: Clock, real: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._app_id = app_id
        self._clock = clock
        self._real = real
        self._lock = threading.Lock()
        self._known = ""
        self._looked_at = float("-inf")

    def takes(self, tenant_key: str) -> bool:
        """Whether events of this tenant are ours. Raises what the database raised."""
        if tenant_key == self._known:
            return True
        if len(tenant_key) > _LONGEST or not tenant_key.isprintable():
            return False
        with self._lock:
            if self._known and self._real() - self._looked_at < _LOOK_AGAIN:
                return tenant_key == self._known
            self._known = self._remembered() or self._remember(tenant_key)
            self._looked_at = self._real()
            return tenant_key == self._known

    def _remembered(self) -> str:
        with self._database.read() as session:
            found = Tenants(session).of(self._app_id)
            return found.tenant_key if found is not None else ""

    def _remember(self, tenant_key: str) -> str:
        with self._database.write() as session:
            holds = Tenants(session).remember(self._app_id, tenant_key, self._clock.now())
        log.info("feishu.tenant_remembered", tenant=holds)
        return holds
