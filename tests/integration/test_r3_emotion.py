"""R3, emotion dynamics: per chunk and per utterance, the latest kept per session, on and off."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import numpy as np
import pytest
from tests.integration.transcriber_rig import SPEECH, Rig, open_rig
from tests.redis_servers import RedisServer

from steno_aggregator.domain.window import NumberedFinal, utterance
from steno_common.measured import Measured, decode_measured
from steno_common.messages import Final, Partial, Prosody, Warned, decode
from steno_common.store.doorbell import DoorbellStore
from steno_common.store.limits import Limits
from steno_common.store.workers import WorkerStore
from steno_transcriber import measuring
from steno_transcriber.domain.emotion import EmotionMeter
from steno_transcriber.domain.prosody import measure
from steno_transcriber.domain.quality import QualityMeter
from steno_transcriber.engines.base import EngineError
from steno_transcriber.engines.scripted import ScriptedEngine
from steno_transcriber.settings import RecognitionSettings

LIMITS = Limits(shards=1)


@asynccontextmanager
async def rig(server: RedisServer, **settings: Any) -> AsyncIterator[Rig]:
    chosen = RecognitionSettings(engine="scripted", pause_seconds=0.5, **settings)
    async with open_rig(server, LIMITS, chosen) as rig:
        await DoorbellStore(rig.work.link, LIMITS).prepare()
        yield rig


async def transcribed(rig: Rig) -> tuple[tuple[str, int], list[Partial]]:
    """Give a session that is transcribed, with the partials that came before its first pause."""
    held, doorbells = await rig.begin(), DoorbellStore(rig.work.link, LIMITS)
    partials: list[Partial] = []

    async def shown() -> bool:
        rings = await doorbells.read([0], block_ms=10)
        # A session before this one may have left rings that nobody has read.
        messages = [decode(payload) for ringing, payload in rings if payload and ringing == held[0]]
        partials.extend(message for message in messages if isinstance(message, Partial))
        return bool(partials)

    async with rig.worker():
        next_number = await rig.send(held, SPEECH[:48_000])
        await rig.until(shown)
        await rig.send(held, SPEECH[48_000:], first=next_number)
        await rig.mark(held, "end")
        await rig.ended(held)
    return held, partials


async def measured(rig: Rig, held: tuple[str, int]) -> Measured:
    snapshot = await rig.sessions.snapshot(held[0])
    assert snapshot is not None
    return decode_measured(snapshot.measured)


async def finals(rig: Rig, held: tuple[str, int]) -> list[Final]:
    return [event for event in await rig.events(held) if isinstance(event, Final)]


async def test_partials_carry_how_the_newest_audio_sounds(redis_server: RedisServer) -> None:
    meter, after_each_chunk = EmotionMeter(), []
    for start in range(0, 48_000, 3_200):
        meter.feed(np.frombuffer(SPEECH[start : start + 3_200], "<i2"))
        after_each_chunk.append(meter.latest())
    async with rig(redis_server) as one:
        _, partials = await transcribed(one)
    assert {partial.prosody for partial in partials} <= set(after_each_chunk[5:])


async def test_finals_carry_how_their_own_speech_sounds(redis_server: RedisServer) -> None:
    async with rig(redis_server) as one:
        held, _ = await transcribed(one)
        samples = np.frombuffer(SPEECH, "<i2")
        said = await finals(one, held)
        assert len(said) == 3
        for final in said:
            assert final.prosody == measure(samples[final.start : final.end])


async def test_an_utterance_has_the_mean_of_its_finals_by_their_length(
    redis_server: RedisServer,
) -> None:
    async with rig(redis_server) as one:
        held, _ = await transcribed(one)
        said = await finals(one, held)
    together = utterance(0, [NumberedFinal(n, final) for n, final in enumerate(said, 1)])
    lengths = [final.end - final.start for final in said]
    values = [final.prosody.energy for final in said if final.prosody]
    assert together.prosody is not None
    mean = sum(v * n for v, n in zip(values, lengths, strict=True)) / sum(lengths)
    assert together.prosody.energy == pytest.approx(mean, abs=0.0006)


async def test_the_latest_values_stand_in_the_session_with_their_time(
    redis_server: RedisServer,
) -> None:
    async with rig(redis_server) as one:
        before = time.time_ns() // 1_000_000
        held, _ = await transcribed(one)
        found = await measured(one, held)
        meter = EmotionMeter()
        meter.feed(np.frombuffer(SPEECH, "<i2"))
        assert found.prosody == meter.latest()
        assert before - 1_000 <= found.at_ms <= time.time_ns() // 1_000_000 + 1_000


async def test_switched_off_nothing_is_measured_and_the_fields_are_absent(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(EmotionMeter, "feed", forbidden)
    monkeypatch.setattr(measuring, "measure", forbidden)
    async with rig(redis_server, enable_emotion_detection=False) as one:
        held, partials = await transcribed(one)
        assert [final.prosody for final in await finals(one, held)] == [None] * 3
        assert {partial.prosody for partial in partials} == {None}
        assert (await measured(one, held)).prosody is None
        assert (await measured(one, held)).quality is not None


async def test_a_fault_in_measuring_harms_no_session(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(redis_server) as one:
        held, _ = await transcribed(one)
        unharmed = await one.finals(held)
        for place in ((EmotionMeter, "latest"), (measuring, "measure"), (QualityMeter, "feed")):
            monkeypatch.setattr(*place, lambda *_: 1 / 0)
        held, partials = await transcribed(one)
        assert await one.finals(held) == unharmed
        neutral = Prosody(0.5, 1.0, 0.5)
        assert {final.prosody for final in await finals(one, held)} == {neutral}
        assert {partial.prosody for partial in partials} == {neutral}
        assert (await measured(one, held)).prosody == neutral


async def test_r2_confidence_engine_time_and_quality_go_with_the_commits(
    redis_server: RedisServer,
) -> None:
    async with rig(redis_server, scripted_window_seconds=0.05) as one:
        held, _ = await transcribed(one)
        found, said = await measured(one, held), await finals(one, held)
        words = sum(len(final.words) for final in said)
        mean = sum(final.confidence * len(final.words) for final in said) / words
        assert (found.words, found.confidence) == (words, pytest.approx(mean))
        assert found.engine_seconds >= 3 * 0.05
        assert found.quality == pytest.approx(1.0, abs=0.1)
        assert (found.lost_chunks, found.failures) == (0, 0)


async def test_r2_a_segment_that_the_engine_fails_on_is_lost_chunks_and_an_error(
    redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise EngineError("broken", code="engine_failed")

    monkeypatch.setattr(ScriptedEngine, "decode", broken)
    async with rig(redis_server) as one:
        held = await one.begin()
        async with one.worker():
            await one.send(held, SPEECH)
            await one.mark(held, "end")
            await one.ended(held)
        found = await measured(one, held)
        told = [e.code for e in await one.events(held) if isinstance(e, Warned)]
        assert told.count("segment_skipped") == found.failures == 3
        # 1.5 s, 1 s and 0.7 s of speech in chunks of 0.1 s, some of them by halves.
        assert 32 <= found.lost_chunks <= 38


async def test_r2_the_worker_that_holds_a_session_says_what_it_takes(
    redis_server: RedisServer,
) -> None:
    async with rig(redis_server) as one:
        held = await one.begin()
        async with one.worker():
            await one.send(held, SPEECH)

            async def told() -> bool:
                return bool((await measured(one, held)).worker)

            await one.until(told)
            workers = WorkerStore(one.work.link, LIMITS)
            report = await workers.report((await measured(one, held)).worker)
            assert report is not None
            assert report.memory_bytes > 10_000_000
            assert report.gpu is None
            assert await workers.report("nobody") is None
