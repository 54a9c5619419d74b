"""A demo does not take the folder or the port of another one."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from sandbox.demo import Demo

COMMAND = [sys.executable, "-c", ""]


def test_a_second_demo_is_refused_and_harms_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = Demo(0, COMMAND, folder=folder)
    try:
        (folder / "mpops.db").touch()
        with pytest.raises(RuntimeError, match=r"running already.*Stop it first"):
            Demo(0, COMMAND, folder=folder)
        assert (folder / "mpops.db").exists()
    finally:
        first.stop()
    Demo(0, COMMAND, folder=folder).stop()
    assert not (folder / "mpops.db").exists()


def test_a_port_that_is_taken_is_told_with_another_one(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RuntimeError, match=rf"Port {port} is taken.*make demo PORT={port + 1}"):
            Demo(port, COMMAND, folder=tmp_path / "demo")
    assert not (tmp_path / "demo").exists()
