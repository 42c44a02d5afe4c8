"""Speech with true word and phoneme times from libespeak-ng."""

import ctypes
import ctypes.util
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

SAMPLE_RATE = 16_000
FRAME = 160  # samples of one feature frame, 10 ms

_WORD, _PHONEME = 1, 7
_RATE, _PITCH, _RANGE = 1, 3, 4


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("text", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


@dataclass(frozen=True)
class Voice:
    """One way to speak: `name` as espeak-ng wants it, speed in words per minute, pitch 0-99."""

    name: str
    speed: int
    pitch: int
    formants: float  # above 1 all resonances move up and speech gets faster


@dataclass(frozen=True)
class Spoken:
    """One utterance: float audio at 16 kHz, word (start, end) samples, phoneme (start, name)."""

    audio: npt.NDArray[np.float32]
    words: list[tuple[int, int]]
    phonemes: list[tuple[int, str]]


class Espeak:
    """The library, which keeps one voice at a time and is not thread-safe."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(ctypes.util.find_library("espeak-ng"))
        self._rate = self._library.espeak_Initialize(2, 0, None, 1)  # synchronous, phoneme events
        if self._rate <= 0:
            raise OSError("espeak-ng does not start")
        self._chunks: list[npt.NDArray[np.int16]] = []
        self._starts: list[tuple[int, int]] = []  # text position, sample
        self._phonemes: list[tuple[int, str]] = []
        self._callback = _Callback(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wav: "ctypes._Pointer[ctypes.c_short]", count: int, events: object) -> int:
        if wav and count > 0:
            self._chunks.append(np.ctypeslib.as_array(wav, (count,)).copy())
        index = 0
        while (event := events[index]).type:  # type: ignore[index]
            if event.type == _WORD:
                self._starts.append((event.text_position - 1, event.sample))
            elif event.type == _PHONEME:
                self._phonemes.append((event.sample, event.id.text.decode("utf-8", "replace")))
            index += 1
        return 0

    def say(self, text: str, voice: Voice) -> Spoken:
        """Speak words separated by single spaces; raises ValueError for an unknown voice."""
        self._chunks, self._starts, self._phonemes = [], [], []
        if self._library.espeak_SetVoiceByName(voice.name.encode()):
            raise ValueError(f"espeak-ng has no voice {voice.name}")
        for parameter, value in ((_RATE, voice.speed), (_PITCH, voice.pitch), (_RANGE, 50)):
            self._library.espeak_SetParameter(parameter, value, 0)
        data = text.encode() + b"\0"
        self._library.espeak_Synth(data, len(data), 0, 1, 0, 1, None, None)
        raw = np.asarray(np.concatenate(self._chunks) / 32768, dtype=np.float32)
        scale = SAMPLE_RATE / self._rate / voice.formants
        loud = np.flatnonzero(np.abs(raw) > 0.003)
        last = int(loud[-1]) + 1 if len(loud) else len(raw)
        return Spoken(
            audio=_resample(raw[: min(last + 400, len(raw))], scale),
            words=[(int(a * scale), int(b * scale)) for a, b in self._spans(text, last)],
            phonemes=[(int(sample * scale), name) for sample, name in self._phonemes],
        )

    def _spans(self, text: str, last: int) -> list[tuple[int, int]]:
        """Return each word's first and last sample; joined words share their time by letters."""
        known = dict(self._starts)
        positions = [i for i in range(len(text)) if i == 0 or text[i - 1] == " "]
        anchors = [p for p in positions if p in known]
        if not anchors:
            raise ValueError(f"no word times for {text!r}")
        anchors_x = [*anchors, len(text) + 1]
        anchors_y = [*(known[p] for p in anchors), last]
        edges = np.interp([*positions, len(text) + 1], anchors_x, anchors_y)
        pauses = [sample for sample, name in self._phonemes if name.startswith("_")]
        sounds = [sample for sample, name in self._phonemes if not name.startswith("_")]
        spans = []
        for start, end in pairwise(edges):
            begin = min((s for s in sounds if start - 5 <= s < end), default=start)
            stop = min((p for p in pauses if begin + 600 < p < end), default=end)
            spans.append((int(begin), int(stop)))
        return spans


def _resample(audio: npt.NDArray[np.float32], scale: float) -> npt.NDArray[np.float32]:
    """Change the rate by `scale`: band limit, double the rate, then interpolate."""
    size = 1 << (len(audio) - 1).bit_length()
    spectrum = np.fft.rfft(audio, size)
    spectrum[int(len(spectrum) * min(1.0, scale) * 0.97) :] = 0
    doubled = np.fft.irfft(np.concatenate([spectrum, np.zeros(size // 2)]), 2 * size) * 2
    positions = np.arange(int(len(audio) * scale)) * (2 / scale)
    samples = np.interp(positions, np.arange(2 * len(audio)), doubled[: 2 * len(audio)])
    return np.asarray(samples, dtype=np.float32)
