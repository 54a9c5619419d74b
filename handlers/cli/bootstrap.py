"""What a process opens before anything else: its settings, its clock, its database, and what the settings ask for.

A wrong setting or a damaged file ends in a sentence on the command line.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:  # the command line's help must not wait for what it does not use
    import threading

    from bot.clock import Clock
    from bot.feishu.caller import Watch
    from bot.feishu.lark import LarkFeishu
    from bot.incoming.user_rate_limit import UserRateLimiter
    from bot.incoming.webhooks import FeishuKeys
    from bot.settings import Settings
    from bot.telemetry.metrics import Metrics
    from bot.telemetry.spans import Spans
    from storage.database import Database


def read_settings(*, need_secret: bool = True) -> Settings:
    from bot.settings import SettingsError, load
    from bot.telemetry.logs import configure

    try:
        settings = load(need_secret=need_secret)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    configure(settings.log_level, settings.log_format)
    return settings


def make_clock(settings: Settings) -> Clock:
    from bot.clock import OffsetClock, SystemClock

    return OffsetClock(settings.clock_offset_file) if settings.clock_offset_file else SystemClock()


def open_database(settings: Settings, *, migrating: bool = True, waiting: threading.Event | None = None) -> Database:
    """The database at the schema of this version, unlocked.

    With `waiting`, a server that starts at the same time as mpops, or is being restarted just now, is waited for until
    the event is set or `database_wait` seconds are over.
    """
    from storage.database import Damaged, Database
    from storage.schema_version import is_current

    database = Database(settings.database_url)
    if waiting is not None:
        _wait_for(database, settings.database_wait, waiting)
    database.keep_private()
    try:
        if database.is_there:
            database.check()
        _refuse_weak_key(settings, database)
    except Damaged as damaged:
        database.close()
        raise click.ClickException(
            f"The database file {damaged} is damaged. Nothing was changed in it. Put it aside (with its -wal and -shm"
            " files) and bring back the newest backup with `mpops restore FILE`; what came in since is read again from"
            " the channels."
        ) from None
    except click.ClickException:
        database.close()
        raise
    if migrating and not is_current(database):
        from storage.migrate import migrate

        migrate(database)
    database.unlock(settings.secrets())
    return database


def _refuse_weak_key(settings: Settings, database: Database) -> None:
    """A house that stands is never locked out for its key; `mpops doctor` tells of it."""
    from bot.secret_key import HOW_TO_MAKE_ONE, weakness
    from storage.keys import has_keys

    weak = weakness(settings.secret_key.get_secret_value())
    if not weak or settings.allow_weak_secret_key or (database.is_there and has_keys(database.reader)):
        return
    raise click.ClickException(
        f"MPOPS_SECRET_KEY can be guessed: it {weak}. Nothing was changed, and no data was encrypted with it. Make one"
        f" with\n  {HOW_TO_MAKE_ONE}\nand keep a copy of it apart from your backups. To begin with this one all the"
        " same, set MPOPS_ALLOW_WEAK_SECRET_KEY=1."
    )


def _wait_for(database: Database, seconds: float, leaving: threading.Event) -> None:
    """Returns also when it was in vain: whoever opens the database then tells what is wrong."""
    until, said = time.monotonic() + seconds, False
    while (why := database.unreachable()) is not None and time.monotonic() < until:
        if not said:
            said = True
            click.echo(f"Waiting {seconds:.0f} s at most for the database: {why}", err=True)
        if leaving.wait(1.0):
            return


def make_feishu(settings: Settings, clock: Clock, watch: Watch) -> LarkFeishu:
    from bot.feishu.lark import LarkFeishu

    feishu = settings.feishu
    return LarkFeishu(feishu.app_id, feishu.app_secret.get_secret_value(), feishu.domain, clock, watch=watch)


def make_keys(settings: Settings) -> FeishuKeys:
    """What events are opened with: the keys of now, and the previous ones while they are being changed."""
    from bot.incoming.webhooks import FeishuKeys

    feishu = settings.feishu
    return FeishuKeys(
        feishu.encrypt_key.get_secret_value(),
        feishu.verification_token.get_secret_value(),
        feishu.encrypt_key_previous.get_secret_value(),
        feishu.verification_token_previous.get_secret_value(),
        feishu.app_id,
    )


def make_spans(settings: Settings) -> Spans:
    from bot.settings import SettingsError
    from bot.telemetry.spans import spans_to

    try:
        return spans_to(settings.otel.endpoint, settings.executor)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def make_user_rate_limiter(settings: Settings, metrics: Metrics) -> UserRateLimiter:
    from bot.incoming.user_rate_limit import STRANGERS, UNLIMITED, RateLimit, UserRateLimiter

    if not settings.turns.burst:
        return UserRateLimiter(UNLIMITED, UNLIMITED)
    return UserRateLimiter(RateLimit(settings.turns.burst, settings.turns.seconds), STRANGERS, metrics.limited)
