"""The composition root, and the `mpops` command line. Importing it creates nothing."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from handlers.cli.apply import apply_command
from handlers.cli.audit import audit
from handlers.cli.backup import backup, restore, restore_check
from handlers.cli.bootstrap import make_clock, make_feishu, make_keys, make_spans, make_user_rate_limiter, open_database
from handlers.cli.doctor import doctor
from handlers.cli.keys import keys
from handlers.cli.migrate import migrate
from handlers.cli.process import Bot, Composition
from handlers.cli.serve import serve, worker

if TYPE_CHECKING:
    from bot.area import Areas
    from bot.settings import Settings
    from handlers.shared.house import House
    from storage.database import Database

# The areas, each a folder in handlers/ with `area(house) -> Area`, in the order of their commands and of those who
# listen to the same event. They are named and not imported here: a command that asks no area loads none of them.
AREAS = ("complaints", "refunds", "approvals", "help", "digests", "people", "status", "accounts")


def build(settings: Settings, *, migrating: bool = True, leaving: threading.Event | None = None) -> Bot:
    """Put one process together. Opens the database; starts nothing and calls nobody. `leaving`: told to stop."""
    from bot import housekeeping
    from bot.area import Areas
    from bot.cards.actions import ActionSigner
    from bot.contributions.jobs import Job
    from bot.contributions.routing import Click, Command
    from bot.incoming.processing import InboxProcessing
    from bot.incoming.router import Router
    from bot.incoming.webhooks import Webhooks
    from bot.jobs.instrumented import InstrumentedEngine
    from bot.outgoing.delivery import Delivery
    from bot.outgoing.rendering import MessageRenderer
    from bot.outgoing.sending import MessageSender
    from bot.schedule import Schedule
    from bot.server.flask_app import build_app
    from bot.telemetry.calls import Watcher
    from bot.telemetry.heartbeat import LastWrite, ProcessHeartbeat
    from bot.telemetry.metrics import Metrics
    from bot.texts import catalogue
    from bot.unit import Units
    from handlers.help.feishu_events import chat_gone
    from handlers.shared.accounts.pushes import ChannelPushes, PushWork
    from handlers.shared.accounts.registry import Channels
    from handlers.shared.house import House
    from handlers.status import given_up
    from handlers.status.gauges import measure
    from handlers.status.health import ready
    from handlers.status.repair import FailedWork
    from storage.core.executor_lock import lock_of

    # What everything stands on.
    clock, zone = make_clock(settings), settings.zone
    leaving = leaving or threading.Event()
    database = open_database(settings, migrating=migrating, waiting=leaving)
    words = catalogue()
    signer = ActionSigner(database.vault.subkey(_clicks(database)))
    metrics, spans = Metrics(), make_spans(settings)
    watcher = Watcher(clock, metrics, spans)
    engine = InstrumentedEngine(database, settings.executor, metrics, spans, settings.queue_poll)
    executor_lock = lock_of(database, settings.executor)
    units = Units(database, engine, clock, Areas())
    feishu = make_feishu(settings, clock, watcher.feishu)
    channels = Channels(database, clock, watcher.channel)
    metrics.measured(lambda: measure(units, feishu))
    areas = furnish(House(units, channels, feishu, clock, zone))

    # What serves them all.
    router = Router(areas.of(Command), areas.of(Click), make_user_rate_limiter(settings, metrics))
    inbox = InboxProcessing(units, router, signer, PushWork(channels), _remembered(feishu.bot_open_id))
    renderer = MessageRenderer(units, signer, words, zone)
    delivery = Delivery(units, renderer, MessageSender(feishu, renderer, lambda: engine.peers), chat_gone)
    areas.add(housekeeping.area(units, engine, inbox, delivery, zone))
    for job in areas.of(Job):
        engine.register(job.name, job.run)
    engine.when_failed = given_up(inbox, FailedWork(units))
    schedule = Schedule(units)

    # Its doors.
    webhooks = Webhooks(
        units, router, signer, words, make_keys(settings), ChannelPushes(channels), lambda: feishu.known_bot_open_id,
        metrics, spans,
    )  # fmt: skip
    last_write = LastWrite()
    web = build_app(
        webhooks, metrics, lambda: ready(database, engine, schedule, clock, executor_lock, leaving, last_write), areas
    )  # fmt: skip

    def heartbeat_of(role: str) -> ProcessHeartbeat:
        return ProcessHeartbeat(
            database, settings.executor, role, lambda: schedule.alive(clock.now()), watcher, last_write
        )

    return Bot(
        settings, clock, database, engine, units, feishu, channels, schedule, web, words, executor_lock, leaving,
        metrics, spans, heartbeat_of,
    )  # fmt: skip


def furnish(house: House) -> Areas:
    """All areas of a house, in the order of `AREAS`."""
    from bot.unfinished import UNFINISHED

    areas = house.units.areas
    areas.add(UNFINISHED, *(import_module(f"handlers.{name}").area(house) for name in AREAS))
    return areas


def areas_at_rest(settings: Settings) -> Areas:
    """What the areas bring, for a command that starts no process. Reads nothing and calls nobody."""
    from bot.area import Areas
    from bot.feishu.lark import LarkFeishu
    from bot.jobs.engine import Engine
    from bot.unit import Units
    from handlers.shared.accounts.registry import Channels
    from handlers.shared.house import House
    from storage.database import Database

    clock, database = make_clock(settings), Database(settings.database_url)
    units = Units(database, Engine(database, "at rest"), clock, Areas())
    feishu = LarkFeishu("", "", "feishu", clock)  # nobody calls it, so no wrong setting of it may stop a restore
    return furnish(House(units, Channels(database, clock), feishu, clock, settings.zone))


def _clicks(database: Database) -> str:
    """What clicks are signed for. After a restore it is something new: cards posted since the backup are not ours."""
    from storage.backups.history import RESTORED
    from storage.core.schedule import Schedules

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
            from handlers.cli.errors import plainly

            told = plainly(error)
            if told is None:
                raise
            raise click.ClickException(told) from None


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "obj": Composition(build, areas_at_rest)}
)
@click.version_option("0.1.0", prog_name="mpops")
def main() -> None:
    """mpops: an operations assistant in Feishu chat."""


def _until_stopped(stop: Callable[[], object]) -> None:
    def stopping(number: int, frame: object) -> None:
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stopping)


@main.command()
@click.option("--port", default=8765, help="Where the console listens; 0 takes any free port.")
@click.option("--postgres", default="", help="A database address to use instead of a fresh SQLite file.")
def demo(port: int, postgres: str) -> None:
    """Start the sandbox and the bot, and print the console's address."""
    try:
        from sandbox.demo import Demo
    except ImportError:
        raise click.ClickException("The demo needs the source folder: clone the repository, `make demo`.") from None

    try:
        running = Demo(port, [sys.executable, str(Path(__file__).resolve())], postgres)
    except RuntimeError as error:
        raise click.ClickException(str(error)) from None
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
    """Measure what docs/performance.md tells of, by name or all of it; or `faults`, the long run of reliability.md."""
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


for command in (serve, worker, migrate, apply_command, doctor, backup, restore_check, restore, keys, audit):
    main.add_command(command)


if __name__ == "__main__":
    main()
