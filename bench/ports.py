"""Ports that belong to one run: no other run of this machine takes them between two starts."""

import atexit
import os
import socket
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from itertools import cycle, islice
from typing import Final

_PORTS: Final = range(10_000, 18_000)
"""Below those that a kernel gives to outgoing connections, as are those 10,000 higher, on which the
nodes of a Cluster speak to each other."""
_KEPT: Final = 64
"""So many calls later a port may be given again."""


@contextmanager
def own_ports() -> Iterator[Iterator[int]]:
    """Give free ports, each once; they stay this run's until the end."""
    with ExitStack() as held:
        yield (port for port in _PORTS if _claimed(port, held) and is_free(port))


def free_port(size: int = 1) -> int:
    """Give the first of so many neighbouring ports for servers that are told theirs beforehand.

    Nobody has them, nobody gets them by chance, and who asks here in another process gets others.
    """
    turn, kept = _given()
    while True:
        first = next(turn)
        with ExitStack() as claims:
            ports = range(first, first + size)
            if all(_claimed(port, claims) and is_free(port) for port in ports):
                if len(kept) == _KEPT:
                    kept.popleft().close()
                kept.append(claims.pop_all())
                return first


def is_free(port: int) -> bool:
    """Say whether nobody listens on a port of this machine, or did a moment ago."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@cache
def _given() -> tuple[Iterator[int], deque[ExitStack]]:
    """Give the ports in turn, with the claims of those that were given, the oldest first."""
    kept: deque[ExitStack] = deque()

    @atexit.register
    def let_go() -> None:
        for claims in kept:
            claims.close()

    # Each process begins elsewhere: where the one before it was, ports are not free for a minute.
    return islice(cycle(_PORTS), os.getpid() * 97 % len(_PORTS), None), kept


def _claimed(port: int, held: ExitStack) -> bool:
    if sys.platform != "linux":  # only there names need no file
        return True
    # The kernel forgets it with its owner.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0steno-bench-port-{port}")
    except OSError:
        claim.close()
        return False
    held.enter_context(claim)
    return True
