"""The line between one process and PostgreSQL, which can be cut while everybody else keeps theirs."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import make_url

_NAME = ".s.PGSQL.5432"
_PIECE = 65_536


class Wire:
    """Passes on what comes over its own socket. `url` leads over it; `with` opens and removes it."""

    def __init__(self, url: str) -> None:
        there = make_url(url)
        self._server = str(Path(str(there.query["host"])) / _NAME)
        # A folder of its own: the path of a socket may have hardly more than a hundred characters.
        self._folder = Path(tempfile.mkdtemp(prefix="wire-"))
        os.chmod(self._folder, 0o755)
        self.url = there.update_query_dict({"host": str(self._folder)}).render_as_string(hide_password=False)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._listener = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._accept, name="wire", daemon=True)

    def __enter__(self) -> Self:
        self._listener.bind(str(self._folder / _NAME))
        self._listener.listen(64)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join(timeout=5)
        shutil.rmtree(self._folder, ignore_errors=True)

    def cut(self) -> None:
        """Break every connection and refuse new ones."""
        with self._lock:
            self._is_cut = True
            lines, self._open = self._open, set()
        for line in lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        with self._lock:
            self._is_cut = False

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            with self._lock:
                refused = self._is_cut
            try:
                if refused:
                    raise ConnectionRefusedError
                far.connect(self._server)
            except OSError:
                near.close()
                far.close()
                continue
            with self._lock:
                self._open |= {near, far}
            threading.Thread(target=self._both_ways, args=(near, far), daemon=True).start()

    def _both_ways(self, near: socket.socket, far: socket.socket) -> None:
        back = threading.Thread(target=self._pass_on, args=(far, near), daemon=True)
        back.start()
        self._pass_on(near, far)
        back.join()
        with self._lock:
            self._open -= {near, far}
        near.close()
        far.close()

    @staticmethod
    def _pass_on(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
