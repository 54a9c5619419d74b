"""The channels' side of `/notify/<account>`, and what a stored push makes happen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import structlog

from adapters.errors import ChannelError
from adapters.ports.pushes import InboundPort
from adapters.values import Acknowledgement
from bot.incoming.failure_limit import FailureLimiter
from bot.incoming.webhooks import PushAnswer, Pushed, PushPort
from bot.jobs.retries import TryAgain
from bot.unit import Unit
from handlers.shared.accounts.registry import Channels
from handlers.shared.contributions.push_listeners import OnPush

log = structlog.get_logger("channels")


class ChannelPushes:
    """Implements `bot.incoming.webhooks.PushPorts` over the adapters."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels
        self._failures = FailureLimiter()

    def account(self, key: str) -> PushPort | None:
        channel = self._channels.find(key)
        inbound = channel.get(InboundPort) if channel is not None else None
        return _AccountPushes(key, inbound, self._failures) if inbound is not None else None


@dataclass(frozen=True, slots=True)
class _AccountPushes:
    """Implements `bot.incoming.webhooks.PushPort`."""

    key: str
    inbound: InboundPort
    failures: FailureLimiter

    @property
    def max_bytes(self) -> int:
        return self.inbound.max_bytes

    def open(self, headers: Mapping[str, str], body: bytes) -> Pushed | None:
        try:
            notification = self.inbound.open(headers, body)
        except ChannelError as error:
            unwritten = self.failures.failed()
            if unwritten is not None:
                log.warning(
                    "notify.refused", account=self.key, why=type(error).__name__, detail=error.message,
                    size=len(body), unwritten=unwritten,
                )  # fmt: skip
            return None
        stored = json.dumps({"event": notification.event, "resource": notification.resource}, ensure_ascii=False)
        return Pushed(notification.key, notification.event, stored)

    def accepted(self) -> PushAnswer:
        return _answer(self.inbound.accepted())

    def refused(self) -> PushAnswer:
        return _answer(self.inbound.refused())


def _answer(said: Acknowledgement) -> PushAnswer:
    return PushAnswer(said.status, said.body, said.content_type)


class PushWork:
    """Hands a stored push to the areas that listen to what it tells."""

    def __init__(self, channels: Channels) -> None:
        self._channels = channels

    def __call__(self, unit: Unit, account: str, body: str) -> None:
        stored = json.loads(body)
        channel = self._channels.find(account)
        if channel is None:
            raise TryAgain(f"the account {account} cannot be used just now")
        inbound = channel.get(InboundPort)
        told = inbound.read(stored["event"], stored["resource"]) if inbound is not None else None
        listeners = [on for on in unit.areas.of(OnPush) if type(told) is on.told]
        if not listeners:
            log.info("notify.unhandled", account=account, kind=stored["event"])
        for listener in listeners:
            listener.run(unit, account, told)
