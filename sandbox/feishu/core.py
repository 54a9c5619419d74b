"""What every part of the fake Feishu stands on: the store, the rules of messages, and the way out to apps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.feishu.limits import Limits
from sandbox.feishu.long_connection import LongConnection
from sandbox.feishu.messages import Messages
from sandbox.feishu.pushes import Events
from sandbox.feishu.state import App
from sandbox.feishu.store import Store
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Outgoing:
    """An event to be sent once the lock is released."""

    app: App
    event_type: str
    event: Mapping[str, Any]
    note: str = ""


class Core:
    """`app` is the app that a sandbox starts with; more can be added to `store`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.store = Store(world)
        self.limits = Limits()
        self.long_connection = LongConnection()
        self.events = Events(world, self.long_connection)
        self.messages = Messages(self.store, self.limits)
        self.app = self.store.add_app()

    def emit(self, outgoing: Iterable[Outgoing]) -> None:
        """Push events; never called with the lock held."""
        for one in outgoing:
            self.events.emit(one.app, one.event_type, one.event, one.note)
