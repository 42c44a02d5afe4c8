"""Settings of the notifier."""

from dataclasses import dataclass

from steno_common.store.limits import Limits


@dataclass(frozen=True, slots=True)
class NotifierSettings(Limits):
    """What STENO_… may change of a notifier, beside the limits of the installation."""

    host: str = "127.0.0.1"
    port: int = 8080
    """The gateway's; this service listens beside it."""
    letters: int = 10_000
    """Dead letters that each shard keeps; of more the oldest go."""
    letter_days: float = 30.0
    """How long a dead letter is kept."""
