"""Whole recordings, for block mode."""

from collections.abc import AsyncIterator, Callable

Recording = Callable[[], AsyncIterator[bytes]]
"""Gives the whole recording from its start, as often as it is called."""


class Tape:
    """Keeps in memory what is sent, to play it from the start."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def keep(self, audio: bytes) -> None:
        """Append audio."""
        self._pieces.append(audio)

    async def play(self) -> AsyncIterator[bytes]:
        """Everything kept."""
        for piece in self._pieces:
            yield piece
