"""`mpops serve` and `mpops worker`: the processes of a deployment."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from handlers.cli.bootstrap import read_settings

if TYPE_CHECKING:  # the command line's help must not wait for what it does not use
    from bot.server.shutdown import Shutdown
    from bot.settings import Settings
    from handlers.cli.process import Bot, Composition


@click.command()
@click.option("--web-only", is_flag=True, help="Accept events only; workers do the work.")
@click.option("--long-connection", is_flag=True, help="Receive Feishu's events without a public address.")
@click.pass_obj
def serve(composition: Composition, web_only: bool, long_connection: bool) -> None:
    """Run the bot: web, work and schedule in one process."""
    from structlog import get_logger

    from bot.feishu.envelope import LARGEST
    from bot.server.server import Server

    settings = read_settings()
    stop = _stop(settings)
    if long_connection and not settings.feishu.encrypt_key.get_secret_value():
        # Events over the long connection are not encrypted by Feishu; between its process and the web they always are.
        settings = settings.model_copy(update={"feishu": settings.feishu.with_key(secrets.token_urlsafe(32))})
    bot = composition.build(settings, leaving=stop.asked)
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


@click.command()
@click.pass_obj
def worker(composition: Composition) -> None:
    """Do the work of a deployment whose web processes only accept events."""
    settings = read_settings()
    stop = _stop(settings)
    bot = composition.build(settings, leaving=stop.asked)
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


def _stop(settings: Settings) -> Shutdown:
    """Before anything is started: a signal counts from the first moment on."""
    from bot.server.shutdown import Shutdown

    # The web's requests and the jobs each have their grace; closing down takes a few seconds more.
    return Shutdown(settings.http.drain + 2 * settings.grace + 15)


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
