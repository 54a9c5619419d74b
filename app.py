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

from handlers.setup import declaring, keeping
from handlers.setup.opening import make_clock, make_spans, make_turns, open_database, read_settings

if TYPE_CHECKING:
    from flask import Flask

    from bot.clock import Clock
    from bot.engine import Engine, Payload
    from bot.feishu.port import LarkFeishu
    from bot.metrics import Metrics
    from bot.presence import Present
    from bot.schedule import Schedule, Scheduled
    from bot.settings import Settings
    from bot.stopping import Stop
    from bot.telemetry import Spans
    from bot.texts import Catalogue
    from bot.unit import Unit, Units
    from handlers.channels.registry import Channels
    from storage.database import Database
    from storage.slot import Slot


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
    slot: Slot
    leaving: threading.Event
    metrics: Metrics
    spans: Spans
    present: Callable[[str], Present]
    presence: Present | None = None

    def start(self, *, execute: bool, role: str = "") -> None:
        """Raises SlotTaken where work is to be executed and another process does so under this name."""
        if execute and not self.slot.take(self.leaving):
            return  # told to stop before it began
        if not execute:
            self.engine.migrate()  # what is accepted here must have a place to wait in, also before any worker came
        self.engine.start(execute=execute)
        if execute:
            self.schedule.start()
            threading.Thread(target=self._warm_up, name="warm-up", daemon=True).start()
        self.presence = self.present(role or ("all" if execute else "web"))
        self.presence.start()

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
        if self.presence is not None:
            self.presence.stop()
        self.spans.close()
        self.slot.release()
        self.channels.close()
        self.database.close()


def build(settings: Settings, *, migrating: bool = True, leaving: threading.Event | None = None) -> Bot:
    """Put one process together. Opens the database; starts nothing and calls nobody. `leaving`: told to stop."""
    from bot.cards.actions import ActionSigner
    from bot.drawing import Drawings
    from bot.feishu import values
    from bot.feishu.port import LarkFeishu
    from bot.inbox import PROCESS, PROCESS_ALL, InboxWork
    from bot.ingress import FeishuKeys, Ingress
    from bot.metrics import Metrics
    from bot.outbox import Delivery
    from bot.parcels import Packing, Posting
    from bot.presence import Present
    from bot.router import Router
    from bot.schedule import DEADLINE, Cron, DeadlineWork, Schedule, Scheduled
    from bot.texts import catalogue
    from bot.tracked import TrackedEngine
    from bot.unit import DELIVER, KEEP, Units
    from bot.watching import Watcher
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
    from handlers.status import showing as status_showing
    from handlers.status import table as status_table
    from handlers.status.health import ready
    from handlers.status.mending import RETRY, FailedWork
    from handlers.status.readings import measure
    from storage.slot import slot
    from storage.trouble import FailedJobs, ParkedItems

    clock = make_clock(settings)
    leaving = leaving or threading.Event()
    database = open_database(settings, migrating=migrating)
    words = catalogue()
    signer = ActionSigner(database.vault.subkey(_clicks(database)))
    metrics = Metrics()
    spans = make_spans(settings)
    watcher = Watcher(clock, metrics, spans)
    engine = TrackedEngine(database, settings.executor, metrics, spans)
    place = slot(database, settings.executor)
    units = Units(database, engine, clock)
    feishu = LarkFeishu(
        settings.feishu.app_id,
        settings.feishu.app_secret.get_secret_value(),
        settings.feishu.domain,
        clock,
        watch=watcher.feishu,
    )
    metrics.measured(lambda: measure(units, feishu))
    channels = Channels(database, clock, watcher.channel)

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
        make_turns(settings, metrics),
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
            status_showing.STATUS: status_showing.draw_status,
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
            FailedJobs(unit.session).forget(unit.now - KEEP)
            ParkedItems(unit.session).forget(unit.now - KEEP)

    failed_work = FailedWork(units, lambda: jobs)
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
        RETRY: failed_work.again,
        "channels.refresh": lambda payload: channels.refresh(),
    }
    for name, job in jobs.items():
        engine.register(name, job)

    def given_up(job: str, payload: Payload, incident: str) -> None:
        if job == PROCESS:
            inbox.failed(str(payload["id"]), incident)
        elif job != DELIVER:  # the outbox tries by itself
            failed_work.failed(job, payload, incident)

    engine.when_failed = given_up

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
        settings.feishu.encrypt_key.get_secret_value(),
        settings.feishu.verification_token.get_secret_value(),
        settings.feishu.encrypt_key_previous.get_secret_value(),
        settings.feishu.verification_token_previous.get_secret_value(),
    )
    ingress = Ingress(units, router, signer, words, keys, ChannelPushes(channels), metrics, spans)
    web = build_web(ingress, metrics, lambda: ready(database, engine, schedule, clock, place, leaving))

    def present(role: str) -> Present:
        return Present(database, settings.executor, role, lambda: schedule.alive(clock.now()), watcher)

    return Bot(
        settings, clock, database, engine, units, feishu, channels, schedule, web, words, place, leaving,
        metrics, spans, present,
    )  # fmt: skip


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
    from structlog import get_logger

    from bot.feishu.envelope import LARGEST
    from bot.serving import Server

    settings = read_settings()
    stop = _stop(settings)
    if long_connection and not settings.feishu.encrypt_key.get_secret_value():
        # Events over the long connection are not encrypted by Feishu; between its process and the web they always are.
        settings = settings.model_copy(update={"feishu": settings.feishu.with_key(secrets.token_urlsafe(32))})
    bot = build(settings, leaving=stop.asked)
    bot.start(execute=not web_only)
    try:
        server = Server(
            bot.web,
            stop.asked,
            drain=settings.http.drain,
            grace=settings.grace,
            host=settings.http.host,
            port=settings.http.port,
            threads=settings.http.threads,
            ident=None,
            # A stranger must not fill the disk: more than this is refused while it is being received.
            max_request_body_size=LARGEST + 64 * 1024,
            max_request_header_size=32 * 1024,
            # What is larger waits in a file and not in memory, however many send at once.
            inbuf_overflow=64 * 1024,
            channel_timeout=20,
            connection_limit=500,
        )
    except OSError as error:
        bot.stop()
        raise click.ClickException(
            f"mpops cannot listen on {settings.http.host}:{settings.http.port} ({error.strerror}): see MPOPS_HTTP__HOST"
            " and MPOPS_HTTP__PORT, and whether another process listens there."
        ) from None
    supervisor = _long_connection(settings) if long_connection else None
    stop.then(server.wake)
    click.echo(f"mpops listens on http://{settings.http.host}:{settings.http.port}", err=True)
    status = 1  # a process whose web has ended must not stay for its jobs: nothing would start it again
    try:
        server.run(supervisor.stop if supervisor is not None else lambda: None)
        status = 0
    except Exception:
        get_logger("web").exception("web.broken")
    finally:
        bot.stop()
    stop.end(status)


@main.command()
def worker() -> None:
    """Do the work of a deployment whose web processes only accept events."""
    settings = read_settings()
    stop = _stop(settings)
    bot = build(settings, leaving=stop.asked)
    end_numbers = _tell_numbers(settings, bot)
    bot.start(execute=True, role="worker")
    click.echo("mpops works", err=True)
    stop.asked.wait()
    bot.stop()
    end_numbers()
    stop.end()


def _tell_numbers(settings: Settings, bot: Bot) -> Callable[[], object]:
    """Serve a worker's metrics where the settings say so; what ends that."""
    from prometheus_client import start_http_server

    if not settings.metrics.port:
        return lambda: None
    try:
        server, thread = start_http_server(settings.metrics.port, settings.metrics.host, bot.metrics.registry)
    except OSError as error:
        raise click.ClickException(
            f"The numbers cannot be told on {settings.metrics.host}:{settings.metrics.port} ({error.strerror}): see"
            " MPOPS_METRICS__HOST and MPOPS_METRICS__PORT, and whether another process listens there."
        ) from None

    def stop() -> None:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)

    return stop


def _stop(settings: Settings) -> Stop:
    """Before anything is started: a signal counts from the first moment on."""
    from bot.stopping import Stop

    # The web's requests and the jobs each have their grace; closing down takes a few seconds more.
    return Stop(settings.http.drain + 2 * settings.grace + 15)


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
    from storage.migrate import current, newest

    database = open_database(read_settings())
    Engine(database, "migrate").migrate()
    schema = current(database)
    database.close()
    click.echo(f"The database is at schema {schema}.")
    if schema != newest():
        click.echo("That is newer than this version, which can work on it. Nothing was changed.")


@main.command()
@click.option("--port", default=8765, help="Where the console listens; 0 takes any free port.")
@click.option("--postgres", default="", help="A database address to use instead of a fresh SQLite file.")
def demo(port: int, postgres: str) -> None:
    """Start the sandbox and the bot, and print the console's address."""
    try:
        from sandbox.demo import Demo
    except ImportError:
        raise click.ClickException("The demo needs the source folder: clone the repository, `make demo`.") from None

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
@click.option("--faults", default=1000, show_default=True, help="How many are to strike in `faults`.")
def bench(names: tuple[str, ...], seconds: float, rounds: int, database: str, complaints: int, faults: int) -> None:
    """Measure: start, ack, click, command, outbox, sync, replicas, growth, or all of these; or the long run `faults`.

    See docs/performance.md and docs/reliability.md.
    """
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
            names, seconds=seconds, rounds=rounds, database=database, complaints=(smaller, complaints), faults=faults,
            say=click.echo,
        )  # fmt: skip
    except ValueError as error:
        raise click.ClickException(str(error)) from None


for command in (declaring.apply_command, declaring.doctor):
    main.add_command(command)
for command in (keeping.backup, keeping.drill, keeping.restore, keeping.keys, keeping.audit):
    main.add_command(command)


if __name__ == "__main__":
    main()
