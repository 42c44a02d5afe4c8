"""The transcriber's worker with a real Redis and the scripted engine."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.integration.transcriber_rig import SPEECH, Rig, open_rig
from tests.redis_servers import RedisServer

from steno_common.messages import Final, Idle, Warned
from steno_common.store.limits import Limits
from steno_transcriber import metrics
from steno_transcriber.settings import RecognitionSettings


@pytest.fixture
async def rig(redis_server: RedisServer) -> AsyncIterator[Rig]:
    limits = Limits(shards=4, lease_seconds=1.5)
    settings = RecognitionSettings(engine="scripted", pause_seconds=0.5)
    async with open_rig(redis_server, limits, settings) as rig:
        yield rig


async def transcribed(rig: Rig, pcm: bytes, **cut: int) -> tuple[tuple[str, int], list[object]]:
    held = await rig.begin()
    await rig.send(held, pcm, **cut)
    await rig.mark(held, "end")
    await rig.ended(held)
    return held, list(await rig.finals(held))


async def test_audio_becomes_finals_and_every_sample_is_accounted_for(rig: Rig) -> None:
    async with rig.worker():
        held, finals = await transcribed(rig, SPEECH)
    assert len(finals) == 3
    snapshot = await rig.sessions.snapshot(held[0])
    assert snapshot is not None
    assert snapshot.received == len(SPEECH) // 2 == snapshot.transcribed + snapshot.silence
    assert await rig.work.read({held[0]: "0-0"}, 10) == {}


async def test_finals_do_not_hang_on_how_the_audio_was_cut(rig: Rig) -> None:
    async with rig.worker():
        _, whole = await transcribed(rig, SPEECH, size=64_000)
        for size in (640, 3_202, 17_000):
            assert (await transcribed(rig, SPEECH, size=size))[1] == whole


async def test_the_tail_that_comes_with_the_end_is_heard(rig: Rig) -> None:
    async with rig.worker():
        _, whole = await transcribed(rig, SPEECH)
        held = await rig.begin()
        await rig.send(held, SPEECH[:-3_200])
        await rig.mark(held, "end", tail=SPEECH[-3_200:])
        await rig.ended(held)
        assert await rig.finals(held) == whole


async def test_a_worker_that_dies_is_followed_by_one_that_says_the_same(rig: Rig) -> None:
    async with rig.worker():
        _, whole = await transcribed(rig, SPEECH)
    held = await rig.begin()
    half = len(SPEECH) // 2 // 3_200 * 3_200
    next_number = await rig.send(held, SPEECH[:half])
    async with rig.worker() as first:

        async def spoke() -> bool:
            return len(await rig.finals(held)) >= 1

        await rig.until(spoke)
        first.cancel()  # neither drained nor released: the lease must run out
        await asyncio.gather(first, return_exceptions=True)
    await rig.send(held, SPEECH[half:], first=next_number)
    await rig.mark(held, "end")
    async with rig.worker(), rig.worker():
        await rig.ended(held)
    assert await rig.finals(held) == whole


async def test_a_worker_that_drains_gives_its_sessions_back_at_once(rig: Rig) -> None:
    held = await rig.begin()
    # Speech without a pause: nothing of it is committed before the worker drains.
    await rig.send(held, SPEECH[:48_000])
    before = metrics.CLAIMS._value.get()
    async with rig.worker():

        async def claimed() -> bool:
            return metrics.CLAIMS._value.get() > before

        await rig.until(claimed)
    shard = rig.work.space.all_shards()[rig.work.keys(held[0]).shard]
    (claim,) = await rig.work.claim(shard, 1)
    assert (claim.session_id, claim.tries) == (held[0], 1)


async def test_finalize_makes_the_open_segment_final_and_the_session_goes_on(rig: Rig) -> None:
    held = await rig.begin()
    async with rig.worker():
        next_number = await rig.send(held, SPEECH[:32_000])
        await rig.mark(held, "finalize")

        async def spoke() -> bool:
            return len(await rig.finals(held)) == 1

        await rig.until(spoke)
        await rig.send(held, SPEECH[32_000:], first=next_number)
        await rig.mark(held, "end")
        await rig.ended(held)
    finals = await rig.finals(held)
    assert len(finals) == 4
    assert finals[0][2] == 16_000


async def test_silence_of_the_client_stands_in_the_log_where_it_was(rig: Rig) -> None:
    held = await rig.begin()
    async with rig.worker():
        await rig.send(held, SPEECH[:32_000])
        await rig.mark(held, "idle")

        async def noted() -> bool:
            return Idle(16_000) in await rig.events(held)

        await rig.until(noted)
    kinds = [type(e) for e in await rig.events(held) if isinstance(e, Final | Idle)]
    assert kinds == [Final, Idle]


async def test_audio_that_brought_down_worker_after_worker_is_passed_over(rig: Rig) -> None:
    held = await rig.begin()
    next_number = await rig.send(held, SPEECH[:64_000])
    await rig.poison(held)
    async with rig.worker():
        await rig.warned(held, "segment_skipped")
        await rig.send(held, SPEECH[64_000:], first=next_number)
        await rig.mark(held, "end")
        await rig.ended(held)
    told = [e for e in await rig.events(held) if isinstance(e, Warned)]
    # On a slow machine it is told beside that text is late.
    assert [warning for warning in told if warning.code != "high_latency"] == [
        Warned("segment_skipped", "no text for 0.000 s to 2.000 s", 0, 32_000)
    ]
    assert len(await rig.finals(held)) == 2


async def test_more_sessions_than_a_worker_may_hold_wait_for_another(rig: Rig) -> None:
    held = [await rig.begin() for _ in range(4)]
    for one in held:
        await rig.send(one, SPEECH)
        await rig.mark(one, "end")
    async with rig.worker(max_sessions=1):
        for one in held:
            await rig.ended(one)
    finals = [await rig.finals(one) for one in held]
    assert finals[1:] == finals[:-1]


async def test_redis_that_comes_back_finds_the_worker_at_work(
    rig: Rig, redis_server: RedisServer
) -> None:
    held = await rig.begin()
    async with rig.worker():
        await rig.send(held, SPEECH[:64_000])
        redis_server.kill()
        redis_server.start()
        await rig.send(held, SPEECH[64_000:], first=21)
        await rig.mark(held, "end")
        await rig.ended(held)
    assert len(await rig.finals(held)) == 3
