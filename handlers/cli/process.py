"""One process of the bot: how it starts and how it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import click

if TYPE_CHECKING:  # the command line's help must not wait for what it does not use
    from flask import Flask

    from bot.area import Areas
    from bot.clock import Clock
    from bot.feishu.lark import LarkFeishu
    from bot.jobs.engine import Engine
    from bot.schedule import Schedule
    from bot.settings import Settings
    from bot.telemetry.heartbeat import ProcessHeartbeat
    from bot.telemetry.metrics import Metrics
    from bot.telemetry.spans import Spans
    from bot.texts import Catalogue
    from bot.unit import Units
    from handlers.shared.accounts.registry import Channels
    from storage.core.executor_lock import ExecutorLock
    from storage.database import Database


@dataclass(slots=True)
class Bot:
    """Everything of one process, put together and not yet started."""

    settings: Settings
    clock: Clock
    database: Database
    engine: Engine
    units: Units
    feishu: LarkFeishu
    channels: Channels
    schedule: Schedule
    web: Flask
    catalogue: Catalogue
    executor_lock: ExecutorLock
    leaving: threading.Event
    metrics: Metrics
    spans: Spans
    heartbeat_of: Callable[[str], ProcessHeartbeat]
    heartbeat: ProcessHeartbeat | None = None

    def start(self, *, execute: bool, role: str = "") -> None:
        """Raises ExecutorLockTaken where work is to be executed and another process does so under this name."""
        if execute and not self.executor_lock.take(self.leaving):
            return  # told to stop before it began
        if not execute:
            self.engine.migrate()  # what is accepted here must have a place to wait in, also before any worker came
        self.engine.start(execute=execute)
        if execute:
            self.schedule.start()
            threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()
        self.heartbeat = self.heartbeat_of(role or ("all" if execute else "web"))
        self.heartbeat.start()

    def _warm_up(self) -> None:
        """Load the SDK's parts, fetch tokens and keys: else the first card of the day waits for all that."""
        from bot.feishu.errors import FeishuError

        self.channels.refresh()
        try:
            self.feishu.bot_open_id()
            self.feishu.warm_up()
        except FeishuError as error:
            click.echo(
                f"Feishu cannot be reached yet: {type(error).__name__} {error.code}. See `mpops doctor`.", err=True
            )

    def stop(self) -> None:
        """Take nothing new, finish what is in hand; what is not finished is done after the next start."""
        self.schedule.stop()
        self.engine.stop(int(self.settings.grace))
        if self.heartbeat is not None:
            self.heartbeat.stop()
        self.spans.close()
        self.executor_lock.release()
        self.channels.close()
        self.database.close()


class Build(Protocol):
    """Puts a process together; `leaving` is set when it is told to stop."""

    def __call__(self, settings: Settings, *, leaving: threading.Event) -> Bot: ...


@dataclass(frozen=True, slots=True)
class Composition:
    """The object of the command line's context, for nobody here knows who puts things together.

    `areas`: what the areas bring, for a command that starts no process. It reads nothing and calls nobody.
    """

    build: Build
    areas: Callable[[Settings], Areas]
