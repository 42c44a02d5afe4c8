"""Engines that only a new process can repair: one that never answers, one whose device failed."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import pytest
from tests.unit.transcriber.listening import tools
from tests.unit.transcriber.sound import GatedEngine, loud, turn

from steno_transcriber.domain.hypothesis import Options, Request, Window
from steno_transcriber.engines.base import DeviceLost, EngineError
from steno_transcriber.engines.calibration import Calibration
from steno_transcriber.engines.whisper import WhisperEngine
from steno_transcriber.recognition import on_windows
from steno_transcriber.scheduler import Scheduler


class Key(NamedTuple):
    frames: int


WINDOW = Window(loud(3_200), final=True)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


async def test_an_engine_hangs_that_owes_an_answer_for_more_than_a_minute(
    executor: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, loop = GatedEngine(concurrency=2), asyncio.get_running_loop()
    now = float(round(loop.time()))  # so that sums are exact
    monkeypatch.setattr(loop, "time", lambda: now)
    async with Scheduler(engine) as scheduler, asyncio.TaskGroup() as tasks:
        recognition = on_windows(engine, scheduler, Options(), tools(executor))
        tasks.create_task(scheduler.decode("a", Request(WINDOW)))
        await turn()
        now += 59
        tasks.create_task(scheduler.decode("b", Request(WINDOW)))
        await turn()
        assert (scheduler.busy_seconds, recognition.hangs) == (59, False)
        now += 2
        assert (scheduler.busy_seconds, recognition.hangs) == (61, True)
        engine.gate.set()
        await turn()
        assert (scheduler.busy_seconds, recognition.hangs) == (0, False)


async def test_an_engine_without_work_does_not_hang(executor: ThreadPoolExecutor) -> None:
    engine = GatedEngine()
    async with Scheduler(engine) as scheduler:
        assert not on_windows(engine, scheduler, Options(), tools(executor)).hangs


def failing(executor: ThreadPoolExecutor, error: Exception) -> WhisperEngine:
    class Decoder:
        def group(self, window: Window) -> Key:
            return Key(frames=20)

        def decode(self, windows: Any) -> Any:
            raise error

    found = Calibration(max_batch=1, max_partials=1, window_seconds=0.1)
    return WhisperEngine(Decoder(), executor, found, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "message",
    [
        "CUDA failed with error an illegal memory access was encountered",
        "CUDA failed with error out of memory",
        "cuBLAS failed with status CUBLAS_STATUS_EXECUTION_FAILED",
        "Library libcublas.so.12 is not found or cannot be loaded",
    ],
)
async def test_after_an_error_of_cuda_nothing_is_decoded_any_more(
    executor: ThreadPoolExecutor, message: str
) -> None:
    with pytest.raises(DeviceLost, match=message):
        await failing(executor, RuntimeError(message)).decode([WINDOW])


@pytest.mark.parametrize("error", [RuntimeError("no such token"), ValueError("not for CUDA")])
async def test_another_error_is_that_of_one_batch(
    executor: ThreadPoolExecutor, error: Exception
) -> None:
    with pytest.raises(EngineError):
        await failing(executor, error).decode([WINDOW])
    assert not issubclass(DeviceLost, EngineError)


async def test_a_lost_device_ends_all_who_use_the_engine(executor: ThreadPoolExecutor) -> None:
    engine = failing(executor, RuntimeError("CUDA failed with error unknown"))
    with pytest.raises(ExceptionGroup) as caught:
        async with Scheduler(engine) as scheduler:
            await scheduler.decode("a", Request(WINDOW))
    assert caught.group_contains(DeviceLost)
