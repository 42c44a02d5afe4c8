"""Sessions survive a Redis that loses everything, or comes back as it was a while ago."""

import asyncio
import io
import random
from collections.abc import AsyncIterator
from pathlib import Path

import av
import numpy as np
import pytest
from tests.integration.restored_rig import CHUNKS, QUICK, Heard, House, opened, speech
from tests.redis_servers import RedisServer

from steno_client import SessionError, listen
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings


@pytest.fixture
async def house(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[House]:
    settings = RecognitionSettings(engine="scripted", pause_seconds=0.5)
    async with (
        open_recognition(settings) as recognition,
        opened(redis_server, tmp_path, recognition) as house,
    ):
        yield house


def same(heard: Heard, clean: Heard) -> None:
    """Whatever was lost, the user does not notice."""
    assert heard.finals == clean.finals
    assert heard.utterances == clean.utterances
    assert heard.saved == clean.saved
    assert heard.completed is not None
    assert clean.completed is not None
    assert heard.completed.text == clean.completed.text
    told = heard.completed.statistics
    assert told.received_samples == told.transcribed_samples + told.silence_samples


async def test_an_undisturbed_session_restores_nothing(house: House) -> None:
    before = house.restored()
    clean = await house.transcribe(speech())
    assert len(clean.finals) == 6
    assert len(clean.utterances) == 2
    assert house.restored() == before
    same(await house.transcribe(speech()), clean)


@pytest.mark.parametrize("seed", range(4))
async def test_everything_lost_in_mid_stream_changes_nothing(house: House, seed: int) -> None:
    clean = await house.transcribe(speech())
    before = house.restored()
    moment = random.Random(seed).randrange(1, CHUNKS)
    same(await house.transcribe(speech(), {moment: house.flush}, pace=0.03), clean)
    assert house.restored() == before + 1


@pytest.mark.parametrize("rate", [8_000, 44_100, 48_000])
async def test_a_decoder_goes_on_where_it_stood(house: House, rate: int) -> None:
    mime_type = f"audio/pcm;rate={rate}"
    clean = await house.transcribe(speech(rate), mime_type=mime_type)
    losses = {20: house.flush, 45: house.flush}
    before = house.restored()
    same(await house.transcribe(speech(rate), losses, pace=0.03, mime_type=mime_type), clean)
    assert house.restored() == before + 2


async def test_everything_lost_while_finalizing_changes_nothing(house: House) -> None:
    clean = await house.transcribe(speech())
    before = house.restored()
    same(await house.transcribe(speech(), after_stop=house.flush), clean)
    assert house.restored() == before + 1


async def test_everything_lost_twice_with_all_scripts_changes_nothing(house: House) -> None:
    clean = await house.transcribe(speech())

    async def twice(session: str) -> None:
        await house.flush(session, "SCRIPT FLUSH")
        await asyncio.sleep(0.3)
        await house.flush(session)

    same(await house.transcribe(speech(), {15: twice, 40: twice}, pace=0.03), clean)


def webm(seconds_of: bytes) -> bytes:
    """Encode speech as a recording that is written as it goes."""
    output = io.BytesIO()
    samples = np.frombuffer(seconds_of, "<i2").reshape(1, -1)
    options = {"cluster_time_limit": "200"}
    with av.open(output, "w", format="webm", options=options) as writer:
        stream = writer.add_stream("libopus", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 48_000
        resampler = av.AudioResampler(stream.codec_context.format, "mono", 48_000,
                                      stream.codec_context.frame_size or 960)  # fmt: skip
        for part in [*resampler.resample(frame), *resampler.resample(None)]:
            writer.mux(stream.encode(part))
        writer.mux(stream.encode(None))
    return output.getvalue()


async def test_a_container_is_decoded_again_from_its_first_chunk(house: House) -> None:
    audio = webm(speech(48_000))
    mime_type = "audio/webm;codecs=opus"
    clean = await house.transcribe(audio, mime_type=mime_type)
    assert len(clean.finals) > 3
    before = house.restored()
    heard = await house.transcribe(audio, {35: house.flush}, pace=0.03, mime_type=mime_type)
    same(heard, clean)
    assert house.restored() == before + 1


async def test_an_older_prefix_is_healed(house: House) -> None:
    clean = await house.transcribe(speech())
    redis = (await house.gateway.link.atlas.node(0)).data
    older: dict[bytes, bytes] = {}

    async def remember(session: str) -> None:
        keys = house.gateway.store.keys(session)
        for key in (keys.meta, keys.audio, keys.log):
            older[key.encode()] = await redis.dump(key)

    async def fall_back(_session: str) -> None:
        assert older
        for key, value in older.items():
            if value is None:
                await redis.delete(key)
            else:
                await redis.restore(key, 600_000, value, replace=True)

    before = house.restored()
    losses = {12: remember, 45: fall_back}
    same(await house.transcribe(speech(), losses, pace=0.04), clean)
    assert house.restored() == before + 1


async def test_a_listener_hears_everything_once_too(house: House) -> None:
    clean, heard = await house.transcribe(speech()), Heard()

    async def overhear(session: str) -> None:
        async for event in listen(house.gateway.address, session, policy=QUICK):
            heard.hear(event)

    async with asyncio.TaskGroup() as tasks:

        async def begin(session: str) -> None:
            tasks.create_task(overhear(session))

        losses = {5: begin, 25: house.flush, 45: house.flush}
        same(await house.transcribe(speech(), losses, pace=0.03), clean)
    assert heard.finals == clean.finals
    assert heard.utterances == clean.utterances


async def test_a_session_that_is_lost_on_purpose_stays_lost(house: House) -> None:
    async def remove(session: str) -> None:
        assert await house.gateway.store.remove(session)

    with pytest.raises(ExceptionGroup) as failed:
        await house.transcribe(speech(), {30: remove}, pace=0.03)
    assert failed.group_contains(SessionError, match="removed")
