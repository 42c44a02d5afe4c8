"""When to try again."""

from collections.abc import Sequence

from steno_client.domain.policy import DELAYS


class Backoff:
    """Delays between tries in a row; progress starts the row anew."""

    def __init__(self, delays: Sequence[float] = DELAYS) -> None:
        self._delays = tuple(delays)
        self._tries = 0

    def delay(self, *, told: float | None = None, at_least: float | None = None) -> float | None:
        """Seconds until the next try, None if there is none left.

        The server may have told when to come back, or asked to be spared for a while.
        """
        if self._tries == len(self._delays):
            return None
        delay = self._delays[self._tries]
        self._tries += 1
        return max(delay, at_least or 0.0) if told is None else told

    def progress(self) -> None:
        """Something went forward: all tries are there again."""
        self._tries = 0
