"""How much silence and how much prompt a Whisper window gets: a function of the window alone.

Windows that are padded to the same length, with prompts of the same length, can be decoded as one
batch. So both are rounded, and what a window becomes never depends on its neighbours.
"""

from dataclasses import dataclass
from typing import Final, Literal

Fitting = Literal["fit", "full"]

HOP: Final = 160
"""Samples of one frame (10 ms)."""

FULL_FRAMES: Final = 3_000
"""The 30 s that Whisper is trained on."""

PROMPT_LENGTHS: Final = (128, 64, 32, 16, 8, 4, 2, 1, 0)


@dataclass(frozen=True, slots=True)
class Fit:
    """Rule for the padded length of a window, in frames."""

    fitting: Fitting = "fit"
    """`full` pads everything to 30 s, as the model was trained; `fit` pads no more than needed."""
    padding: int = 260
    """Silence that follows the audio at least; without any, a model may repeat itself."""
    step: int = 100
    """Padded lengths are multiples of this: coarse ones make larger batches."""

    def frames(self, samples: int, *, full: bool = False) -> int:
        """Give the padded length of so many samples; `full` asks for the longest."""
        if full or self.fitting == "full":
            return FULL_FRAMES
        wanted = -(-samples // HOP) + self.padding
        return min(FULL_FRAMES, -(-wanted // self.step) * self.step)


def prompt_length(tokens: int) -> int:
    """Say how many of the last tokens of a prompt are kept: at least half, in few lengths."""
    return next(length for length in PROMPT_LENGTHS if length <= tokens)


def token_limit(frames: int, most: int) -> int:
    """Bound the text of a window of so many frames: no language has more tokens a second.

    A model that loops is stopped by it, instead of holding up its batch to the end.
    """
    return min(most, 16 + frames * 30 // 100)
