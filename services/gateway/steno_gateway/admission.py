"""Who may come in: bounds on sessions and on what one address or one key may open."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from steno_gateway.domain.access import Caller
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Bucket
from steno_gateway.settings import GatewaySettings

MAX_TRACKED = 10_000


@dataclass(slots=True)
class Rates:
    """How often each of many may ask; those not seen for longest are forgotten."""

    clock: Callable[[], float]
    rate: float
    """A second, with a burst of four times as many."""
    _buckets: dict[str, Bucket] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str) -> float:
        """Count a request; gives 0, or the seconds until one may come."""
        bucket = self._buckets.pop(name, None) or Bucket(self.rate, 4 * self.rate)
        self._buckets[name] = bucket  # youngest last: the oldest is forgotten first
        if len(self._buckets) > MAX_TRACKED:
            del self._buckets[next(iter(self._buckets))]
        return bucket.take(self.clock())


@contextmanager
def _place(taken: Counter[str], name: str, most: int, refusal: ClientError) -> Iterator[None]:
    if taken[name] >= most:
        raise refusal
    taken[name] += 1
    try:
        yield
    finally:
        taken[name] -= 1
        if not taken[name]:
            del taken[name]


def _quota(what: str) -> ClientError:
    return ClientError("quota_exceeded", f"this API key has as many {what} as it may",
                       retry_after_ms=5_000)  # fmt: skip


@dataclass(slots=True)
class Admission:
    """Counts of one gateway."""

    settings: GatewaySettings
    clock: Callable[[], float]
    sessions: int = 0
    _sockets: Counter[str] = field(default_factory=Counter)
    _uploads: Counter[str] = field(default_factory=Counter)
    _sessions_of_keys: Counter[str] = field(default_factory=Counter)
    _uploads_of_keys: Counter[str] = field(default_factory=Counter)
    _handshakes: Rates = field(init=False)
    _handshakes_of_keys: Rates = field(init=False)
    _translations: Rates = field(init=False)

    def __post_init__(self) -> None:
        settings = self.settings
        self._handshakes = Rates(self.clock, settings.max_handshakes_per_second_per_ip)
        self._handshakes_of_keys = Rates(self.clock, settings.max_handshakes_per_second_per_key)
        self._translations = Rates(self.clock, settings.max_translations_per_second)

    def handshake(self, address: str) -> None:
        """Count a new request of an address; raises ClientError `too_many_connections`."""
        if wait := self._handshakes.take(address):
            raise ClientError("too_many_connections", "too many requests from this address",
                              retry_after_ms=round(wait * 1000) + 1)  # fmt: skip

    def handshake_of_key(self, key: str | None) -> None:
        """Count a new request of a key, if there is one; raises ClientError `quota_exceeded`."""
        if key is not None and (wait := self._handshakes_of_keys.take(key)):
            raise ClientError("quota_exceeded", "too many requests with this API key",
                              retry_after_ms=round(wait * 1000) + 1)  # fmt: skip

    def translation(self, session_id: str) -> None:
        """Count a translation of a session; raises ClientError `rate_limited`."""
        if wait := self._translations.take(session_id):
            raise ClientError("rate_limited", "too many translations of this session",
                              retry_after_ms=round(wait * 1000) + 1)  # fmt: skip

    @contextmanager
    def socket(self, address: str) -> Iterator[None]:
        """Hold a place for a connection; raises ClientError `too_many_connections`."""
        refusal = ClientError("too_many_connections", "too many connections from this address")
        with _place(self._sockets, address, self.settings.max_connections_per_ip, refusal):
            yield

    @contextmanager
    def session(self, key: str | None = None) -> Iterator[None]:
        """Hold a place for a session with audio.

        Raises ClientError `too_many_sessions`, `quota_exceeded`.
        """
        self.may_begin(key)
        self.sessions += 1
        try:
            with ExitStack() as held:
                if key is not None:
                    most = self.settings.max_sessions_per_key
                    held.enter_context(
                        _place(self._sessions_of_keys, key, most, _quota("sessions"))
                    )
                yield
        finally:
            self.sessions -= 1

    @contextmanager
    def upload(self, caller: Caller) -> Iterator[None]:
        """Hold a place for an upload, which is a connection with a session.

        Raises ClientError `too_many_connections`, `too_many_sessions`, `quota_exceeded`.
        """
        settings, key = self.settings, caller.key
        refusal = ClientError("too_many_connections", "too many uploads from this address",
                              retry_after_ms=5_000)  # fmt: skip
        with ExitStack() as held:
            held.enter_context(self.socket(caller.address))
            most = settings.max_uploads_per_ip
            held.enter_context(_place(self._uploads, caller.address, most, refusal))
            if key is not None:
                most = settings.max_uploads_per_key
                held.enter_context(_place(self._uploads_of_keys, key, most, _quota("uploads")))
            held.enter_context(self.session(key))
            yield

    def may_begin(self, key: str | None = None) -> None:
        """Raise ClientError `too_many_sessions`, `quota_exceeded` if there is no room."""
        if self.sessions >= self.settings.max_sessions:
            raise ClientError("too_many_sessions", "this server has as many sessions as it may",
                              retry_after_ms=5_000)  # fmt: skip
        if key is not None and self._sessions_of_keys[key] >= self.settings.max_sessions_per_key:
            raise _quota("sessions")
