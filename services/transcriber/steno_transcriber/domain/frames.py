"""Frames of a session's samples on one grid, however the samples come."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from steno_transcriber.domain.samples import Samples


class Frames:
    """Frames of `length` samples, one every `hop`, counted from the session's first sample.

    Each is given once, as soon as it is whole. Of those that nobody takes, the newest `most` are
    kept: so whoever asks late pays for no more than these.
    """

    def __init__(self, position: int, *, length: int, hop: int, most: int) -> None:
        self._length, self._hop, self._most = length, hop, most
        self._skipped = -position % hop
        """Samples before the first frame of the grid."""
        self._kept: Samples = np.empty(0, np.int16)

    def feed(self, samples: Samples) -> None:
        """Take the next samples."""
        before = min(self._skipped, len(samples))
        self._skipped -= before
        self._kept = np.concatenate((self._kept, samples[before:]))
        if (surplus := self._whole - self._most) > 0:
            self._kept = self._kept[surplus * self._hop :]

    def take(self) -> Samples:
        """Give the frames that are whole and were not given, one a row."""
        whole = self._whole
        if not whole:
            return np.empty((0, self._length), np.int16)
        frames = sliding_window_view(self._kept, self._length)[:: self._hop]
        self._kept = self._kept[whole * self._hop :]
        return frames

    @property
    def _whole(self) -> int:
        return max(0, (len(self._kept) - self._length) // self._hop + 1)
