"""How a server stands, as anybody may know."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from steno_common.public import Json

Trouble = tuple[str, str]
"""Code and message."""

STORE_AWAY: Final[Trouble] = ("store_unavailable", "the store does not answer; audio waits here")
NO_ENGINE: Final[Trouble] = ("engine_unavailable", "no engine is ready; the audio waits for one")


@dataclass(frozen=True, slots=True)
class ServerState:
    """What can be seen of a gateway and of what stands behind it."""

    active_clients: int = 0
    ready: Mapping[str, bool] = field(default_factory=dict)
    """What must hold of the gateway, by name."""
    transcribers: int | None = 1
    """Those that are ready to recognise; None: the store does not say."""
    draining: bool = False

    @property
    def engine_ready(self) -> bool:
        """Whether audio would be recognised at once."""
        return bool(self.transcribers)

    @property
    def status(self) -> str:
        """`ok`, `degraded`, `draining`."""
        if self.draining:
            return "draining"
        return "ok" if self.engine_ready and all(self.ready.values()) else "degraded"

    @property
    def troubles(self) -> tuple[Trouble, ...]:
        """What a client with audio should know."""
        if self.transcribers is None:
            return (STORE_AWAY,)
        return () if self.engine_ready else (NO_ENGINE,)

    def fields(self) -> Json:
        """Give the state as `GET /status` shows it."""
        return {
            "status": self.status,
            "active_clients": self.active_clients,
            "engine_ready": self.engine_ready,
            "transcribers": self.transcribers or 0,
            "ready": dict(self.ready),
        }
