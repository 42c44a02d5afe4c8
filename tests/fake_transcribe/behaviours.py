"""How the service is to behave, stream by stream, where that is not well."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta
from tests.fake_transcribe.errors import ServiceError

Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]


class How(StrEnum):
    """What happens to a stream."""

    EXCEPTION = "exception"
    """An exception message, then the end."""
    RESET = "reset"
    """RST_STREAM."""
    GOAWAY = "goaway"
    """GOAWAY that takes no stream along, then the connection closes."""
    DRAIN = "drain"
    """GOAWAY that lets this stream go on, but no other begin."""
    DROP = "drop"
    """The connection is cut off without a word."""
    STALL = "stall"
    """Nothing is read any more, nothing sent."""
    MUTE = "mute"
    """Audio is taken, nothing is sent any more."""
    END = "end"
    """The answer ends as if the audio had."""


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that happens once so many seconds of audio are received."""

    how: How
    at: Seconds = 0.0
    name: str = "InternalFailureException"
    """Of an exception."""
    message: str = "as scripted"

    @property
    def error(self) -> ServiceError:
        """Its exception."""
        return ServiceError(self.name, self.message)


class Behaviour(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one stream is served; the default is well."""

    refuse: str | None = None
    """Name of the exception that the request is answered with."""
    headers_delay: Seconds = 0.0
    no_headers: bool = False
    """The request is never answered."""
    failure: Failure | None = None
    frame_bytes: Count | None = None
    """Bytes in each DATA frame."""
    events_per_frame: Count = 1
    """Events are held back until there are so many, or the stream ends."""
    results_delay: Seconds = 0.0
    """Time from a result to its sending; also the last ones come so late."""
    empty_results: bool = False
    """An event without results goes before each one."""
    results_after_end: bool = False
    """Behind an exception comes one more result."""


WELL = Behaviour()


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A behaviour with the streams it is for; they are counted from 1 over all connections."""

    behaviour: Behaviour
    first: Count = 1
    last: int | None = None
    every: Count = 1

    def covers(self, number: int) -> bool:
        """Whether it is for the stream of that number."""
        within = self.first <= number and (self.last is None or number <= self.last)
        return within and (number - self.first) % self.every == 0


def nth(number: int, behaviour: Behaviour) -> Rule:
    """Give the rule for one stream."""
    return Rule(behaviour, number, number)


def behaviour_of(number: int, rules: Sequence[Rule]) -> Behaviour:
    """Give the behaviour for a stream: that of the first rule for it."""
    return next((rule.behaviour for rule in rules if rule.covers(number)), WELL)
