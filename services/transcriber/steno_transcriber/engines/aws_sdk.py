"""What the engine `aws` asks of an SDK."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from steno_transcriber.engines.base import Stream

CREDENTIALS_SECONDS: Final = 15.0
"""Longest search for credentials: the chain also asks the machine's metadata service."""


@dataclass(frozen=True, slots=True)
class Where:
    """Where the service is."""

    region: str
    endpoint: str = ""
    """Empty: that of the region."""
    ca_file: str = ""
    """Certificates to trust; empty: those of the system."""


class Sdk(Protocol):
    """Opens streams, each on a connection of its own."""

    async def open(self, asked: Mapping[str, Any]) -> Stream:
        """Open a stream with the arguments of `aws_request`. Raises EngineError.

        It may be cancelled; a server that is not trusted makes it wait for ever.
        """
