"""The four services with their addresses."""

from dataclasses import dataclass
from typing import Final

_OFFSETS: Final = {"gateway": 0, "transcriber": 1, "aggregator": 2, "notifier": 3}
_NEXT_OF_ROLE: Final = 10
"""Ports between one transcriber and the next."""

MOST_TRANSCRIBERS: Final = 16


@dataclass(frozen=True, slots=True)
class Service:
    """One of the services, which listens on the base port plus its own offset."""

    role: str
    port_offset: int
    number: int = 0
    """Tells apart several of one role."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        return f"{self.role}-{self.number + 1}" if self.number else self.role

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"steno_{self.role}"

    def environment(self, base: int) -> dict[str, str]:
        """What tells it apart from others of its role: its port, and the GPU it may use."""
        own_base = self.port(base) - _OFFSETS[self.role]
        several = {"STENO_DEVICE_INDEX": str(self.number)} if self.number else {}
        return {"STENO_PORT": str(own_base), **several}

    def port(self, base: int) -> int:
        """Port of its health, readiness and metrics pages."""
        return base + self.port_offset

    def ready_url(self, base: int, *, tls: bool) -> str:
        """Page that answers 200 once the service takes work; only the gateway may speak TLS."""
        scheme = "https" if tls and self.role == "gateway" else "http"
        return f"{scheme}://127.0.0.1:{self.port(base)}/readyz"


def services(transcribers: int = 1) -> tuple[Service, ...]:
    """Give all that runs: one of each role, but so many transcribers."""
    first = tuple(Service(role, offset) for role, offset in _OFFSETS.items())
    more = tuple(
        Service("transcriber", _OFFSETS["transcriber"] + _NEXT_OF_ROLE * number, number)
        for number in range(1, transcribers)
    )
    return first + more


STOP_ORDER: Final = (("gateway",), ("transcriber", "aggregator", "notifier"))
"""Roles. The gateway stops taking audio before those who work on what it took go away."""
