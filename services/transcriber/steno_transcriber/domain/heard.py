"""What an engine has heard of speech that it says no word of: positions are samples of a session.

Sound like speech may be none: noise, music, somebody who hums. Text that never comes is not late,
so whoever waits for it is told how far the engine has heard.
"""

from dataclasses import dataclass
from typing import Final

from steno_common.units import SAMPLE_RATE

HINDSIGHT: Final = SAMPLE_RATE
"""The newest of what was heard may hold the beginning of a word that cannot be told yet."""

UNANSWERED: Final = 3 * SAMPLE_RATE
"""Audio of which a stream should have said something, were there words in it."""


@dataclass(slots=True)
class Wordless:
    """The beginning of one open segment, in which an engine that decoded it found no word."""

    _until: int | None = None

    def note(self, end: int) -> None:
        """Take that there is no word before a position."""
        self._until = end

    def first_word(self, speech_start: int) -> int:
        """Give where words can begin that were found later: engines only guess that in partials."""
        return speech_start if self._until is None else max(speech_start, self._until - HINDSIGHT)


@dataclass(slots=True)
class Listening:
    """How far a stream is known to have heard one session: what it takes in time, it hears.

    How late it is shows in its next words; that it never answers, in the end of its patience.
    """

    _through: int

    def said(self, end: int) -> None:
        """Take that there is a result, or a border, up to a position."""
        self._through = max(self._through, end)

    def sent(self, end: int) -> bool:
        """Take how far audio was sent; say whether that is to be told as heard. It counts as told.

        It is not told of what is being answered: there text says as much.
        """
        if end - self._through < UNANSWERED:
            return False
        self._through = end
        return True
