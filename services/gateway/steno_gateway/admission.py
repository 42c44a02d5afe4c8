"""Who may come in: bounds on sessions and on what one address may open."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket
from steno_gateway.settings import GatewaySettings

MAX_TRACKED = 10_000


@dataclass(slots=True)
class Admission:
    """Counts of one gateway."""

    settings: GatewaySettings
    clock: Callable[[], float]
    sessions: int = 0
    _sockets: Counter[str] = field(default_factory=Counter)
    _handshakes: dict[str, Bucket] = field(default_factory=dict)

    def handshake(self, address: str) -> None:
        """Count a new request of an address; raises ClientError `too_many_connections`."""
        bucket = self._handshakes.pop(address, None)
        if bucket is None:
            rate = self.settings.max_handshakes_per_second_per_ip
            bucket = Bucket(rate, 4 * rate)
        self._handshakes[address] = bucket  # youngest last: the oldest is forgotten first
        if len(self._handshakes) > MAX_TRACKED:
            del self._handshakes[next(iter(self._handshakes))]
        wait = bucket.take(self.clock())
        if wait:
            raise ClientError("too_many_connections", "too many requests from this address",
                              retry_after_ms=round(wait * 1000) + 1)  # fmt: skip

    @contextmanager
    def socket(self, address: str) -> Iterator[None]:
        """Hold a place for a socket; raises ClientError `too_many_connections`."""
        if self._sockets[address] >= self.settings.max_connections_per_ip:
            raise ClientError("too_many_connections", "too many connections from this address")
        self._sockets[address] += 1
        try:
            yield
        finally:
            self._sockets[address] -= 1
            if not self._sockets[address]:
                del self._sockets[address]

    @contextmanager
    def session(self) -> Iterator[None]:
        """Hold a place for a session with audio; raises ClientError `too_many_sessions`."""
        self.may_begin()
        self.sessions += 1
        try:
            yield
        finally:
            self.sessions -= 1

    def may_begin(self) -> None:
        """Raise ClientError `too_many_sessions` if there is no room."""
        if self.sessions >= self.settings.max_sessions:
            raise ClientError("too_many_sessions", "this server has as many sessions as it may",
                              retry_after_ms=5_000)  # fmt: skip
