"""The engine for tests takes as long as it is told to."""

import asyncio

import numpy as np
import pytest

from steno_transcriber.domain.hypothesis import Window
from steno_transcriber.engines.scripted import open_engine
from steno_transcriber.settings import RecognitionSettings


@pytest.mark.parametrize(
    ("settings", "slept"),
    [({}, []), ({"scripted_window_seconds": 0.1}, [0.2]),
     ({"scripted_window_seconds": 0.1, "scripted_realtime_factor": 0.5}, [2.2])],
)  # fmt: skip
async def test_a_batch_takes_what_its_windows_and_their_audio_take(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, float], slept: list[float]
) -> None:
    told: list[float] = []

    async def sleep(seconds: float) -> None:
        told.append(round(seconds, 3))

    engine = await open_engine(RecognitionSettings(engine="scripted", **settings))  # type: ignore[arg-type]
    audio = np.zeros(32_000, dtype=np.int16)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    await engine.decode([Window(audio), Window(audio, final=False)])
    monkeypatch.undo()
    assert told == slept
