"""A channel: one account with what it can do and the ports that do it; and how to build one from its credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar, cast

from adapters.abilities import Ability, Capability, Support, Table
from adapters.ability_matrix import ABILITIES
from adapters.account import AccountConfig
from adapters.errors import Unsupported
from adapters.transport import Watch, nobody_watches
from adapters.wechatpay.account import assemble as assemble_wechatpay

__all__ = ["AccountConfig", "Assembled", "Channel", "build"]

Port = TypeVar("Port")
Clock = Callable[[], datetime]
Assembled = tuple[Mapping[type, object], Callable[[], None]]
"""The ports of an account by their type, and what closes its connections."""


class Assemble(Protocol):
    def __call__(self, config: AccountConfig, clock: Clock, *, watch: Watch) -> Assembled: ...


@dataclass(frozen=True, slots=True)
class Kind:
    """How to build accounts of one channel."""

    title: str
    assemble: Assemble


KINDS: Mapping[str, Kind] = {
    "wechatpay": Kind("微信支付", assemble_wechatpay),
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One account on one channel. Shared by threads; `close` it when it is no longer used."""

    key: str
    kind: str
    mode: str
    title: str
    abilities: Table
    ports: Mapping[type, object]
    close: Callable[[], None] = field(default=lambda: None, repr=False, compare=False)

    def get(self, port: Callable[..., Port]) -> Port | None:
        """The port of that type, `channel.get(ComplaintsPort)`; None where a person has to do it (see `ability`)."""
        # The parameter is not `type[Port]` because type checkers refuse a Protocol there; they accept it here.
        return cast("Port | None", self.ports.get(cast("type", port)))

    def require(self, port: Callable[..., Port]) -> Port:
        """The port of that type. Raises Unsupported."""
        found = self.get(port)
        if found is None:
            name = getattr(port, "__name__", "this").removesuffix("Port").lower()
            raise Unsupported(self.kind, f"{self.title} offers no {name} in mode {self.mode!r}")
        return found

    def ability(self, capability: Capability) -> Ability:
        return self.abilities.get(capability, Ability(Support.UNKNOWN))

    def can(self, capability: Capability) -> bool:
        """We can do it ourselves, without a person at the console."""
        return self.ability(capability).ours


def build(config: AccountConfig, *, clock: Clock, watch: Watch = nobody_watches) -> Channel:
    """Make the channel of an account; calls nothing yet. `watch` is told of every call.

    Raises Unsupported for a channel or mode that is not known (the error lists those that are) and Misconfigured for
    missing credentials. Credentials that are there but broken show at first use, and in `DiagnosisPort`.
    """
    kind = KINDS.get(config.channel)
    if kind is None:
        raise Unsupported(config.channel, f"no such channel; known are: {', '.join(sorted(KINDS))}")
    table = ABILITIES.get((config.channel, config.mode))
    if table is None:
        modes = sorted(mode for channel, mode in ABILITIES if channel == config.channel)
        raise Unsupported(config.channel, f"no mode {config.mode!r}; known are: {', '.join(modes)}")
    ports, close = kind.assemble(config, clock, watch=watch)
    return Channel(config.key, config.channel, config.mode, kind.title, table, ports, close)
