"""Checks that keep invented text of a generative model out of the results.

The thresholds of compression, log-probability and silence are those of the Whisper paper (Radford
et al. 2022, section 4.5). Retries differ in how they search, not in random draws: a result must be
the same whenever the same audio is decoded.
"""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from steno_common.units import SAMPLE_RATE

MAX_COMPRESSION: Final = 2.4
MIN_LOG_PROBABILITY: Final = -1.0
MAX_NO_SPEECH: Final = 0.6

SHORT_TAIL: Final = SAMPLE_RATE
"""Below this many samples a model likes to invent: no confidence excuses a likely silence."""

MAX_CHARACTERS_A_SECOND: Final = 40
"""Nobody speaks faster; the fastest speech measured is about 25."""


class Verdict(Enum):
    """What to do with an attempt."""

    ACCEPT = "accept"
    RETRY = "retry"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class Search:
    """How one attempt looks for the words."""

    prompted: bool
    """Whether the text before is given; a bad prompt is the usual cause of loops."""
    full: bool
    """Whether the window is padded to the length that the model was trained on."""
    wide: bool
    """Whether more beams are kept than by default."""
    forbid_repeats: int
    """Longest run of tokens that may occur twice plus one; 0 for no such limit."""


LADDER: Final = (
    Search(prompted=True, full=False, wide=False, forbid_repeats=0),
    Search(prompted=False, full=True, wide=True, forbid_repeats=0),
    Search(prompted=False, full=True, wide=True, forbid_repeats=3),
)
"""The attempts in order; the first accepted one counts."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one search, as far as the checks need it."""

    text: str
    log_probability: float
    """Mean over the tokens."""
    no_speech: float
    """Probability that the window holds no speech, 0 to 1."""
    samples: int
    """Length of the window."""

    @property
    def repetitive(self) -> bool:
        """Whether the text compresses like a loop."""
        text = self.text.encode()
        return bool(text) and len(text) / len(zlib.compress(text)) > MAX_COMPRESSION

    @property
    def hasty(self) -> bool:
        """Whether nobody could have said so much in that time."""
        return len(self.text) * SAMPLE_RATE > MAX_CHARACTERS_A_SECOND * (self.samples + SAMPLE_RATE)


def judge(attempt: Attempt) -> Verdict:
    """Say whether an attempt holds, is worth another search, or heard nothing."""
    # What is no number, as a model in half precision may give, is no proof of anything.
    unlikely = not attempt.log_probability >= MIN_LOG_PROBABILITY
    if not attempt.text.strip():
        return Verdict.SILENCE
    if attempt.no_speech > MAX_NO_SPEECH and (unlikely or attempt.samples < SHORT_TAIL):
        return Verdict.SILENCE
    if attempt.repetitive or attempt.hasty or unlikely:
        return Verdict.RETRY
    return Verdict.ACCEPT


def best(attempts: Sequence[Attempt]) -> int | None:
    """Give the index of the attempt to keep when none was accepted, None if all are nonsense."""
    sane = [
        index
        for index, attempt in enumerate(attempts)
        if not (attempt.repetitive or attempt.hasty) and attempt.text.strip()
    ]
    return max(sane, key=lambda index: attempts[index].log_probability, default=None)


@dataclass(frozen=True, slots=True)
class Choice:
    """How the attempts on a window ended."""

    index: int | None
    """The attempt that counts; None: there are no words."""
    trusted: bool
    """Whether it passed the checks; words that did not are no prompt for what follows."""


def settle(attempts: Sequence[Attempt], *, last: bool) -> Choice | None:
    """Choose among the attempts so far; None asks for another search, unless this is the last."""
    verdict = judge(attempts[-1])
    if verdict is Verdict.ACCEPT:
        return Choice(len(attempts) - 1, trusted=True)
    if verdict is Verdict.SILENCE:
        return Choice(None, trusted=True)
    return Choice(best(attempts), trusted=False) if last else None
