"""What every engine that decodes windows of audio offers."""

from collections.abc import Hashable, Sequence
from typing import Protocol

from steno_common.errors import StenoError
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window


class EngineError(StenoError):
    """A decode failed; the same window may succeed in a second try."""

    code = "engine_failed"
    retryable = True


class EngineUnavailable(EngineError):  # noqa: N818 - it names a state, as StoreUnavailable does
    """The engine cannot be opened: its model is missing or does not load."""

    code = "engine_unavailable"
    retryable = False


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
