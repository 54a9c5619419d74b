"""The part of `mpops doctor` that asks nobody outside: settings, database, disk, key, processes, backup."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError

from bot.clock import Clock
from bot.contributions.doctor import Finding
from bot.secret_key import HOW_TO_MAKE_ONE, weakness
from bot.settings import Settings, unknown_variables
from storage.areas.configuration import Configuration
from storage.backups.history import MADE, TOO_OLD, standing
from storage.core.audit import AuditEntry
from storage.core.processes import Processes
from storage.core.schedule import Schedules
from storage.core.tenants import Tenants
from storage.database import Damaged, Database
from storage.migrate import current, newest, revisions
from storage.private_files import is_open, of_database, rights
from storage.vault import VaultError

ENOUGH = 500 * 1024 * 1024  # bytes left on the disk
TICKED_WITHIN = timedelta(seconds=60)


def examine_database(database: Database, secrets: list[str]) -> Iterator[Finding]:
    """Whether it can be used, step by step; the last one unlocks it. What follows a failed step is not looked at."""
    try:
        database.check()
        revision = current(database)
    except Damaged as damaged:
        remedy = "put the file aside with its -wal and -shm files, and bring back a backup with `mpops restore FILE`"
        yield Finding("database", "reach", False, f"the file {damaged} is damaged", remedy)
        return
    except SQLAlchemyError as error:
        remedy = "see MPOPS_DATABASE_URL, and that the database runs and lets this machine in"
        yield Finding("database", "reach", False, f"cannot be used ({type(error).__name__})", remedy)
        return
    yield Finding("database", "reach", True, "SQLite" if database.is_sqlite else "PostgreSQL")
    fits = revision == newest()
    remedy = "run `mpops migrate`"
    if revision is not None and revision not in revisions():
        remedy = "a newer version has been here: install that one, or go back to a backup"
    yield Finding("database", "schema", fits, f"{revision or 'none'}; this version has {newest()}", remedy)
    yield from _durable(database)
    yield from _rights(database)
    yield from _disk(database)
    if not fits:
        return
    try:
        database.unlock(secrets)
        yield Finding("database", "secret key", True, "opens the data")
    except VaultError as error:
        remedy = "set MPOPS_SECRET_KEY to the key the data was made with; name older ones in MPOPS_PREVIOUS_SECRET_KEYS"
        yield Finding("database", "secret key", False, f"does not open the data: {error}", remedy)


def _durable(database: Database) -> Iterator[Finding]:
    """What is acknowledged must survive a power cut."""
    asked = ("PRAGMA journal_mode", "PRAGMA synchronous") if database.is_sqlite else (
        "SHOW fsync", "SHOW synchronous_commit",
    )  # fmt: skip
    with database.reader.connect() as connection:
        first, second = (str(connection.scalar(text(each))).casefold() for each in asked)
    if database.is_sqlite:
        remedy = "put the file on a disk of this machine: not on a network share, which has no write-ahead log"
        yield Finding(
            "database", "durable", (first, second) == ("wal", "2"), f"journal {first}, synchronous {second}", remedy
        )
        return
    well = first == "on" and second not in ("off",)
    remedy = "set fsync = on and synchronous_commit = on in postgresql.conf: else a power cut loses what was answered"
    yield Finding("database", "durable", well, f"fsync {first}, synchronous_commit {second}", remedy)


def _rights(database: Database) -> Iterator[Finding]:
    """Names and texts are sealed, but times, states and amounts are plain to whoever reads the file."""
    if database.file is None:
        return
    folder = database.file.resolve().parent
    wide = [path for path in (*of_database(database.file), folder) if is_open(path)]
    named = ", ".join(f"{'the folder ' if path == folder else ''}{path.name} ({rights(path)})" for path in wide)
    yield Finding(
        "database", "file rights", not wide,
        f"others may use {named}" if wide else "only this user may use its files and their folder",
        f"as the owner run `chmod go= {' '.join(shlex.quote(str(path)) for path in wide)}`; a folder that others need"
        " is no place for it: give the database one of its own",
    )  # fmt: skip


def _disk(database: Database) -> Iterator[Finding]:
    if not database.is_sqlite or not database.url.database:
        return
    free = shutil.disk_usage(Path(database.url.database).resolve().parent).free
    remedy = "make room: with a full disk nothing can be taken in"
    yield Finding("database", "disk", free >= ENOUGH, f"{free // (1024 * 1024)} MB are free", remedy)


def examine_settings(settings: Settings, environment: Mapping[str, str], database: Database) -> Iterator[Finding]:
    """The environment and the time zones. The database must be open."""
    with database.read() as session:
        configuration = Configuration(session)
        named = {name for account in configuration.accounts() for name in _variables(account.settings)}
        zones = {"MPOPS_ZONE": settings.zone, **{f"chat {chat.name}": chat.zone for chat in configuration.chats()}}
    unknown = [(name, meant) for name, meant in unknown_variables(environment) if name not in named]
    told = "; ".join(f"{name}{f' (did you mean {meant}?)' if meant else ''}" for name, meant in unknown)
    yield Finding(
        "settings", "variables", not unknown, f"mean nothing: {told}" if unknown else "all are known",
        "correct or remove them: what is set there has no effect",
    )  # fmt: skip
    yield from _key(settings)
    yield from _changing(settings)
    yield from _tenant(settings, database)
    wrong = [f"{where}: {zone}" for where, zone in zones.items() if not _is_zone(zone)]
    yield Finding(
        "settings", "time zones", not wrong, f"not known here: {', '.join(wrong)}" if wrong else settings.zone,
        "write it as in Asia/Shanghai; if it is right, install the system's tzdata",
    )  # fmt: skip
    url = settings.http.public_url
    well = not url or url.startswith("https://") or "//127.0.0.1" in url or "//localhost" in url
    yield Finding(
        "settings", "public address", well, url or "not set: callbacks and pushes are not checked",
        "the platforms take https addresses only",
    )  # fmt: skip


def _key(settings: Settings) -> Iterator[Finding]:
    """Older keys, which only open what there is, are not judged."""
    secret = settings.secret_key.get_secret_value()
    if not secret:
        return
    weak = weakness(secret)
    allowed = " (MPOPS_ALLOW_WEAK_SECRET_KEY is set)" if weak and settings.allow_weak_secret_key else ""
    yield Finding(
        "settings", "secret key's form", not weak or bool(allowed),
        f"can be guessed: it {weak}{allowed}" if weak else "looks random",
        f"make one with `{HOW_TO_MAKE_ONE}` and change it as docs/runbook.md tells under “Change the secret key”;"
        " or set MPOPS_ALLOW_WEAK_SECRET_KEY=1 to hear no more of it",
    )  # fmt: skip


def _tenant(settings: Settings, database: Database) -> Iterator[Finding]:
    """Nobody here can tell whether it is the right one; who reads this can."""
    with database.read() as session:
        known = Tenants(session).of(settings.feishu.app_id)
    if known is None:
        yield Finding("settings", "feishu tenant", True, "not known yet: the first event of the app says it")
        return
    yield Finding(
        "settings", "feishu tenant", True,
        f"only events of {known.tenant_key} are taken, as since {known.seen_at:%Y-%m-%d %H:%M} UTC;"
        " if that is not your company, run `mpops doctor --forget-tenant`",
    )  # fmt: skip


def _changing(settings: Settings) -> Iterator[Finding]:
    """What was set for the time of a change only."""
    feishu = settings.feishu
    for name, previous, present in (
        ("ENCRYPT_KEY", feishu.encrypt_key_previous, feishu.encrypt_key),
        ("VERIFICATION_TOKEN", feishu.verification_token_previous, feishu.verification_token),
    ):
        if not previous.get_secret_value():
            continue
        detail = "a previous one is still taken beside the present one"
        remedy = f"when the console has the new one, remove MPOPS_FEISHU__{name}_PREVIOUS and restart"
        if not present.get_secret_value():
            detail, remedy = "a previous one is set and no present one: it has no effect", f"set MPOPS_FEISHU__{name}"
        yield Finding("settings", f"feishu {name.lower().replace('_', ' ')}", False, detail, remedy)


def _variables(value: Any) -> Iterator[str]:
    """Names in references `env:NAME`."""
    if isinstance(value, Mapping):
        for each in value.values():
            yield from _variables(each)
    elif isinstance(value, list):
        for each in value:
            yield from _variables(each)
    elif isinstance(value, str) and value.startswith("env:"):
        yield value[4:]


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def examine_running(database: Database, clock: Clock, real: Callable[[], datetime] | None = None) -> Iterator[Finding]:
    """Whether processes work and schedules tick (in real time), and when the last backup was made."""
    now = real() if real is not None else datetime.now(UTC)
    with database.read() as session:
        processes = Processes(session)
        alive, silent, ticked = processes.alive(now), processes.silent(now), processes.ticked_at()
        made, restore_check = Schedules(session).last_run(MADE), standing(session, clock.now())
        first = session.scalar(select(func.min(AuditEntry.at)))
    names = ", ".join(f"{one.name} ({one.role})" for one in alive)
    yield Finding(
        "running", "processes", bool(alive), f"alive: {names}" if alive else "none is alive",
        "start `mpops serve`, or `mpops serve --web-only` and `mpops worker`",
    )  # fmt: skip
    if silent:
        names = ", ".join(f"{one.name} ({one.role}) since {one.seen_at:%Y-%m-%d %H:%M} UTC" for one in silent)
        remedy = "start them again; one that is gone for good is removed on the card of /状态"
        yield Finding("running", "silent processes", False, names, remedy)
    well = ticked is not None and now - ticked < TICKED_WITHIN
    ago = f"{(now - ticked).total_seconds():.0f} s ago" if ticked is not None else "never"
    remedy = "start `mpops serve` or `mpops worker`; if one runs, its log says tick.failed or tick.database"
    yield Finding("running", "schedule", well, f"last seen running {ago}", remedy)
    since = made or first
    fresh = since is None or clock.now() - since <= TOO_OLD
    days = f"{(clock.now() - made) / timedelta(days=1):.1f} days old" if made is not None else "there is none"
    yield Finding("running", "backup", fresh, days, "run `mpops backup FILE` every day, and keep FILE elsewhere")
    if made is not None:
        good, failed = restore_check.good_at, restore_check.failed_at
        told = f"the newest proven one is of {good:%Y-%m-%d}" if good is not None else "none was ever proven to restore"
        told += f"; the drill of {failed:%Y-%m-%d} failed" if failed is not None else ""
        remedy = "run `mpops drill FILE` with a new backup, or make every backup with `mpops backup --drill FILE`"
        yield Finding("running", "backup drill", failed is None and not restore_check.is_late, told, remedy)
