"""The engine `aws` in a worker: a real Redis, a fake of Amazon Transcribe over HTTP/2."""

import asyncio
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule, nth
from tests.fake_transcribe.signing import DEFAULT
from tests.integration.aws_rig import LIMITS, NUMBERS, PCM, PHRASES, AwsRig, aws_rig
from tests.redis_servers import RedisServer

from steno_common.units import to_seconds
from steno_transcriber.domain.samples import from_bytes
from steno_transcriber.engines.numbers import phrase
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings

TWO_PHRASES = sum(len(phrase(each)) + 16_000 for each in PHRASES[:2])
"""Samples, with the pause behind each."""
MIDDLE = 1.0
"""Seconds of audio: within the second phrase, behind the first one."""


def lost(how: How, at: float = MIDDLE, **more: str) -> Behaviour:
    return Behaviour(failure=Failure(how, at, **more))


SURVIVED = {
    **{
        f"refused with {name}": Behaviour(refuse=name)
        for name in (
            "LimitExceededException",
            "InternalFailureException",
            "ServiceUnavailableException",
            "ConflictException",
        )
    },
    **{
        f"{name} in mid-stream": lost(How.EXCEPTION, name=name)
        for name in (
            "BadRequestException",
            "LimitExceededException",
            "InternalFailureException",
            "ServiceUnavailableException",
            "ConflictException",
        )
    },
    **{f"{how.value} in mid-stream": lost(how) for how in How if how is not How.EXCEPTION},
    "an exception at once": lost(How.EXCEPTION, 0.0),
    "dropped at once": lost(How.DROP, 0.0),
    "results behind an exception": Behaviour(
        failure=Failure(How.EXCEPTION, MIDDLE), results_after_end=True
    ),
    "headers that come late": Behaviour(headers_delay=0.5),
    "headers that never come": Behaviour(no_headers=True),
    "frames of one byte": Behaviour(frame_bytes=1),
    "several events in a frame": Behaviour(events_per_frame=3),
    "events without results": Behaviour(empty_results=True),
    "results that come late": Behaviour(results_delay=0.3),
}


@pytest.mark.parametrize("behaviour", SURVIVED.values(), ids=SURVIVED.keys())
async def test_a_transcript_is_complete_whatever_becomes_of_a_stream(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    rules = [nth(1, behaviour)]
    async with aws_rig(redis_server, tmp_path, monkeypatch, rules) as rig:
        held = await rig.transcribed()
        assert await rig.words(held) == NUMBERS
        assert await rig.warnings(held) == []
        await gone(rig)


async def gone(rig: AwsRig) -> None:
    """No stream and no connection is left behind."""

    async def holds() -> bool:
        return rig.fake.journal.open_connections == 0

    await rig.until(holds)


async def test_every_second_stream_may_be_lost(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [Rule(lost(How.DROP, 1.5), every=2), Rule(lost(How.RESET, 2.0), first=2, every=4)]
    async with aws_rig(redis_server, tmp_path, monkeypatch, rules, pace=4, tries=9) as rig:
        held = await rig.transcribed()
        assert await rig.words(held) == NUMBERS
        assert len(rig.fake.journal.streams) > 2
        spans = await rig.finals(held)
        assert all(first[2] <= second[1] for first, second in pairwise(spans))


async def test_words_are_those_of_the_engine_behind_the_service_alone(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone: list[str] = []

    async def keep(event: Partial | Span) -> None:
        if isinstance(event, Span) and event.hypothesis:
            alone.extend(event.hypothesis.text.split())

    async with open_recognition(RecognitionSettings(engine="numbered")) as local:
        recogniser = local.recogniser("alone", keep)
        await recogniser.feed(from_bytes(PCM))
        await recogniser.flush()
        await recogniser.aclose()
    async with aws_rig(redis_server, tmp_path, monkeypatch) as rig:
        for size in (640, 3_200, 64_000):
            held = await rig.transcribed(size=size)
            assert await rig.words(held) == alone == NUMBERS
        assert rig.fake.journal.signature_failures == 0
        assert [stream.outcome for stream in rig.fake.journal.streams] == ["done"] * 3
        (first, *_) = await rig.finals_of(held)
        assert first.prosody is not None
        assert all(word.confidence > 0 for word in first.words)
        assert all(word.speaker is None for word in first.words)


async def test_words_say_who_spoke_where_the_settings_ask_for_it(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STENO_AWS_SPEAKER_LABELS", "true")
    # A stream that a slow machine loses would be followed by one more.
    limits = replace(LIMITS, lease_seconds=60.0)
    waits = {"idle_seconds": 60.0, "connect_seconds": 60.0, "finish_seconds": 60.0}
    async with aws_rig(redis_server, tmp_path, monkeypatch, limits=limits, **waits) as rig:
        held = await rig.begin()
        second = await rig.send(held, PCM[: 2 * TWO_PHRASES])
        await rig.mark(held, "finalize")
        await rig.send(held, PCM[2 * TWO_PHRASES :], first=second)
        await rig.mark(held, "end")
        async with rig.worker():
            await rig.ended(held)
        finals = await rig.finals_of(held)
        later = f"@{to_seconds(TWO_PHRASES)}"
        # Speakers take turns; finalizing ends a stream, and the next one counts them anew.
        assert [(final.text, {word.speaker for word in final.words}) for final in finals] == [
            ("1 2 3", {"0"}),
            ("4 5", {"1"}),
            ("6 7 8 9", {"0" + later}),
            ("10 11", {"1" + later}),
        ]
        asked = [stream.parameters for stream in rig.fake.journal.streams]
        assert [each.speakers for each in asked if each] == [True, True]


@pytest.mark.parametrize(
    "refusal", ["BadRequestException", "UnrecognizedClientException", "InvalidSignatureException"]
)
async def test_a_refusal_is_told_and_all_that_was_finished_before_it_is_kept(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refusal: str
) -> None:
    rules = [nth(1, lost(How.DROP, 2.0)), Rule(Behaviour(refuse=refusal), first=2)]
    async with aws_rig(redis_server, tmp_path, monkeypatch, rules, pace=2) as rig:
        held = await rig.transcribed()
        assert await rig.words(held) == ["1", "2", "3"]
        assert set(await rig.warnings(held)) == {"segment_skipped"}


async def test_a_wrong_secret_is_told_to_the_client(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aws_rig(redis_server, tmp_path, monkeypatch) as rig:
        rig.fake.service.credentials = (replace(DEFAULT, secret="another"),)
        held = await rig.transcribed()
        assert await rig.words(held) == []
        assert set(await rig.warnings(held)) == {"segment_skipped"}
        assert rig.fake.journal.signature_failures >= 1


async def test_a_certificate_that_is_not_trusted_ends_in_a_clear_error(
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with aws_rig(redis_server, tmp_path, monkeypatch, connect_seconds=1.0) as rig:
        rig.fake.show_certificate(trusted=False)
        held = await rig.transcribed()
        assert await rig.words(held) == []
        assert set(await rig.warnings(held)) == {"segment_skipped"}
        told = [getattr(record, "error", "") for record in caplog.records]
        assert any("not reachable, or its certificate is not trusted" in text for text in told)


async def test_a_session_whose_client_is_silent_keeps_its_stream(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aws_rig(redis_server, tmp_path, monkeypatch, idle_seconds=2.5) as rig:
        held = await rig.begin()
        async with rig.worker():
            next_number = await rig.send(held, PCM[:38_400])
            await asyncio.sleep(4.0)  # longer than the service waits for audio
            await rig.send(held, PCM[38_400:], first=next_number)
            await rig.mark(held, "end")
            await rig.ended(held)
        assert await rig.words(held) == NUMBERS
        (stream,) = rig.fake.journal.streams
        assert stream.outcome == "done"
        assert stream.audio_bytes > len(PCM)


async def test_a_worker_that_dies_in_mid_stream_is_followed_by_one_that_loses_nothing(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with aws_rig(redis_server, tmp_path, monkeypatch) as rig:
        held = await rig.begin()
        half = len(PCM) // 2 // 3_200 * 3_200
        next_number = await rig.send(held, PCM[:half])
        async with rig.worker() as first:

            async def spoke() -> bool:
                return len(await rig.finals(held)) >= 1

            await rig.until(spoke)
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
        await rig.send(held, PCM[half:], first=next_number)
        await rig.mark(held, "end")
        async with rig.worker():
            await rig.ended(held)
        assert await rig.words(held) == NUMBERS
        await rig.check_accounts(held, len(PCM) // 2)
