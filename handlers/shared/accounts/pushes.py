"""The channels' side of `/notify/<account>`, and what a stored push makes happen."""

from __future__ import annotations

import json
from collections.abc import Mapping

import structlog

from adapters.errors import ChannelError
from adapters.ports import Inbound
from bot.door import Door
from bot.ingress import PushAnswer, Pushed
from bot.retries import TryAgain
from bot.unit import Unit
from handlers.shared.accounts.registry import Channels
from handlers.shared.contributions.pushes import OnPush

log = structlog.get_logger("channels")

_NOTHING = PushAnswer(404, b"", "text/plain")


class ChannelPushes:
    """Implements `bot.ingress.Pushes` over the adapters."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._door = Door()

    def largest(self, account: str) -> int | None:
        inbound = self._inbound(account)
        return inbound.max_bytes if inbound is not None else None

    def open(self, account: str, headers: Mapping[str, str], body: bytes) -> Pushed | None:
        inbound = self._inbound(account)
        if inbound is None:
            return None
        try:
            notification = inbound.open(headers, body)
        except ChannelError as error:
            unwritten = self._door.failed()
            if unwritten is not None:
                log.warning(
                    "notify.refused", account=account, why=type(error).__name__, detail=error.message,
                    size=len(body), unwritten=unwritten,
                )  # fmt: skip
            return None
        stored = json.dumps({"event": notification.event, "resource": notification.resource}, ensure_ascii=False)
        return Pushed(notification.key, notification.event, stored)

    def accepted(self, account: str) -> PushAnswer:
        return self._answer(account, accepted=True)

    def refused(self, account: str) -> PushAnswer:
        return self._answer(account, accepted=False)

    def _answer(self, account: str, *, accepted: bool) -> PushAnswer:
        inbound = self._inbound(account)
        if inbound is None:
            return _NOTHING
        said = inbound.accepted() if accepted else inbound.refused()
        return PushAnswer(said.status, said.body, said.content_type)

    def _inbound(self, account: str) -> Inbound | None:
        channel = self._channels.find(account)
        return channel.get(Inbound) if channel is not None else None


class PushWork:
    """Hands a stored push to the area that listens to what it tells."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def __call__(self, unit: Unit, account: str, body: str) -> None:
        stored = json.loads(body)
        channel = self._channels.find(account)
        if channel is None:
            raise TryAgain(f"the account {account} cannot be used just now")
        inbound = channel.get(Inbound)
        told = inbound.read(stored["event"], stored["resource"]) if inbound is not None else None
        listener = next((on for on in unit.areas.of(OnPush) if type(told) is on.told), None)
        if listener is None:
            log.info("notify.unhandled", account=account, kind=stored["event"])
        else:
            listener.run(unit, account, told)
