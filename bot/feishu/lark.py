"""The one implementation of Feishu's ports, over lark-oapi."""

from __future__ import annotations

from datetime import timedelta

from bot.clock import Clock
from bot.feishu import slim_import
from bot.feishu.api.application import LarkApplication
from bot.feishu.api.base import IM
from bot.feishu.api.chats import LarkChats
from bot.feishu.api.contacts import LarkContacts
from bot.feishu.api.messages import LarkMessages
from bot.feishu.caller import Caller, Watch


class LarkFeishu(LarkMessages, LarkContacts, LarkChats, LarkApplication):
    """The port over lark-oapi's per-API services. Safe to share between threads; makes nothing until the first call.

    `domain` is `feishu`, `lark` or an origin; `timeout` in seconds.
    """

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        domain: str,
        clock: Clock,
        timeout: float = 10.0,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(Caller(app_id, app_secret, domain, clock, timeout, watch))

    def token_age(self) -> timedelta | None:
        """How long ago the app's token was fetched; None while there is none."""
        return self._caller.token_age()

    def warm_up(self) -> None:
        """Load what sending needs; the first message would wait for it otherwise."""
        slim_import.module(IM)
        _ = self._im
