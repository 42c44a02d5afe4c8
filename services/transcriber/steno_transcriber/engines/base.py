"""What every engine that decodes windows of audio offers."""

from collections.abc import Sequence
from typing import Protocol

from steno_common.errors import StenoError
from steno_transcriber.domain.hypothesis import Hypothesis, Window


class EngineError(StenoError):
    """A decode failed; the same window may succeed in a second try."""

    code = "engine_failed"
    retryable = True


class EngineUnavailable(EngineError):  # noqa: N818 - it names a state, as StoreUnavailable does
    """The engine cannot be opened: its model is missing or does not load."""

    code = "engine_unavailable"
    retryable = False


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
    def concurrency(self) -> int:
        """Calls of decode that may run at once."""

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """Give one hypothesis a window, in order. Raises EngineError for all of them."""

    async def aclose(self) -> None:
        """End what the engine has started."""
