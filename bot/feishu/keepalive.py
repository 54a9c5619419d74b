"""Kept connections for the SDK, which opens a new one, with a TLS handshake, for every call.

See docs/platforms/feishu.md ("The Python SDK").
"""

from __future__ import annotations

import threading
from http.cookiejar import DefaultCookiePolicy
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

from bot.feishu import slim_import

_LOCAL = ("127.0.0.1", "localhost", "::1")
_lock = threading.Lock()


class _Kept(threading.local):
    """Looks like the module `requests` to the SDK's transport. Each thread has its own session: none can be shared."""

    def __init__(self, requests: ModuleType) -> None:
        self._requests = requests
        self._session = requests.Session()
        # A gateway's cookie must not tie one app's calls to another's.
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def request(self, method: str, url: str, **options: Any) -> Any:
        if urlsplit(url).hostname in _LOCAL:
            # A proxy that is set for the outside cannot reach a sandbox on this machine.
            options["proxies"] = {"http": None, "https": None}
        return self._session.request(method, url, **options)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._requests, name)


def keep_connections() -> None:
    """From now on the SDK's calls keep their connections open. For the whole process; more than once is nothing."""
    with _lock:
        transport = slim_import.module("lark_oapi.core.http.transport")
        if isinstance(vars(transport).get("requests"), ModuleType):
            vars(transport)["requests"] = _Kept(vars(transport)["requests"])
