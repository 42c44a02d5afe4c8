"""The embedded engine, with real decoder processes."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from tests.unit.transcriber.reading import read_one
from tests.unit.transcriber.sound import SHARED, loud

from steno_audio import decode_file
from steno_common.messages import Word
from steno_transcriber.domain.hypothesis import Hypothesis, Window
from steno_transcriber.domain.samples import Samples, from_bytes
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.pocketsphinx import PocketsphinxEngine, hypothesis, open_engine
from steno_transcriber.settings import RecognitionSettings

SETTINGS = RecognitionSettings(engine="pocketsphinx", decoder_processes=2)
AUDIO = SHARED / "audio"
YOUNG_MAN = AUDIO / "librivox-0880.wav"

needs_recordings = pytest.mark.skipif(
    not YOUNG_MAN.exists(), reason=f"no recordings of speech under {AUDIO}"
)


def recording(path: Path) -> Samples:
    return from_bytes(b"".join(decode_file(path)))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def engine() -> AsyncIterator[PocketsphinxEngine]:
    engine = await open_engine(SETTINGS)
    yield engine
    await engine.aclose()


def decoders(of: int | None = None) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process(of).children(recursive=True)
        if "steno_transcriber.engines.sphinx_child" in child.cmdline()
    ]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110 - other processes set no event
            await asyncio.sleep(0.02)


def test_only_words_are_read_without_the_number_of_their_pronunciation() -> None:
    heard = [
        ("<s>", 0, 7, 1.0),
        ("and(2)", 8, 19, 0.9),
        ("[NOISE]", 20, 29, 0.9),
        ("++BREATH++", 30, 30, 0.9),
        ("so", 31, 40, 1.2),
        ("</s>", 41, 42, 1.0),
    ]
    assert hypothesis(heard) == Hypothesis(
        text="and so",
        words=(Word("and", 1_280, 3_200, 0.9), Word("so", 4_960, 6_560, 1.0)),
        language="en",
        confidence=0.95,
    )


def test_nothing_heard_is_no_word() -> None:
    assert hypothesis([("<s>", 0, 7, 1.0), ("<sil>", 8, 9, 1.0)]) == Hypothesis(language="en")


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("samples", [0, 1, 1_279, 1_280, 1_281, 3_200])
async def test_short_audio_is_no_error(engine: PocketsphinxEngine, samples: int) -> None:
    heard = await read_one(engine, Window(loud(samples)))
    assert heard.words == ()


@needs_recordings
@pytest.mark.asyncio(loop_scope="module")
async def test_a_decode_depends_on_its_window_alone(engine: PocketsphinxEngine) -> None:
    speech = recording(YOUNG_MAN)
    before = await asyncio.gather(*(read_one(engine, Window(speech)) for _ in range(2)))
    await asyncio.gather(*(engine.decode([Window(loud(8_000, n))]) for n in range(2)))
    after = await asyncio.gather(*(read_one(engine, Window(speech)) for _ in range(2)))
    assert before[0] == before[1] == after[0] == after[1]
    heard = before[0]
    assert heard.text.startswith("he was not")
    assert heard.text.endswith("young man")
    assert heard.words[-1].end <= len(speech)
    assert 0 < heard.confidence < 1


@needs_recordings
@pytest.mark.asyncio(loop_scope="module")
async def test_a_killed_decoder_costs_one_retry(engine: PocketsphinxEngine) -> None:
    speech = recording(YOUNG_MAN)
    expected = await read_one(engine, Window(speech))
    victim = decoders()[0]
    before = victim.cpu_times().user
    running = [asyncio.create_task(engine.decode([Window(speech)])) for _ in range(2)]
    await until(lambda: victim.cpu_times().user > before)
    victim.kill()
    results = await asyncio.gather(*running, return_exceptions=True)
    errors = [result for result in results if isinstance(result, EngineError)]
    assert [(error.code, error.retryable) for error in errors] == [("engine_failed", True)]
    again = await asyncio.gather(*(read_one(engine, Window(speech)) for _ in range(2)))
    assert again == [expected] * 2


@needs_recordings
async def test_closing_ends_the_decoders_even_after_a_cancelled_decode() -> None:
    engine = await open_engine(SETTINGS)
    mine = [child.pid for child in decoders()]
    task = asyncio.create_task(engine.decode([Window(recording(YOUNG_MAN))]))
    await asyncio.sleep(0.05)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await engine.aclose()
    assert len(mine) >= 2
    assert await engine.decode([Window(loud(0))]) == [Hypothesis(language="en")]
    await until(lambda: len([c for c in decoders() if c.pid in mine]) == len(mine) - 2)


async def test_an_engine_that_does_not_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(EngineUnavailable, match="does not start"):
        await open_engine(SETTINGS)


PARENT = """
import asyncio
from steno_transcriber.domain.hypothesis import Window
from steno_transcriber.engines.pocketsphinx import open_engine
from steno_transcriber.settings import RecognitionSettings
import numpy as np

async def main():
    engine = await open_engine(RecognitionSettings(decoder_processes=2))
    print("ready", flush=True)
    noise = np.random.default_rng(1).integers(-3000, 3000, 480_000).astype(np.int16)
    await asyncio.gather(*(engine.decode([Window(noise)]) for _ in range(2)))

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills children with their parent")
async def test_a_killed_parent_leaves_no_decoder_even_in_the_middle_of_a_decode() -> None:
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PARENT), stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    assert await parent.stdout.readline() == b"ready\n"
    children = decoders(parent.pid)
    assert len(children) == 2
    loaded = max(child.cpu_times().user for child in children)
    await until(lambda: all(child.cpu_times().user > loaded for child in children))
    os.kill(parent.pid, signal.SIGKILL)
    await parent.wait()
    await until(lambda: not any(map(alive, children)))


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
