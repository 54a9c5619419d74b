"""A port for a process that is started in a moment."""

from __future__ import annotations

import random
import socket

# Below those that systems give to outgoing connections (32768 and up on Linux): any call may take a free one of these
# before the process that it was meant for listens on it.
_PORTS = range(20_000, 32_000)


def is_free(port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: what just closed is no hindrance
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of this machine on which nobody listens."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        if is_free(port):
            return port
