"""Dead letters: what could not be delivered, with all that it takes to send it again."""

from typing import Final

import msgspec

from steno_common.errors import MessageError
from steno_common.messages import Destination, Event, Session

ROOM_BYTES: Final = 1024
"""Of each letter that a shard may keep, on average."""


class Letter(msgspec.Struct, frozen=True, tag="letter.v1"):
    """An event that a destination did not take; fields may be added with a default."""

    id: str
    """Of what was to be delivered: a receiver that got it after all knows it by that."""
    session: Session
    epoch: str
    destination: Destination
    """As in the session: of one of the installation, only the settings say where it is."""
    number: int
    event: Event
    finals: tuple[tuple[int, Event], ...] = ()
    """Of an utterance, with their numbers."""
    tries: int = 0
    reason: str = ""
    """Of the last failure."""
    created_ms: int = 0
    """When the event was made."""


_decoder: msgspec.msgpack.Decoder[Letter] = msgspec.msgpack.Decoder(Letter)


def encode_letter(letter: Letter) -> bytes:
    """Give the MessagePack form."""
    return msgspec.msgpack.encode(letter)


def decode_letter(payload: bytes) -> Letter:
    """Read a letter; raises MessageError, which quotes none of it."""
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MessageError(f"not a letter of this contract: {type(error).__name__}") from error
