"""How long things live in Redis, the same for every service of an installation."""

from dataclasses import dataclass

from steno_common.errors import SettingsError
from steno_common.store.addresses import Several, parse


@dataclass(frozen=True, slots=True)
class Limits:
    """Lifetimes and bounds; the environment may change each (STENO_SHARDS, ...)."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    """One Redis or several, Sentinels, a Cluster: see store/addresses.py."""
    replicas: int = 0
    """An answer counts once so many replicas have what it stands on."""
    shards: int = 16
    """Fixed at install: a session's shard follows from its id."""
    idle_seconds: float = 600.0
    """A session that nobody touches disappears after this."""
    retention_seconds: float = 600.0
    """Results stay in Redis this long after completion, for late listeners and lost replies."""
    delivery_keep_seconds: float = 86_400.0
    """So long notifiers may be away, and nothing that is to be delivered is lost."""
    connect_seconds: float = 30.0
    """A session whose client never connects is removed after this."""
    abandon_seconds: float = 120.0
    """A session whose client is gone this long is finished with what it has."""
    backlog_seconds: float = 60.0
    """Audio of one session that may wait for a transcriber; more gets no credit."""
    silence_seconds: float = 3.0
    """An utterance ends after this much silence."""
    lease_seconds: float = 3.0
    """A transcriber that is silent for this long loses its sessions."""
    engine_grace_seconds: float = 1.5
    """A session that nobody of its first engine takes is left to the next one after this."""

    def __post_init__(self) -> None:
        place = parse(self.redis_url)
        faults = []
        if self.replicas < 0:
            faults.append("STENO_REPLICAS: not 0 or more")
        if isinstance(place, Several) and len(place.urls) > self.shards:
            faults.append("STENO_SHARDS: fewer than there are Redis in STENO_REDIS_URL")
        if faults:
            raise SettingsError(faults)

    @property
    def idle_ms(self) -> int:
        """`idle_seconds` for a script."""
        return round(self.idle_seconds * 1000)

    @property
    def retention_ms(self) -> int:
        """`retention_seconds` for a script."""
        return round(self.retention_seconds * 1000)

    @property
    def delivery_keep_ms(self) -> int:
        """`delivery_keep_seconds` for a script."""
        return round(self.delivery_keep_seconds * 1000)

    @property
    def abandon_ms(self) -> int:
        """`abandon_seconds` for a script."""
        return round(self.abandon_seconds * 1000)

    @property
    def engine_grace_ms(self) -> int:
        """`engine_grace_seconds` for a script."""
        return round(self.engine_grace_seconds * 1000)

    @property
    def lease_ms(self) -> int:
        """`lease_seconds` for a script."""
        return round(self.lease_seconds * 1000)
