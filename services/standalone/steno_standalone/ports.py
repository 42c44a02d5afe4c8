"""Free ports before anything is started."""

import socket
from collections.abc import Iterable

from steno_standalone.domain.services import Service
from steno_standalone.errors import PortTakenError


def refuse_taken_ports(services: Iterable[Service], base: int) -> None:
    """Raise PortTakenError when another program listens where a service will."""
    for service in services:
        port = service.port(base)
        with socket.socket() as probe:
            # As the services do: the remains of closed connections do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise PortTakenError(
                    f"port {port} ({service.name}) cannot be used: {error.strerror}. Stop the "
                    f"program that has it, or choose other ports: STENO_PORT={base + 100} make run"
                ) from error
