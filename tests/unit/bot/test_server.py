"""The web server when the process has very many open files: strangers decide how many."""

from __future__ import annotations

import os
import resource
import threading
from collections.abc import Iterable, Iterator

import httpx
import pytest

from bot.server.server import Server

MANY = 1100  # select() knows 1024


@pytest.fixture
def many_open_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 2 * MANY:
        pytest.skip(f"this machine allows {hard} open files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * MANY), hard))
    one = os.open(os.devnull, os.O_RDONLY)
    others = [os.dup(one) for _ in range(MANY)]
    yield
    for each in (one, *others):
        os.close(each)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_file_number_beyond_1024_breaks_nothing(many_open_files: None) -> None:
    def app(environ: object, start: object) -> Iterable[bytes]:
        start("200 OK", [("Content-Length", "2")])  # type: ignore[operator]  # WSGI
        return [b"ok"]

    leaving = threading.Event()
    server = Server(app, leaving, grace=2, host="127.0.0.1", port=0, threads=2)
    running = threading.Thread(target=server.run)
    running.start()
    try:
        for _ in range(3):
            assert httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False, timeout=5).text == "ok"
    finally:
        leaving.set()
        server.wake()
        running.join(timeout=15)
    assert not running.is_alive()
