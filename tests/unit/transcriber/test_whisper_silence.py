"""Where nothing is said, Whisper says nothing."""

from collections.abc import Sequence

import numpy as np
import pytest
from tests.unit.transcriber.reading import read
from tests.unit.transcriber.sound import clip, loud, quiet, sound, transcripts

from steno_transcriber.domain.hypothesis import Window
from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.whisper import WhisperEngine


def tones(hertz: Sequence[float], seconds: float, level: float) -> Samples:
    time = np.arange(int(seconds * 16_000)) / 16_000
    return sum(level * np.sin(2 * np.pi * each * time) for each in hertz).astype(np.int16)  # type: ignore[union-attr]


def chords() -> Samples:
    """A cadence in four chords, half a second each, that fade as those of a piano do."""
    fade = np.exp(-np.arange(8_000) / 6_000)
    steps = ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 7, 12, 16))
    return sound(
        *(
            (tones([220 * 2 ** (step / 12) for step in chord], 0.5, 3_000) * fade).astype(np.int16)
            for chord in steps
        )
    )


def clicks() -> Samples:
    samples = np.zeros(48_000, np.int16)
    samples[::4_000] = 20_000
    samples[1::4_000] = -15_000
    return samples


SOUNDS = {
    "digital silence": np.zeros(16_000, np.int16),
    "a room": quiet(48_000),
    "noise": loud(48_000),
    "half a minute of noise": loud(480_000) // 4,
    "a tone": tones([440], 3, 6_000),
    "mains hum": tones([50, 100, 150], 3, 3_000),
    "music": chords(),
    "clicks": clicks(),
}


@pytest.mark.parametrize("name", SOUNDS)
async def test_no_words_are_invented_for(whisper: WhisperEngine, name: str) -> None:
    windows = [Window(SOUNDS[name], final=final) for final in (True, False)]
    assert [(each.text, each.words) for each in await read(whisper, windows)] == [("", ())] * 2


@pytest.mark.parametrize("level", [1, 8, 300], ids=["loud", "soft", "hardly any"])
async def test_no_words_are_invented_for_a_tail_of_noise(
    whisper: WhisperEngine, level: int
) -> None:
    tails = [loud(tenths * 1_600, tenths) // level for tenths in range(1, 10)]
    windows = [Window(tail, final=final) for tail in tails for final in (True, False)]
    assert [each.text for each in await read(whisper, windows)] == [""] * 18


async def test_no_words_are_invented_after_words(whisper: WhisperEngine) -> None:
    heard = await read(
        whisper, [Window(loud(8_000) // 8, prompt="Set the alarm for eight minutes.")]
    )
    assert heard[0].words == ()


@pytest.mark.parametrize("samples", [0, 1, 100, 159, 160, 400])
async def test_next_to_no_audio_has_no_words(fit_whisper: WhisperEngine, samples: int) -> None:
    audio = clip(next(iter(transcripts())))[:samples]
    assert [each.words for each in await read(fit_whisper, [Window(audio)])] == [()]
