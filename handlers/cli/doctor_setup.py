"""The part of `mpops doctor` that asks whether everything is set up, here and at the platforms."""

from __future__ import annotations

from collections.abc import Iterable

from adapters.errors import ChannelError
from adapters.ports.diagnosis import DiagnosisPort
from adapters.ports.pushes import CallbacksPort
from bot.area import Areas
from bot.clock import Clock
from bot.contributions.doctor import Check, Finding
from bot.feishu import doctor as feishu_doctor
from bot.feishu.doctor import Callback
from bot.feishu.lark import LarkFeishu
from bot.settings import Settings
from handlers.shared.accounts.registry import Channels
from storage.areas.configuration import Configuration
from storage.areas.people import EVERYWHERE, People
from storage.database import Database


def examine(database: Database, channels: Channels, settings: Settings, clock: Clock, areas: Areas) -> list[Finding]:
    """Everything, in the order in which to put it right."""
    findings = list(examine_setup(database))
    with database.read() as session:
        findings += [found for check in areas.of(Check) for found in check.examine(session)]
        chats = [chat.chat_id for chat in Configuration(session).chats()]
    feishu, url = settings.feishu, settings.http.public_url.rstrip("/")
    keys = (feishu.encrypt_key.get_secret_value(), feishu.verification_token.get_secret_value())
    port = LarkFeishu(feishu.app_id, feishu.app_secret.get_secret_value(), feishu.domain, clock)
    callback = Callback(f"{url}/feishu/events", *keys) if url else None
    for finding in feishu_doctor.examine(port, clock, chats=chats, callback=callback):
        findings.append(Finding("feishu", finding.check, finding.ok, finding.detail, finding.remedy))
    findings += examine_channels(database, channels, url)
    return findings


def tell_addresses(database: Database, channels: Channels, public_url: str) -> Iterable[str]:
    """Tell every channel that pushes where we are; what was done, line by line."""
    if not public_url:
        yield "MPOPS_HTTP__PUBLIC_URL is not set: nothing was told to anybody."
        return
    with database.read() as session:
        accounts = Configuration(session).accounts()
    for account in accounts:
        channel = channels.find(account.key)
        port = channel.get(CallbacksPort) if channel is not None else None
        if port is None:
            continue
        url = f"{public_url.rstrip('/')}/notify/{account.key}"
        try:
            port.set_address(url)
            yield f"{account.key}: complaints are pushed to {url}"
        except ChannelError as error:
            yield f"{account.key}: not set, the platform says: {error.message}"


def examine_setup(database: Database) -> Iterable[Finding]:
    """What the apply file left open."""
    with database.read() as session:
        configuration, people = Configuration(session), People(session)
        accounts = configuration.accounts()
        if not accounts:
            yield Finding(
                "setup", "accounts", False, "none is declared", "write an apply file and run `mpops apply FILE`"
            )
        admins = people.holding("admin", EVERYWHERE)
        yield Finding(
            "setup", "an administrator", bool(admins), f"{len(admins)} people hold the role admin everywhere",
            "" if admins else 'declare one: [[role]] person = "ou_…" role = "admin"',
        )  # fmt: skip


def examine_channels(database: Database, channels: Channels, public_url: str) -> Iterable[Finding]:
    with database.read() as session:
        accounts = Configuration(session).accounts()
    for account in accounts:
        try:
            channel = channels.build(account)
        except ChannelError as error:
            yield Finding(account.key, "credentials", False, error.message, "correct the account in the apply file")
            continue
        port = channel.get(DiagnosisPort)
        if port is None:
            continue
        url = f"{public_url.rstrip('/')}/notify/{account.key}" if public_url else None
        try:
            for found in port.examine(url):
                yield Finding(account.key, found.check, found.ok, found.detail, found.remedy)
        except ChannelError as error:
            yield Finding(account.key, "a signed call", False, error.message, "see the account's keys and the network")
        finally:
            channel.close()
