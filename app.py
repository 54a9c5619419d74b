"""The composition root, and the `mpops` command line. Importing it creates nothing."""

from __future__ import annotations

import secrets
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from flask import Flask

    from bot.clock import Clock
    from bot.engine import Engine, Payload
    from bot.feishu.port import LarkFeishu
    from bot.schedule import Schedule, Scheduled
    from bot.settings import Settings
    from bot.texts import Catalogue
    from bot.unit import Unit, Units
    from handlers.channels.registry import Channels
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

    def start(self, *, execute: bool) -> None:
        if not execute:
            self.engine.migrate()  # what is accepted here must have a place to wait in, also before any worker came
        self.engine.start(execute=execute)
        if execute:
            self.schedule.start()
            threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()

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
        self.engine.stop()
        self.channels.close()
        self.database.close()


def make_clock(settings: Settings) -> Clock:
    from bot.clock import OffsetClock, SystemClock

    return OffsetClock(settings.clock_offset_file) if settings.clock_offset_file else SystemClock()


def open_database(settings: Settings, *, migrating: bool = True) -> Database:
    """The database at the schema of this version, unlocked."""
    from storage.database import Damaged, Database
    from storage.migrate import migrate

    database = Database(settings.database_url)
    try:
        database.check()
    except Damaged as damaged:
        database.close()
        raise click.ClickException(
            f"The database file {damaged} is damaged. Nothing was changed in it. Put it aside (with its -wal and -shm"
            " files) and bring back the newest backup with `mpops restore FILE`; what came in since is read again from"
            " the channels."
        ) from None
    if migrating:
        migrate(database)
    database.unlock(settings.secrets())
    return database


def build(settings: Settings, *, migrating: bool = True) -> Bot:
    """Put one process together. Opens the database; starts nothing and calls nobody."""
    from bot.cards.actions import ActionSigner
    from bot.drawing import Drawings
    from bot.engine import Engine
    from bot.feishu import values
    from bot.feishu.port import LarkFeishu
    from bot.inbox import PROCESS, PROCESS_ALL, InboxWork
    from bot.ingress import FeishuKeys, Ingress
    from bot.metrics import Metrics
    from bot.outbox import Delivery
    from bot.parcels import Packing, Posting
    from bot.router import Router
    from bot.schedule import DEADLINE, Cron, DeadlineWork, Schedule, Scheduled
    from bot.texts import catalogue
    from bot.unit import DELIVER, KEEP, Units
    from bot.web import build as build_web
    from handlers.approvals import cards as approval_cards
    from handlers.approvals import table as approval_table
    from handlers.approvals.service import CARD as APPROVAL
    from handlers.approvals.service import DUE, Approving
    from handlers.channels.pushes import ChannelPushes, PushWork
    from handlers.channels.registry import Channels
    from handlers.complaints import deadlines, listing, showing
    from handlers.complaints import jobs as complaint_jobs
    from handlers.complaints import service as complaint_service
    from handlers.complaints import sync as complaint_sync
    from handlers.complaints import table as complaint_table
    from handlers.digests import table as digests
    from handlers.help import table as helping
    from handlers.people import jobs as people_jobs
    from handlers.people import table as people_table
    from handlers.refunds import jobs as refund_jobs
    from handlers.refunds import service as refund_service
    from handlers.refunds import table as refund_table
    from handlers.status import table as status_table
    from handlers.status.health import measure, ready

    clock = make_clock(settings)
    database = open_database(settings, migrating=migrating)
    words = catalogue()
    signer = ActionSigner(database.vault.subkey(_clicks(database)))
    metrics = Metrics()
    engine = Engine(database, settings.executor)
    units = Units(database, engine, clock)
    feishu = LarkFeishu(
        settings.feishu.app_id, settings.feishu.app_secret.get_secret_value(), settings.feishu.domain, clock
    )
    channels = Channels(database, clock)

    approving = Approving()
    complaints = complaint_service.Service(channels)
    refunds = refund_service.RefundService(channels, complaints, approving)
    approving.owner(refund_service.ACTION, refunds.decided)
    router = Router(
        (
            *complaint_table.COMMANDS,
            *helping.COMMANDS,
            *digests.COMMANDS,
            *people_table.COMMANDS,
            *status_table.COMMANDS,
        ),
        (
            *complaint_table.clickables(complaints),
            *refund_table.clickables(refunds),
            *approval_table.clickables(approving),
            *helping.CLICKABLES,
            *status_table.CLICKABLES,
        ),
    )
    drawings = Drawings(
        {
            showing.CARD: showing.draw,
            listing.LIST: listing.draw,
            APPROVAL: approval_cards.drawing({refund_service.ACTION: refund_table.show}),
            digests.CARD: digests.draw,
            helping.HELP: helping.draw_help(lambda: router),
            helping.HOME: helping.draw_home,
            helping.TODO: helping.draw_todo,
            people_table.ME: people_table.draw_me,
            status_table.STATUS: status_table.draw_status,
            status_table.AUDIT: status_table.draw_audit,
        }
    )
    bot_open_id = _remembered(feishu.bot_open_id)

    def bot_added(unit: Unit, event: values.BotAddedToChat) -> None:
        helping.on_added(unit, event)
        complaint_service.show_again(unit, event.chat_id)

    inbox = InboxWork(
        units,
        router,
        signer,
        {
            values.UserLeft: people_table.on_left(approving.withdraw_all),
            values.UserChanged: people_table.on_changed(approving.withdraw_all),
            values.MessageRecalled: helping.on_recalled,
            values.BotAddedToChat: bot_added,
            values.BotRemovedFromChat: helping.on_removed,
            values.ChatDisbanded: helping.on_removed,
            values.BotMenu: helping.on_menu,
        },
        PushWork(channels, complaint_jobs.on_notice, refund_jobs.on_told),
        bot_open_id,
    )
    packing = Packing(units, drawings, signer, words, settings.zone)
    posting = Posting(feishu, packing, lambda: engine.peers)
    delivery = Delivery(units, packing, posting, helping.chat_gone)
    on_complaints = complaint_jobs.ComplaintJobs(units, channels, feishu)
    on_refunds = refund_jobs.RefundJobs(units, channels)
    on_people = people_jobs.PeopleJobs(units, feishu, approving.withdraw_all)
    on_digests = digests.DigestJobs(units, settings.zone)
    due = DeadlineWork(
        units,
        {
            deadlines.FIRST: deadlines.remind,
            deadlines.FINISH: deadlines.remind,
            DUE: approving.due,
            refund_jobs.FOLLOW: on_refunds.follow,
            complaint_jobs.RETRY_REPLY: on_complaints.retry_reply,
            complaint_jobs.RETRY_COMPLETE: on_complaints.retry_complete,
        },
    )

    def forget(payload: Payload) -> None:
        engine.forget(datetime.now(UTC) - timedelta(days=3))  # the engine's records are in real time
        with units.write("forget") as unit:
            unit.forget(unit.now - KEEP)

    jobs: Mapping[str, Callable[[Payload], None]] = {
        PROCESS: inbox.process,
        PROCESS_ALL: inbox.process_all,
        DELIVER: delivery.deliver,
        DEADLINE: due.due,
        complaint_jobs.SYNC: on_complaints.sync,
        complaint_jobs.POLL: on_complaints.poll,
        complaint_sync.PICTURES: on_complaints.pictures,
        complaint_service.SEND_REPLY: on_complaints.send_reply,
        complaint_service.COMPLETE: on_complaints.complete,
        refund_service.SEND: on_refunds.send,
        refund_jobs.CHECK: on_refunds.check,
        refund_jobs.RECOVER: on_refunds.recover,
        people_jobs.CHECK: on_people.check,
        digests.SEND: on_digests.send,
        "engine.forget": forget,
        "channels.refresh": lambda payload: channels.refresh(),
    }
    for name, job in jobs.items():
        engine.register(name, job)
    engine.on_failure = lambda job, payload, incident: (
        inbox.failed(str(payload["id"]), incident) if job == PROCESS else None
    )

    def standing(session: object) -> Iterable[Scheduled]:
        yield Scheduled("complaints.poll", Cron(settings.zone, minute="*/5"), complaint_jobs.POLL)
        yield Scheduled("refunds.recover", Cron(settings.zone, minute="*/5"), refund_jobs.RECOVER)
        yield Scheduled("people.check", Cron(settings.zone, hour="*/6", minute="20"), people_jobs.CHECK)
        yield Scheduled("channels.refresh", Cron(settings.zone, minute="7"), "channels.refresh")
        yield Scheduled("engine.forget", Cron(settings.zone, hour="4", minute="10"), "engine.forget")

    schedule = Schedule(
        units,
        (standing, lambda session: digests.scheduled(session, settings.zone)),
        ((1, delivery.sweep), (1, delivery.redraw_due), (10, engine.rescue), (60, inbox.resume)),
    )
    keys = FeishuKeys(
        settings.feishu.encrypt_key.get_secret_value(), settings.feishu.verification_token.get_secret_value()
    )
    ingress = Ingress(units, router, signer, words, keys, ChannelPushes(channels), metrics)
    web = build_web(ingress, metrics, lambda: ready(database, engine, schedule, clock), lambda: measure(units, metrics))
    return Bot(settings, clock, database, engine, units, feishu, channels, schedule, web, words)


def _clicks(database: Database) -> str:
    """What clicks are signed for. After a restore it is something new: cards posted since the backup are not ours."""
    from storage.backup import RESTORED
    from storage.schedule import Schedules

    with database.read() as session:
        restored = Schedules(session).last_run(RESTORED)
    return "clicks" if restored is None else f"clicks {restored.isoformat()}"


def _remembered(ask: Callable[[], str]) -> Callable[[], str]:
    """Our own open id. While Feishu cannot be asked it is unknown, and no mention is taken for ours."""
    from bot.feishu.errors import FeishuError

    def get() -> str:
        try:
            return ask()
        except FeishuError:
            return ""

    return get


# --- command line --------------------------------------------------------------------------------------------------


def _settings(*, need_secret: bool = True) -> Settings:
    from bot.logs import configure
    from bot.settings import SettingsError, load

    try:
        settings = load(need_secret=need_secret)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
    configure(settings.log_level, settings.log_format)
    return settings


class _Commands(click.Group):
    """Commands whose foreseeable failures end in a sentence and not in a traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from handlers.setup.failures import plainly

            told = plainly(error)
            if told is None:
                raise
            raise click.ClickException(told) from None


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="mpops")
def main() -> None:
    """mpops: an operations assistant in Feishu chat."""


@main.command()
@click.option("--web-only", is_flag=True, help="Accept events only; workers do the work.")
@click.option("--long-connection", is_flag=True, help="Receive Feishu's events without a public address.")
def serve(web_only: bool, long_connection: bool) -> None:
    """Run the bot: web, work and schedule in one process."""
    from waitress.server import create_server

    from bot.feishu.envelope import LARGEST

    settings = _settings()
    if long_connection and not settings.feishu.encrypt_key.get_secret_value():
        # Events over the long connection are not encrypted by Feishu; between its process and the web they always are.
        settings = settings.model_copy(update={"feishu": settings.feishu.with_key(secrets.token_urlsafe(32))})
    bot = build(settings)
    bot.start(execute=not web_only)
    server = create_server(
        bot.web,
        host=settings.http.host,
        port=settings.http.port,
        threads=settings.http.threads,
        ident=None,
        # A stranger must not fill the disk: more than this is refused while it is being received.
        max_request_body_size=LARGEST + 64 * 1024,
        channel_timeout=20,
        connection_limit=500,
    )
    supervisor = _long_connection(settings) if long_connection else None
    _until_stopped(server.close)
    click.echo(f"mpops listens on http://{settings.http.host}:{settings.http.port}", err=True)
    try:
        server.run()
    except OSError:
        pass  # closing the listening socket ends waitress' loop this way
    finally:
        if supervisor is not None:
            supervisor.stop()
        bot.stop()


@main.command()
def worker() -> None:
    """Do the work of a deployment whose web processes only accept events."""
    bot = build(_settings())
    stopped = threading.Event()
    _until_stopped(stopped.set)
    bot.start(execute=True)
    click.echo("mpops works", err=True)
    stopped.wait()
    bot.stop()


def _long_connection(settings: Settings) -> Any:
    from bot.feishu.long_connection import LongConnection, Supervisor

    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.http.host, settings.http.host)
    supervisor = Supervisor(
        LongConnection(
            app_id=settings.feishu.app_id,
            app_secret=settings.feishu.app_secret.get_secret_value(),
            domain=settings.feishu.domain,
            deliver_to=f"http://{host}:{settings.http.port}/feishu/events",
            encrypt_key=settings.feishu.encrypt_key.get_secret_value(),
            verification_token=settings.feishu.verification_token.get_secret_value(),
            clock_offset_file=str(settings.clock_offset_file or ""),
            log_level=settings.log_level,
            log_format=settings.log_format,
        )
    )
    supervisor.start()
    return supervisor


def _until_stopped(stop: Callable[[], object]) -> None:
    def stopping(number: int, frame: object) -> None:
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopping)


@main.command()
def migrate() -> None:
    """Bring the database to the schema of this version."""
    from bot.engine import Engine
    from storage.migrate import newest

    database = open_database(_settings())
    Engine(database, "migrate").migrate()
    database.close()
    click.echo(f"The database is at schema {newest()}.")


@main.command(name="apply")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
def apply_command(file: Path, dry_run: bool) -> None:
    """Declare accounts, programs, chats, roles, policies and subscriptions from a TOML file."""
    from handlers.setup.apply import apply
    from handlers.setup.applyfile import ApplyError, read

    settings = _settings()
    try:
        declared = read(file)
    except ApplyError as error:
        raise click.ClickException(str(error)) from None
    database = open_database(settings)
    clock = make_clock(settings)
    with database.write() as session:
        changes = apply(session, declared, file.parent.resolve(), clock.now(), database.vault.subkey("audit"))
        if dry_run:
            session.rollback()
    database.close()
    for change in changes:
        click.echo(str(change))
    verb = "would be made" if dry_run else "made"
    click.echo(f"{len(changes)} changes {verb}." if changes else "Nothing to change.")


@main.command()
@click.option("--set-addresses", is_flag=True, help="Tell the channels to push to MPOPS_HTTP__PUBLIC_URL.")
def doctor(set_addresses: bool) -> None:
    """Check credentials, scopes, callbacks, clocks and keys; say what to do."""
    from handlers.channels.registry import Channels
    from handlers.setup.doctor import examine, tell_addresses

    settings = _settings()
    database = open_database(settings)
    channels = Channels(database, make_clock(settings))
    if set_addresses:
        for line in tell_addresses(database, channels, settings.http.public_url):
            click.echo(line)
    findings = examine(database, channels, settings, make_clock(settings))
    channels.close()
    database.close()
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'} {finding.area}: {finding.check}: {finding.detail}")
        if finding.remedy and not finding.ok:
            click.echo(f"       -> {finding.remedy}")
    bad = sum(not finding.ok for finding in findings)
    click.echo(f"{len(findings)} things looked at, {bad} to mend.")
    sys.exit(1 if bad else 0)


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write an encrypted backup of the whole database to FILE; mpops may go on working."""
    from storage.backup import backup as write

    settings = _settings()
    database = open_database(settings)
    try:
        counts = write(database, file, settings.secrets()[0], make_clock(settings).now())
    except FileExistsError:
        raise click.ClickException(f"{file} is there already; a backup is never overwritten.") from None
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written ({error.strerror}).") from None
    finally:
        database.close()
    click.echo(f"{file}: {counts.total} rows of {len(counts.rows)} tables.")
    click.echo("It opens only with the secret key of today. Key files of accounts (file:PATH) are not in it.")


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what is in the database.")
def restore(file: Path, force: bool) -> None:
    """Make the database what it was when FILE was written, on SQLite or PostgreSQL. Stop mpops first."""
    from bot.engine import Engine
    from handlers.setup.resume import resume
    from storage.backup import ready
    from storage.backup import restore as bring_back
    from storage.database import Database

    settings = _settings()
    now = make_clock(settings).now()
    database = Database(settings.database_url)
    ready(database, file, settings.secrets(), force=force)
    engine = Engine(database, "restore")
    engine.migrate()
    engine.start(execute=False)
    try:
        engine.clear()  # work of the rows that go; what the new rows need is enqueued with them
        restored = bring_back(
            database, file, settings.secrets(), force=force, now=now,
            then=lambda session: resume(session, engine, now),
        )  # fmt: skip
    finally:
        engine.stop()
        database.close()
    click.echo(f"{restored.counts.total} rows are back, at schema {restored.schema}.")
    if restored.audit.broken_at is not None:
        raise click.ClickException("The audit in this backup had been tampered with: see `mpops audit verify`.")
    click.echo(
        f"The audit is whole: {restored.audit.checked} entries. What was not finished goes on at the next start."
    )


@main.command()
@click.option("--port", default=8765, help="Where the console listens; 0 takes any free port.")
@click.option("--postgres", default="", help="A database address to use instead of a fresh SQLite file.")
def demo(port: int, postgres: str) -> None:
    """Start the sandbox and the bot, and print the console's address."""
    from sandbox.demo import Demo

    running = Demo(port, [sys.executable, str(Path(__file__).resolve())], postgres)
    stopped = threading.Event()
    _until_stopped(stopped.set)
    try:
        address = running.start()
    except RuntimeError as error:
        running.stop()
        raise click.ClickException(str(error)) from None
    click.echo(f"\n  mpops is running. Open  {address}  and press “a customer complains”.\n  Ctrl-C stops it.\n")
    while not stopped.wait(0.5):
        if not running.alive():
            click.echo("The bot stopped; starting it again.", err=True)
            running.restart()
    running.stop()


@main.command()
@click.argument("names", nargs=-1)
@click.option("--seconds", default=5.0, show_default=True, help="Length of one turn.")
@click.option("--rounds", default=3, show_default=True, help="How often everything has its turn.")
@click.option("--database", type=click.Choice(["sqlite", "postgres", "both"]), default="both", show_default=True)
@click.option("--complaints", default=100_000, show_default=True, help="In the larger database of `growth`.")
def bench(names: tuple[str, ...], seconds: float, rounds: int, database: str, complaints: int) -> None:
    """Measure: start, ack, click, command, outbox, growth, or all of them. See docs/performance.md."""
    try:
        from tests.bench.run import bench as measure
    except ImportError as error:
        raise click.ClickException(
            f"The measurements need the source folder and its development packages ({error.name} is not there): "
            "clone the repository and run `make bench`."
        ) from None
    smaller = min(10_000, complaints // 10)
    try:
        measure(
            names, seconds=seconds, rounds=rounds, database=database, complaints=(smaller, complaints), say=click.echo
        )
    except ValueError as error:
        raise click.ClickException(str(error)) from None


@main.group()
def audit() -> None:
    """The record of what was done and decided."""


@audit.command(name="verify")
def audit_verify() -> None:
    """Prove that no entry was changed, taken out or cut off."""
    from storage.audit import Audit

    database = open_database(_settings())
    with database.read() as session:
        verdict = Audit(session, database.vault.subkey("audit")).verify()
    database.close()
    if verdict.broken_at is None:
        click.echo(f"The audit is whole: {verdict.checked} entries.")
        return
    where = f"at entry {verdict.broken_at}" if verdict.broken_at else "at its end"
    raise click.ClickException(f"The audit was tampered with {where}; {verdict.checked} entries before it are whole.")


@audit.command(name="export")
@click.option("--language", type=click.Choice(["zh_cn", "en_us"]), default="zh_cn")
def audit_export(language: Any) -> None:
    """Print every entry as one sentence, oldest first."""
    from bot.texts import catalogue
    from handlers.status.table import sentence
    from storage.audit import Audit
    from storage.people import People

    settings = _settings()
    database = open_database(settings)
    words = catalogue()
    with database.read() as session:
        people = People(session)
        for entry in Audit(session, b"").all():
            click.echo(
                f"{entry.id}\t{entry.subject}\t{words.say(sentence(entry, people), language, zone=settings.zone)}"
            )
    database.close()


if __name__ == "__main__":
    main()
