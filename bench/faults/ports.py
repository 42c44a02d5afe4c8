"""Ports that belong to one run: no other run of this machine takes them between two starts."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

_PORTS: Final = range(10_000, 18_000)
"""Below those that a kernel gives to outgoing connections."""


@contextmanager
def own_ports() -> Iterator[Iterator[int]]:
    """Give free ports, each once; they stay this run's until the end."""
    with ExitStack() as held:
        yield (port for port in _PORTS if _claimed(port, held) and _free(port))


def _claimed(port: int, held: ExitStack) -> bool:
    # A name without a file: the kernel forgets it with its owner.
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0steno-bench-port-{port}")
    except OSError:
        claim.close()
        return False
    held.enter_context(claim)
    return True


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
