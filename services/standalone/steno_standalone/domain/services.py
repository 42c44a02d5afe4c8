"""The four services with their addresses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Service:
    """One of the services, which listens on the base port plus its own offset."""

    name: str
    port_offset: int

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"steno_{self.name}"

    def port(self, base: int) -> int:
        """Port of its health, readiness and metrics pages."""
        return base + self.port_offset

    def ready_url(self, base: int) -> str:
        """Page that answers 200 once the service takes work."""
        return f"http://127.0.0.1:{self.port(base)}/readyz"


SERVICES = (
    Service("gateway", 0),
    Service("transcriber", 1),
    Service("aggregator", 2),
    Service("notifier", 3),
)

# The gateway stops taking audio before those who work on what it took go away.
STOP_ORDER = (("gateway",), ("transcriber", "aggregator", "notifier"))
