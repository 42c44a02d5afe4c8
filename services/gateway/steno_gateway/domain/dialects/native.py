"""The native protocol: its words are ours."""

from collections.abc import Sequence
from typing import Final

from steno_common.public import Json
from steno_gateway.domain.client import ClientMessage, parse_frame, parse_message
from steno_gateway.domain.dialects.base import Manners


class Native:
    """What docs/protocol.md says."""

    manners: Final = Manners()

    def read(self, frame: str | bytes) -> Sequence[ClientMessage]:
        """Read a message, or a binary chunk; raises ClientError."""
        return (parse_message(frame) if isinstance(frame, str) else parse_frame(frame),)

    def word(self, message: Json, _now: float, /) -> Sequence[Json]:
        """Say a message as it is."""
        return (message,)


NATIVE: Final = Native()
