"""Resampling of a stream to 16 kHz whose output does not depend on how the input is cut."""

import struct
from typing import Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from steno_audio.pcm import SAMPLE_RATE, Samples, bytes_from_samples, samples_from_bytes
from steno_audio.polyphase import TAP_BITS, Polyphase, polyphase

_STATE: Final = struct.Struct("<BIQ")  # version, rate in Hz, input samples so far; then the tail
_STATE_VERSION: Final = 1
_OUTPUTS_AT_ONCE: Final = 256  # keeps the gathered windows within the processor's cache


class StreamResampler:
    """Mono 16-bit samples at `rate` Hz in, at 16,000 Hz out.

    The output is a function of all input so far, in exact integer arithmetic with saturation:
    however the input is cut, wherever the state is exported to a new resampler, the concatenated
    output is the same bit for bit. After n input samples and `flush`, it is ceil(n * 16000 / rate)
    samples long; output k lies at the input's time k / 16000 s (no delay). Input at 16,000 Hz comes
    out untouched.
    """

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self._filter: Polyphase | None = None if rate == SAMPLE_RATE else polyphase(rate)
        self._received = 0
        self._tail = self._silence()

    def feed(self, samples: Samples) -> Samples:
        """Take the next input samples; return the output samples they complete."""
        if self._filter is None:
            self._received += len(samples)
            return samples
        filter_ = self._filter
        before, first = self._received, self._completed(self._received, filter_)
        self._received += len(samples)
        history = np.concatenate((self._tail, samples))
        self._tail = history[len(samples) :].copy()
        # history[0] is input sample `before - 2 * reach + 1`; below number zero all is silence.
        wanted = self._completed(self._received, filter_) - first
        whole, part = divmod(first * filter_.step, filter_.phases)
        times = part + np.arange(wanted) * filter_.step
        starts = whole - before + filter_.reach + times // filter_.phases
        return _convolve(history, starts, times % filter_.phases, filter_)

    def flush(self) -> Samples:
        """End of input: return the rest of the output, then start again with a new stream."""
        rest = np.zeros(0, np.int16)
        if self._filter is not None:
            rest = self.feed(np.zeros(self._filter.reach, np.int16))
        self._received, self._tail = 0, self._silence()
        return rest

    @property
    def produced(self) -> int:
        """Samples of output so far."""
        filter_ = self._filter
        return self._received if filter_ is None else self._completed(self._received, filter_)

    def export(self) -> bytes:
        """The whole state: 13 bytes, for other rates than 16 kHz followed by a tail of input.

        The tail is 138 bytes up to 16 kHz, then grows in proportion to the rate (418 at 48 kHz).
        """
        return _STATE.pack(_STATE_VERSION, self.rate, self._received) + bytes_from_samples(
            self._tail
        )

    @classmethod
    def restore(cls, rate: int, state: bytes) -> Self:
        """A resampler that goes on where the one that exported `state` stood.

        Raises ValueError for a state of another rate or another version.
        """
        resampler = cls(rate)
        expected = _STATE.size + 2 * len(resampler._tail)
        if len(state) != expected:
            raise ValueError(f"resampler state has {len(state)} bytes instead of {expected}")
        version, stored_rate, received = _STATE.unpack_from(state)
        if (version, stored_rate) != (_STATE_VERSION, rate):
            raise ValueError(f"resampler state is of version {version}, {stored_rate} Hz")
        resampler._received = received
        resampler._tail = samples_from_bytes(state[_STATE.size :])
        return resampler

    def _silence(self) -> Samples:
        """What the tail is before the first sample."""
        return np.zeros(0 if self._filter is None else 2 * self._filter.reach - 1, np.int16)

    @staticmethod
    def _completed(received: int, filter_: Polyphase) -> int:
        """How many outputs have all their inputs among the first `received` samples."""
        return max(0, -(-(received - filter_.reach) * filter_.phases // filter_.step))


def _convolve(
    history: Samples, starts: NDArray[np.int64], phases: NDArray[np.int64], filter_: Polyphase
) -> Samples:
    """Weigh the window that begins at each start with the taps of its phase."""
    output = np.empty(len(starts), np.int16)
    if not len(starts):
        return output
    width = 2 * filter_.reach
    if filter_.phases == 1:  # whole steps, as from 48 kHz: the windows need not be gathered
        windows = sliding_window_view(history.astype(np.int64), width)[starts[0] :: filter_.step]
        return _rounded(np.einsum("ij,j->i", windows, filter_.taps[0].astype(np.int64)))
    windows = sliding_window_view(history, width)
    for low in range(0, len(starts), _OUTPUTS_AT_ONCE):
        part = slice(low, low + _OUTPUTS_AT_ONCE)
        gathered, taps = windows[starts[part]], filter_.taps[phases[part]]
        output[part] = _rounded(np.einsum("ij,ij->i", gathered, taps, dtype=np.int64))
    return output


def _rounded(total: NDArray[np.int64]) -> Samples:
    half = 1 << (TAP_BITS - 1)
    return np.asarray(np.clip((total + half) >> TAP_BITS, -32768, 32767), np.int16)
