"""Speech probability by the Silero model that faster-whisper ships."""

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from faster_whisper.utils import get_assets_path
from numpy.lib.stride_tricks import sliding_window_view

from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import BLOCK, FRAME, SpeechProbability

_CONTEXT: Final = 64
"""Samples of the frame before that the model sees too."""
_FULL_SCALE: Final = 32_768.0


class SileroModel:
    """The model, shared by all sessions; what a session remembers is in its detectors.

    It runs on one thread of the caller and takes about 0.15 ms a block.
    """

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.log_severity_level = 4
        self._session = onnxruntime.InferenceSession(
            Path(get_assets_path()) / "silero_vad_v6.onnx",
            sess_options=options,
            providers=["CPUExecutionProvider"],
        )

    def start(self) -> SpeechProbability:
        """Give a detector that has heard nothing yet."""
        return _SileroDetector(self._session)


class _SileroDetector:
    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._hidden = np.zeros((1, 1, 128), np.float32)
        self._cell = np.zeros((1, 1, 128), np.float32)
        self._heard = np.zeros(_CONTEXT + BLOCK, np.float32)

    def __call__(self, block: Samples) -> list[float]:
        # Always one length: the model's result could depend, in the last bits, on another one.
        self._heard[:_CONTEXT] = self._heard[-_CONTEXT:]
        self._heard[_CONTEXT:] = block
        self._heard[_CONTEXT:] /= _FULL_SCALE
        frames = sliding_window_view(self._heard, _CONTEXT + FRAME)[::FRAME]
        probabilities, self._hidden, self._cell = self._session.run(
            None, {"input": np.ascontiguousarray(frames), "h": self._hidden, "c": self._cell}
        )
        return [float(each) for each in probabilities]


def loudness(block: Samples) -> list[float]:
    """Take every frame above -40 dBFS for speech: a detector without a memory or a model."""
    power = np.mean(np.square(block.astype(np.float64).reshape(-1, FRAME)), axis=1)
    return [float(each) for each in power > (_FULL_SCALE / 100) ** 2]


def start_loudness() -> SpeechProbability:
    """Give the loudness detector; it remembers nothing, so it is always fresh."""
    return loudness
