"""Speech probability by the Silero model that faster-whisper ships."""

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from faster_whisper.utils import get_assets_path

from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.segmenter import FRAME, SpeechProbability

_CONTEXT: Final = 64
"""Samples of the frame before that the model sees too."""
_FULL_SCALE: Final = 32_768.0


class SileroModel:
    """The model, shared by all sessions; what a session remembers is in its detectors.

    It runs on one thread of the caller and takes about 0.1 ms a frame.
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
        self._input = np.zeros((1, _CONTEXT + FRAME), np.float32)

    def __call__(self, frame: Samples) -> float:
        # One frame a call: the result of a longer block could depend on its length.
        self._input[0, :_CONTEXT] = self._input[0, -_CONTEXT:]
        self._input[0, _CONTEXT:] = frame
        self._input[0, _CONTEXT:] /= _FULL_SCALE
        probability, self._hidden, self._cell = self._session.run(
            None, {"input": self._input, "h": self._hidden, "c": self._cell}
        )
        return float(probability[0])


def loudness(frame: Samples) -> float:
    """Take every frame above -40 dBFS for speech: a detector without a memory or a model."""
    return float(np.mean(np.square(frame.astype(np.float64))) > (_FULL_SCALE / 100) ** 2)


def start_loudness() -> SpeechProbability:
    """Give the loudness detector; it remembers nothing, so it is always fresh."""
    return loudness
