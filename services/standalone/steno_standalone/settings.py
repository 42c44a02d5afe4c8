"""Settings of the one-machine installation."""

from collections.abc import Mapping
from dataclasses import dataclass

from steno_standalone.domain.services import MOST_TRANSCRIBERS, services
from steno_standalone.errors import StandaloneError

DEFAULT_PORT = 8080
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
"""What the `steno` command assumes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the supervisor itself needs; the services read the same environment for the rest."""

    port: int = DEFAULT_PORT
    redis_url: str | None = None
    engine: str = "auto"
    engines: tuple[str, ...] = ()
    """Each of them has transcribers of its own; none: `engine` alone."""
    transcribers: int = 1
    """Of each engine."""
    tls: bool = False
    """Whether the gateway speaks TLS."""

    @property
    def url(self) -> str:
        """Where this machine reaches the gateway."""
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Read the `STENO_` variables; an empty one counts as absent."""
        engines = [
            name.strip()
            for variable in ("STENO_ENGINES", "STENO_ENGINES_ON_REQUEST")
            for name in (environment.get(variable) or "").split(",")
            if name.strip()
        ]
        return cls(
            port=_port(environment.get("STENO_PORT") or str(DEFAULT_PORT)),
            redis_url=environment.get("STENO_REDIS_URL") or None,
            engine=environment.get("STENO_ENGINE") or "auto",
            engines=tuple(dict.fromkeys(engines)),
            transcribers=_count(environment.get("STENO_TRANSCRIBERS") or "1", len(engines) or 1),
            tls=bool(environment.get("STENO_TLS_CERT")),
        )


def _port(text: str) -> int:
    last = 65535 - max(service.port_offset for service in services(MOST_TRANSCRIBERS))
    if not text.isdecimal() or not 1 <= int(text) <= last:
        raise StandaloneError(f"STENO_PORT must be a number from 1 to {last}, not {text!r}")
    return int(text)


def _count(text: str, engines: int) -> int:
    most = MOST_TRANSCRIBERS // engines
    if not text.isdecimal() or not 1 <= int(text) <= most:
        raise StandaloneError(f"STENO_TRANSCRIBERS must be a number from 1 to {most}, not {text!r}")
    return int(text)
