"""Files at the pace of speech."""

import threading
import wave
from pathlib import Path

import pytest

from steno_audio import AudioError
from steno_client.cli.audio_file import Timing, decoded, duration, paced


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(range(250)) * 64)  # 8,000 samples
    return path


class Clock:
    """A clock that only sleeping moves, but for what each look at it takes."""

    def __init__(self, look: float = 0.0) -> None:
        self.now = 100.0
        self.look = look
        self.slept: list[float] = []

    def time(self) -> float:
        self.now += self.look
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 3))
        self.now += seconds


async def test_real_time_gives_a_tenth_of_a_second_at_its_end(file: Path) -> None:
    clock = Clock()
    blocks = [block async for block in paced(file, "realtime", Timing(clock.time, clock.sleep))]
    assert [len(block) for block in blocks] == [3200] * 5
    assert clock.slept == [0.1] * 5


async def test_work_between_blocks_makes_no_drift(file: Path) -> None:
    clock = Clock(look=0.02)
    [block async for block in paced(file, "realtime", Timing(clock.time, clock.sleep))]
    assert clock.slept == [0.08] * 5
    assert round(clock.now - 100.0, 2) == 0.52


async def test_fast_gives_half_seconds_without_waiting(file: Path) -> None:
    clock = Clock()
    blocks = [block async for block in paced(file, "fast", Timing(clock.time, clock.sleep))]
    assert blocks == [bytes(range(250)) * 64]
    assert clock.slept == []


async def test_a_file_left_early_leaves_no_thread(file: Path) -> None:
    blocks = decoded(file, 100)
    assert len(await anext(blocks)) == 200
    await blocks.aclose()
    assert not [t for t in threading.enumerate() if t.name.startswith("steno-decoder")]


async def test_duration_of_a_file(file: Path, tmp_path: Path) -> None:
    assert await duration(file) == 0.5
    with pytest.raises(AudioError):
        await duration(tmp_path / "missing.wav")
