"""Settings of the notifier."""

from dataclasses import dataclass

from steno_common.store.limits import Limits


@dataclass(frozen=True, slots=True)
class NotifierSettings(Limits):
    """What STENO_… may change of a notifier, beside the limits of the installation."""

    host: str = "127.0.0.1"
    port: int = 8080
    """The gateway's; this service listens beside it."""
