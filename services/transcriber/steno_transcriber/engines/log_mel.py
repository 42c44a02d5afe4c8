"""Log-mel spectrograms of windows that grow: each frame is computed once.

The frames are those of Whisper (Radford et al. 2022, section 2.2): 25 ms every 10 ms, on a mel
scale, in decades below the loudest. What a cache holds is what it would compute again to the bit:
frames are computed in blocks of one shape, at places that follow from the window's start.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
from numpy.typing import NDArray

from steno_transcriber.domain.fitting import HOP
from steno_transcriber.domain.samples import Samples

BLOCK: Final = 16
"""Frames computed at a time: a matrix product of another shape may round otherwise."""

REMEMBERED: Final = 200_000
"""Frames that are kept until their windows grow: 64 MB, the open segments of a few hundred
sessions."""

Frames = NDArray[np.float32]
"""(frames, mel bands)."""


@dataclass(frozen=True, slots=True)
class LogMel:
    """The transform, with the parameters of one model."""

    fft: int
    window: NDArray[np.float32]
    filters: NDArray[np.float32]
    """(bins of the spectrum, mel bands)."""

    @classmethod
    def of(cls, extractor: FeatureExtractor) -> "LogMel":
        """Take the parameters from faster-whisper; raises ValueError if the hop is another."""
        if extractor.hop_length != HOP:
            raise ValueError(f"a model with frames of {extractor.hop_length} samples")
        hann = np.hanning(extractor.n_fft + 1)[:-1].astype(np.float32)
        filters = np.ascontiguousarray(extractor.mel_filters.T, dtype=np.float32)
        return cls(extractor.n_fft, hann, filters)

    def decades(self, samples: NDArray[np.float32], blocks: int) -> Frames:
        """Give the logarithms (base 10) of so many blocks of frames."""
        frames = np.lib.stride_tricks.sliding_window_view(samples, self.fft)[::HOP]
        spectrum = np.fft.rfft(frames[: blocks * BLOCK] * self.window, axis=-1)
        power = np.square(np.abs(spectrum), dtype=np.float32).reshape(blocks, BLOCK, -1)
        mel: Frames = np.log10(np.maximum(power @ self.filters, 1e-10)).reshape(blocks * BLOCK, -1)
        return mel


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Frames of a window so far, in whole blocks."""

    pieces: tuple[Frames, ...] = ()
    blocks: int = 0

    @property
    def size(self) -> int:
        """Frames of memory that it counts for; even none take some."""
        return (self.blocks + 1) * BLOCK


class MelCache:
    """Spectrograms of windows; safe to use from several threads."""

    def __init__(self, transform: LogMel, remembered: int = REMEMBERED) -> None:
        self._transform = transform
        self._remembered = remembered
        self._kept: OrderedDict[Hashable, _Known] = OrderedDict()
        self._frames = 0
        self._lock = threading.Lock()

    def features(self, audio: Samples, origin: Hashable, frames: int) -> NDArray[Any]:
        """Give the window as the model takes it: (mel bands, frames), zeros behind the audio.

        What was computed for a shorter window of the same origin is used again; None has none.
        """
        # Only blocks whose last frame lies within the audio stay what they are when it grows.
        reach = self._transform.fft // 2 - HOP
        wanted = max(0, len(audio) - reach) // (HOP * BLOCK)
        known = self._taken(origin)
        if known.blocks > wanted:
            # A cut can leave a window shorter than it was.
            known = _Known()
        if known.blocks < wanted:
            piece = self._blocks(audio, known.blocks, wanted)
            known = _Known((*known.pieces, piece), wanted)
        self._keep(origin, known)
        tail = self._blocks(audio, wanted, wanted + 1)[: len(audio) // HOP - wanted * BLOCK]
        decades = np.concatenate([*known.pieces, tail])[:frames]
        padded = np.zeros((self._transform.filters.shape[1], frames), np.float32)
        if len(decades):
            padded[:, : len(decades)] = (np.maximum(decades, decades.max() - 8).T + 4) / 4
        return padded

    def _taken(self, origin: Hashable) -> _Known:
        with self._lock:
            known = self._kept.pop(origin, None)
            if known is None:
                return _Known()
            self._frames -= known.size
            return known

    def _keep(self, origin: Hashable, known: _Known) -> None:
        if origin is None:
            return
        with self._lock:
            # Another thread may have kept the same origin meanwhile.
            if (replaced := self._kept.pop(origin, None)) is not None:
                self._frames -= replaced.size
            self._kept[origin] = known
            self._frames += known.size
            while self._frames > self._remembered:
                _, oldest = self._kept.popitem(last=False)
                self._frames -= oldest.size

    def _blocks(self, audio: Samples, first: int, last: int) -> Frames:
        """Compute the blocks from `first` to before `last`, with silence around the audio."""
        half = self._transform.fft // 2
        start, end = first * BLOCK * HOP - half, last * BLOCK * HOP + half
        samples = np.zeros(end - start, np.float32)
        inside = audio[max(0, start) : end]
        place = max(0, -start)
        samples[place : place + len(inside)] = inside
        return self._transform.decades(samples / np.float32(32_768), last - first)
