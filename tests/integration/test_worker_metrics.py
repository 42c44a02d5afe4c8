"""What transcribers and aggregators count while they work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from tests.integration.aggregator_rig import aggregating, open_stage
from tests.integration.transcriber_rig import SPEECH, Rig, open_rig
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_common.archive import Archive
from steno_common.store.limits import Limits
from steno_transcriber.session import Session
from steno_transcriber.settings import RecognitionSettings

WAIT_SECONDS = 0.6
"""So long audio lies there before there is a worker."""


@pytest.fixture
async def rig(redis_server: RedisServer) -> AsyncIterator[Rig]:
    limits = Limits(shards=4, lease_seconds=1.5)
    settings = RecognitionSettings(
        engine="scripted", pause_seconds=0.5, partial_interval_seconds=0.3
    )
    async with open_rig(redis_server, limits, settings) as rig:
        yield rig


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.fixture
def risen() -> Callable[..., float]:
    """Say how much a count has grown since this was first asked for."""
    before: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {}

    def rise(name: str, **labels: str) -> float:
        key = name, tuple(labels.items())
        return value(name, **labels) - before.setdefault(key, value(name, **labels))

    return rise


async def test_finals_are_timed_from_the_arrival_of_their_audio(
    rig: Rig, risen: Callable[..., float]
) -> None:
    names = [f"steno_transcriber_{name}_seconds" for name in ("feed", "final")]
    for name in names:
        assert risen(f"{name}_count") == risen(f"{name}_sum") == 0
    assert risen("steno_transcriber_commits_total", result="ok") == 0
    held = await rig.begin()
    await rig.send(held, SPEECH)
    await rig.mark(held, "end")
    await asyncio.sleep(WAIT_SECONDS)
    async with rig.worker():
        await rig.ended(held)
    for name in names:
        assert WAIT_SECONDS <= risen(f"{name}_sum") / risen(f"{name}_count") < 3_600
    assert risen("steno_transcriber_final_seconds_count") == 3
    assert risen("steno_transcriber_commits_total", result="ok") >= 3


async def test_partials_are_timed_too(rig: Rig, risen: Callable[..., float]) -> None:
    name = "steno_transcriber_partial_seconds"
    assert risen(f"{name}_count") == risen(f"{name}_sum") == 0
    held = await rig.begin()
    await rig.send(held, SPEECH[:32_000])
    await asyncio.sleep(WAIT_SECONDS)
    async with rig.worker():

        async def said() -> bool:
            return risen(f"{name}_count") > 0

        await rig.until(said)
    assert WAIT_SECONDS <= risen(f"{name}_sum") / risen(f"{name}_count") < 3_600


async def test_audio_that_is_passed_over_is_a_broken_promise(
    rig: Rig, risen: Callable[..., float]
) -> None:
    name = "steno_invariant_violation_total"
    assert risen(name, invariant="audio_passed_over") == 0
    held = await rig.begin()
    await rig.send(held, SPEECH[:64_000])
    await rig.poison(held)
    async with rig.worker():
        await rig.warned(held, "segment_skipped")
    assert risen(name, invariant="audio_passed_over") == 1


async def test_a_session_that_fails_is_counted_and_tried_again(
    rig: Rig, risen: Callable[..., float], monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "steno_transcriber_session_failures_total"
    assert risen(name) == 0
    works: Callable[[Session], Awaitable[None]] = Session.run

    async def fail_once(session: Session) -> None:
        if not risen(name):
            raise RuntimeError("a fault")
        await works(session)

    monkeypatch.setattr(Session, "run", fail_once)
    held = await rig.begin()
    await rig.send(held, SPEECH)
    await rig.mark(held, "end")
    async with rig.worker():
        await rig.ended(held)
    assert risen(name) == 1


async def test_an_accounting_that_does_not_balance_is_a_broken_promise(
    redis_server: RedisServer, tmp_path: Path, risen: Callable[..., float]
) -> None:
    name = "steno_invariant_violation_total"
    archive = Archive(str(tmp_path))
    assert risen(name, invariant="accounting") == 0
    async with open_stage(redis_server.url) as stage, aggregating(stage, archive):
        for missing in (0, 160):
            played = await stage.play()
            await played.say("one")
            meta = stage.windows.keys(played.session_id).meta
            with redis_server.client() as client:
                client.hincrby(meta, "received", missing)
            await played.stop()
            await until(lambda sid=played.session_id: stage.finished(sid))
            assert risen(name, invariant="accounting") == (1 if missing else 0)
