"""A port that was given out is nobody else's, before its program listens and while it is down."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from sandbox import ports

ASKS = "import sys; from sandbox import ports; ports._PORTS = tuple(map(int, sys.argv[1:])); print(ports.free_port())"


def listening(port: int) -> socket.socket:
    """As every server here listens: what closed a moment ago is no hindrance."""
    return socket.create_server(("127.0.0.1", port))


@pytest.fixture
def held() -> int:
    return ports.free_port()


@pytest.fixture
def other() -> int:
    """A port that nobody holds."""
    port = ports.free_port()
    os.close(ports._held.pop())
    return port


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a port cannot be held for a server")
def test_another_process_is_not_given_it(held: int, other: int) -> None:
    for number in range(2):  # before the program listens, and when it has ended
        for _ in range(4):
            asked = subprocess.run(
                [sys.executable, "-c", ASKS, *map(str, (held, held, held, other))],
                capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert int(asked.stdout) == other, f"round {number}"
        listening(held).close()


def test_its_program_listens_there_again_and_again(held: int) -> None:
    for _ in range(2):
        with listening(held) as server, socket.create_connection(("127.0.0.1", held)) as client:
            server.accept()[0].close()
            assert client.recv(1) == b""
            assert not ports.is_free(held)
        assert ports.is_free(held)


def test_not_more_files_stay_open_than_are_needed() -> None:
    for _ in range(ports._MOST_HELD + 20):
        ports.free_port()
    assert len(ports._held) <= ports._MOST_HELD
