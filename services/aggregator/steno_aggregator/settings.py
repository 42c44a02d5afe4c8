"""Settings of the aggregator."""

from dataclasses import dataclass

from steno_common.store.limits import Limits


@dataclass(frozen=True, slots=True)
class AggregatorSettings(Limits):
    """What STENO_… may change of an aggregator, beside the limits of the installation."""

    host: str = "127.0.0.1"
    port: int = 8080
    """The gateway's; this service listens beside it."""
    output: str = "output"
    """Folder or fsspec URL of saved transcripts."""
