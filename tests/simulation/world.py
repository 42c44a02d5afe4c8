"""What a simulation replaces in the services, in one place: clocks, chance, sockets, the store."""

import gc
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from typing import Any, Final
from unittest.mock import patch

from tests.simulation.fleet import Fleet
from tests.simulation.front import Http
from tests.simulation.store import START_MS, SimSaveStore, SimWorkerStore
from tests.simulation.virtual_time import SimLoop

import steno_gateway.connection
import steno_gateway.services
import steno_transcriber.recognition
import steno_transcriber.worker
from steno_client import connecting
from steno_client.access import Access
from steno_client.domain.policy import Policy
from steno_client.server import Server, base_url
from steno_gateway.feed import Subscription
from steno_gateway.socket import Peer

_NANOSECONDS: Final = 1_000_000_000


def _numbered() -> Callable[[object], int]:
    """Give a hash that follows from the order in which objects are first hashed.

    Sets of them have one order then, wherever the objects lie in memory.
    """
    numbers: dict[int, tuple[int, object]] = {}
    return lambda each: numbers.setdefault(id(each), (len(numbers), each))[0]


@contextmanager
def inside(loop: SimLoop, fleet: Fleet, http: Http, seed: object) -> Iterator[None]:
    """Put the simulation in the place of the world."""
    draw = random.Random(f"{seed} world")
    state = random.getstate()

    def wall() -> int:
        return START_MS * 1_000_000 + round(loop.time() * _NANOSECONDS)

    @asynccontextmanager
    async def open_server(
        url: str, policy: Policy, access: Access | None = None
    ) -> AsyncIterator[Server]:
        made: Any = http
        yield Server(made, base_url(url), policy, access or Access())

    with ExitStack() as changed:
        for module, name, new in (
            (time, "monotonic", loop.time),
            (time, "time", lambda: wall() / _NANOSECONDS),
            (time, "time_ns", wall),
            (uuid, "uuid4", lambda: uuid.UUID(int=draw.getrandbits(128), version=4)),
            (steno_gateway.connection, "open_connection", fleet.open_connection),
            (steno_gateway.connection, "SaveStore", SimSaveStore),
            (
                steno_gateway.services,
                "new_socket",
                lambda request, _bytes, **_: request.line.server,
            ),
            (steno_transcriber.recognition, "open_engine", fleet.open_engine),
            (steno_transcriber.worker, "WorkerStore", SimWorkerStore),
            (connecting, "open_server", open_server),
            (Peer, "__hash__", _numbered()),
            (Subscription, "__hash__", _numbered()),
        ):
            changed.enter_context(patch.object(module, name, new))
        random.seed(f"{seed} services")
        # What is collected when would depend on everything that ran before.
        collecting = gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            random.setstate(state)
            if collecting:
                gc.enable()
