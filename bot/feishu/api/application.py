"""The app itself: its bot, and the scopes that the company granted it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bot.feishu.api.base import Api
from bot.feishu.caller import Caller
from bot.feishu.errors import Unreachable
from bot.feishu.port import Bot


class LarkApplication(Api):
    """`ApplicationPort` over lark-oapi."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller)
        self._bot_open_id = ""

    def bot_open_id(self) -> str:
        """The bot's own open id; asked once."""
        if not self._bot_open_id:
            self._bot_open_id = self.bot()[0].open_id
        return self._bot_open_id

    @property
    def known_bot_open_id(self) -> str:
        """The same without asking; "" until it was asked."""
        return self._bot_open_id

    def bot(self) -> tuple[Bot, datetime | None]:
        """The bot, and Feishu's own time by the answer's Date header."""
        answer = self._caller.plain("bot.info", "GET", "/open-apis/bot/v3/info")
        raw = answer.body.get("bot")
        if not isinstance(raw, Mapping) or not isinstance(raw.get("open_id"), str):
            raise Unreachable("bot.info", "the answer holds no bot")
        return Bot(raw["open_id"], str(raw.get("app_name", "")), raw.get("activate_status", 2) == 2), answer.date

    def granted_scopes(self) -> frozenset[str]:
        """The scopes that this company granted the app. open.feishu.cn: application-v6/scope/list"""
        answer = self._caller.plain("scope.list", "GET", "/open-apis/application/v6/scopes")
        raw = answer.data.get("scopes")
        entries = [each for each in raw if isinstance(each, Mapping)] if isinstance(raw, list) else []
        return frozenset(str(each.get("scope_name")) for each in entries if each.get("grant_status") == 1)
