"""The four services with their addresses."""

from collections.abc import Sequence
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
    """Tells apart several of one role, or of one engine."""
    engine: str = ""
    """What this transcriber runs; empty: as the settings of all of them say."""

    @property
    def name(self) -> str:
        """What it is called in messages."""
        name = f"{self.role}-{self.engine}" if self.engine else self.role
        return f"{name}-{self.number + 1}" if self.number else name

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"steno_{self.role}"

    def environment(self, base: int) -> dict[str, str]:
        """What tells it apart from others of its role: its port, its engine, its GPU."""
        own_base = self.port(base) - _OFFSETS[self.role]
        several = {"STENO_DEVICE_INDEX": str(self.number)} if self.number else {}
        both = ("STENO_ENGINE", "STENO_ENGINE_NAME")
        named = dict.fromkeys(both, self.engine) if self.engine else {}
        return {"STENO_PORT": str(own_base), **several, **named}

    def port(self, base: int) -> int:
        """Port of its health, readiness and metrics pages."""
        return base + self.port_offset

    def ready_url(self, base: int, *, tls: bool) -> str:
        """Page that answers 200 once the service takes work; only the gateway may speak TLS."""
        scheme = "https" if tls and self.role == "gateway" else "http"
        return f"{scheme}://127.0.0.1:{self.port(base)}/readyz"


def services(transcribers: int = 1, engines: Sequence[str] = ("",)) -> tuple[Service, ...]:
    """Give all that runs: one of each role, but so many transcribers of each engine."""
    wanted = [(number, engine) for engine in engines for number in range(transcribers)]
    first, *more = (
        Service("transcriber", _OFFSETS["transcriber"] + _NEXT_OF_ROLE * place, number, engine)
        for place, (number, engine) in enumerate(wanted)
    )
    others = {role: Service(role, offset) for role, offset in _OFFSETS.items()}
    return (*(others | {"transcriber": first}).values(), *more)


STOP_ORDER: Final = (("gateway",), ("transcriber", "aggregator", "notifier"))
"""Roles. The gateway stops taking audio before those who work on what it took go away."""
