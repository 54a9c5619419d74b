"""A port for a process that is started in a moment."""

from __future__ import annotations

import os
import random
import socket
from collections import deque

# Below those that systems give to outgoing connections (32768 and up on Linux): any call may take a free one of these
# before the process that it was meant for listens on it.
_PORTS = range(20_000, 32_000)
_MOST_HELD = 100  # each is an open file of this process
_held: deque[int] = deque()


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
    """A port of this machine on which nobody listens, and which nobody else gets from here while this process lives.

    Between this and the moment at which its program listens lie seconds, and while that program is down for a restart
    nobody listens either. Somebody else's program that took the port meanwhile would be taken for it.
    """
    while True:
        port = random.SystemRandom().choice(_PORTS)
        holder = socket.socket()
        try:
            holder.bind(("127.0.0.1", port))
        except OSError:  # also where another one holds it
            holder.close()
            continue
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # from here on a server may listen beside it
        if is_free(port):
            _held.append(holder.detach())
            if len(_held) > _MOST_HELD:
                os.close(_held.popleft())
        else:
            holder.close()  # on systems where a server may not, nobody can hold a port for it
        return port
