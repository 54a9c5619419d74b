"""Accounts as channels: built from their rows with secrets resolved, kept while the row stands unchanged."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session

from adapters.account import AccountConfig
from adapters.channel import Channel, build
from adapters.errors import ChannelError, Misconfigured
from adapters.ports.upkeep import UpkeepPort
from adapters.transport import Watch, nobody_watches
from bot.clock import Clock
from bot.jobs.engine import channel_queue
from storage.areas.configuration import Account, Configuration
from storage.database import Database

log = structlog.get_logger("channels")


class SecretMissing(Exception):
    """A reference `env:NAME` or `file:PATH` that leads nowhere. The text names the reference, never a value."""


def resolve(value: str) -> str:
    """What a reference stands for; other text is itself. Raises SecretMissing."""
    kind, _, name = value.partition(":")
    if kind == "env":
        found = os.environ.get(name)
        if not found:
            raise SecretMissing(f"the environment variable {name} is not set")
        return found
    if kind == "file":
        try:
            return Path(name).read_text().strip()
        except OSError as error:
            raise SecretMissing(f"the file {name} cannot be read ({type(error).__name__})") from None
    return value


def config_of(key: str, channel: str, mode: str, settings: Mapping[str, Any]) -> AccountConfig:
    """Raises SecretMissing and Misconfigured."""
    known = AccountConfig.model_fields
    values: dict[str, Any] = {}
    for name, value in settings.items():
        if name not in known:
            continue
        if isinstance(value, str):
            values[name] = resolve(value)
        elif isinstance(value, list):
            values[name] = tuple(resolve(str(each)) for each in value)
        else:
            values[name] = value
    try:
        return AccountConfig(key=key, channel=channel, mode=mode, **values)
    except ValidationError as error:
        wrong = ", ".join(str(problem["loc"][0]) for problem in error.errors(include_input=False))
        raise Misconfigured(channel, f"account {key}: wrong settings: {wrong}") from None


class UnknownAccount(Misconfigured):
    """No account of that name is declared."""


class Channels:
    """Safe to share between threads."""

    def __init__(self, database: Database, clock: Clock, watch: Watch = nobody_watches) -> None:
        self._database = database
        self._watch = watch
        self._clock = clock
        self._lock = threading.Lock()
        self._built: dict[str, tuple[datetime, Channel]] = {}
        self._outdated: list[Channel] = []

    def get(self, key: str) -> Channel:
        """Raises ChannelError: no such account, or its credentials are missing."""
        with self._database.read() as session:
            account = Configuration(session).account(key)
        if account is None:
            raise UnknownAccount("mpops", f"there is no account {key!r}")
        with self._lock:
            known = self._built.get(key)
            if known is not None and known[0] == account.changed_at:
                return known[1]
        channel = self.build(account)
        with self._lock:
            known = self._built.get(key)
            if known is not None and known[0] == account.changed_at:
                unused, channel = channel, known[1]  # another thread was as far, and its callers use that one
            else:
                unused = None
                if known is not None:
                    self._outdated.append(known[1])  # a call may be under way on it
                self._built[key] = (account.changed_at, channel)
        if unused is not None:
            unused.close()
        return channel

    def build(self, account: Account) -> Channel:
        try:
            config = config_of(account.key, account.channel, account.mode, account.settings)
        except SecretMissing as error:
            raise Misconfigured(account.channel, f"account {account.key}: {error}") from None
        return build(config, clock=self._clock.now, watch=self._watch)

    def find(self, key: str) -> Channel | None:
        """The channel, or None where it cannot be had; the reason is logged."""
        try:
            return self.get(key)
        except UnknownAccount:
            return None  # anybody may ask for any name at our door; that is not worth a line
        except ChannelError as error:
            log.error("channel.unavailable", account=key, why=error.message)
            return None

    def refresh(self) -> None:
        """Fetch what accounts need before a push can be trusted, such as the platform's certificates."""
        with self._database.read() as session:
            keys = [account.key for account in Configuration(session).accounts()]
        for key in keys:
            channel = self.find(key)
            upkeep = channel.get(UpkeepPort) if channel is not None else None
            if upkeep is None:
                continue
            try:
                upkeep.refresh()
            except ChannelError as error:
                log.warning("channel.refresh_failed", account=key, why=type(error).__name__, code=error.code)

    def close(self) -> None:
        for channel in (*self._outdated, *(channel for _, channel in self._built.values())):
            channel.close()


def queue_of(session: Session, account_key: str) -> str:
    """The queue of the jobs that call an account's channel."""
    account = Configuration(session).account(account_key)
    return channel_queue(account.channel if account is not None else "wechatpay")
