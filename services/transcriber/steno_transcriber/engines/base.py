"""What every engine offers: one that decodes windows of audio, or one that is sent a stream of it.

EngineError              engine_failed       it may succeed in a second try
├── EngineUnavailable    engine_unavailable  it cannot be opened at all
├── EngineAway           engine_unavailable  it does not answer, for now
├── EngineLimited        engine_limited      it has no room for one more stream, for now
└── EngineRefused        engine_refused      it will never take this: parameters
    └── EngineDenied     engine_refused      it lets nobody in who comes as this process does
"""

from collections.abc import AsyncIterator, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from steno_common.errors import StenoError
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Options, Window
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.tiling import Patience


class EngineError(StenoError):
    """A decode failed; the same window may succeed in a second try."""

    code = "engine_failed"
    retryable = True
    about_engine = True
    """Whether it says that the engine is not there, rather than that it will not do this."""


class EngineUnavailable(EngineError):  # noqa: N818 - it names a state, as StoreUnavailable does
    """The engine cannot be opened: its model is missing or does not load."""

    code = "engine_unavailable"
    retryable = False


class EngineAway(EngineError):  # noqa: N818 - it names a state
    """The engine does not answer, or its stream was lost."""

    code = "engine_unavailable"


class EngineLimited(EngineError):  # noqa: N818 - it names a state
    """The engine has no room for one more stream now; another engine may."""

    code = "engine_limited"


class EngineRefused(EngineError):  # noqa: N818 - it names a state
    """The engine will not take it however often it is asked: parameters, above all."""

    code = "engine_refused"
    retryable = False
    about_engine = False


class EngineDenied(EngineRefused):
    """The engine takes nothing from this process: its credentials are wrong, or are none."""

    about_engine = True


class DeviceLost(Exception):  # noqa: N818 - it names a state
    """The device failed; nothing it says can be trusted until a new process opens it."""


class WindowEngine(Protocol):
    """Decodes batches of windows of many sessions; each answer depends on its window alone.

    What it says of pauses, lengths and intervals are defaults for its kind of model.
    """

    @property
    def name(self) -> str:
        """Name in the settings."""

    @property
    def pause_seconds(self) -> float:
        """Silence that should end a segment."""

    @property
    def max_segment_seconds(self) -> float:
        """Length at which speech without a pause is cut."""

    @property
    def window_limit_seconds(self) -> float:
        """Longest window that can be decoded at all."""

    @property
    def partial_interval_seconds(self) -> float:
        """New audio that makes another partial worth its cost."""

    @property
    def max_batch(self) -> int:
        """Windows in one call of decode."""

    @property
    def max_partials(self) -> int:
        """Windows in one call of decode that holds no final; a final may have to wait for it."""

    @property
    def concurrency(self) -> int:
        """Calls of decode that may run at once."""

    @property
    def reserve(self) -> int:
        """Calls of those that partials leave to finals."""

    @property
    def window_seconds(self) -> float:
        """Time of one call of decode for each window in it, 0 if it was not measured."""

    def padded_seconds(self, window: Window) -> float:
        """Give the length at which a window is decoded."""

    def group(self, window: Window) -> Hashable:
        """Give equal values for windows that can be decoded in one call."""

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        """Give one answer a window, in order. Raises EngineError for all of them, or DeviceLost.

        Windows of several groups are answered too, at the cost of several calls.
        """

    async def aclose(self) -> None:
        """End what the engine has started."""


class Stream(Protocol):
    """One stream of audio to an engine. Its calls raise EngineError."""

    async def send(self, audio: Samples) -> None:
        """Send the next samples."""

    async def finish(self) -> None:
        """Say that no more comes; the results of what was sent still do."""

    def results(self) -> AsyncIterator[Result]:
        """Give results as they come; ends when the engine has said all, whoever ended it."""

    async def aclose(self) -> None:
        """Let go of the stream at once, whatever is still to come; it may be cancelled."""


@dataclass(frozen=True, slots=True)
class StreamRules:
    """What an engine bears and what it is borne with."""

    max_streams: int = 25
    """Streams at once."""
    wait_seconds: float = 5.0
    """Longest wait for one of them."""
    connect_seconds: float = 5.0
    """Longest time until a stream is open."""
    finish_seconds: float = 15.0
    """Longest time from the end of its audio to the end of its results, or to take a piece."""
    close_seconds: float = 5.0
    """Longest time until a stream is let go of; then it is abandoned."""
    keep_alive_seconds: float = 10.0
    """Without audio for so long, silence is sent."""
    pace: float = 2.0
    """Seconds of audio that may be sent in a second."""
    burst_seconds: float = 1.0
    """Audio that may be sent at once."""
    tries: int = 5
    """Streams that may be lost in a row without any progress."""
    patience: Patience = field(default_factory=Patience)


@runtime_checkable
class StreamEngine(Protocol):
    """Takes audio of one session as a stream, gives partial and final results itself."""

    @property
    def name(self) -> str:
        """Name in the settings."""

    @property
    def rules(self) -> StreamRules:
        """Its limits."""

    async def open(self, options: Options) -> Stream:
        """Open a stream, ready for audio. Raises EngineError; it may be cancelled."""

    async def aclose(self) -> None:
        """End what the engine has started."""
