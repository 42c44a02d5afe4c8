"""What an engine finally makes of windows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tests.unit.transcriber.sound import clip, transcripts

from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.base import WindowEngine
from steno_transcriber.engines.whisper import WhisperEngine
from steno_transcriber.engines.whisper_decoding import WhisperDecoder


async def read(engine: WindowEngine, windows: Sequence[Window]) -> list[Hypothesis]:
    """Decode all windows at once, those that ask for it again and again."""
    answers = await engine.decode(windows)
    again = {n: answer.window for n, answer in enumerate(answers) if isinstance(answer, Again)}
    if again:
        answered = await read(engine, list(again.values()))
        later = dict(zip(again, answered, strict=True))
        answers = [later.get(n, answer) for n, answer in enumerate(answers)]
    return [answer for answer in answers if isinstance(answer, Hypothesis)]


async def read_one(engine: WindowEngine, window: Window) -> Hypothesis:
    (heard,) = await read(engine, [window])
    return heard


def decoder_of(engine: WhisperEngine) -> WhisperDecoder:
    return engine._decoder


def speech(longest: int = 480_000) -> Samples:
    """All clips up to so many samples, one after the other."""
    return np.concatenate([each for name in transcripts() if len(each := clip(name)) <= longest])


class Listener:
    """Stands between a decoder and its model, and keeps what the model is asked and says."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.prompts: list[list[int]] = []
        self.answers: list[Any] = []
        self.frames: list[int] = []
        self.detected = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def encode(self, features: Any, **options: Any) -> Any:
        self.frames.append(features.shape[2])
        return self._model.encode(features, **options)

    def generate(self, features: Any, prompts: list[list[int]], **options: Any) -> Any:
        self.prompts += prompts
        answers = self._model.generate(features, prompts, **options)
        self.answers += answers
        return answers

    def detect_language(self, features: Any) -> Any:
        self.detected += 1
        return self._model.detect_language(features)
