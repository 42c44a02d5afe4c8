"""Whole streams of Amazon's own client library through the fake."""

import asyncio
import hashlib
from uuid import UUID, uuid4

import numpy as np
import pytest
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule
from tests.fake_transcribe.client import answer_of, client_of, send, start, transcribed
from tests.fake_transcribe.hearing import Line, local_engine, scripted
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Limits, Service
from tests.unit.transcriber.sound import MODEL, clip, transcripts, word_errors

from steno_transcriber.domain.samples import Samples
from steno_transcriber.engines.numbers import phrase, silence
from steno_transcriber.settings import RecognitionSettings

NUMBERED = RecognitionSettings(engine="numbered")
TWO_PHRASES = np.concatenate(
    (phrase(range(1, 8)), silence(16_000), phrase(range(8, 20)), silence(4_000))
)


def pcm(samples: Samples) -> bytes:
    return samples.astype("<i2").tobytes()


async def test_numbers_in_the_audio_come_back_in_two_segments(authority: Authority) -> None:
    service = Service(keep_audio=True, listen=scripted())
    async with local_engine(NUMBERED) as service.listen, serve(service, authority) as fake:
        answer = await transcribed(fake, pcm(TWO_PHRASES), pause=0.005)
    (stream,) = fake.journal.streams
    assert answer.text == stream.text == " ".join(map(str, range(1, 20)))
    finals = [result for result in answer.results if not result.is_partial]
    assert [(final.start_time, final.end_time) for final in finals] == [
        (0.0, 1.728),
        (2.79, 5.862),
    ]
    ids = [result.result_id for result in answer.results]
    assert len(set(ids)) == 2
    assert ids == sorted(ids, key=ids.index), "the segments follow each other"
    assert sum(bool(result.is_partial) for result in answer.results) >= 4
    assert (stream.audio_seconds, stream.outcome, stream.end_of_audio) == (
        len(TWO_PHRASES) / 16_000,
        "done",
        "envelope",
    )
    assert stream.kept == pcm(TWO_PHRASES)
    assert stream.summary()["audio_sha256"] == hashlib.sha256(pcm(TWO_PHRASES)).hexdigest()


async def test_a_script_answers_at_seconds_of_audio(authority: Authority) -> None:
    listen = scripted(
        Line("hello", at=0.5, final=False),
        Line("hello there.", at=1.0),
        Line("too late", at=9.0),
        Line("bye", start=1.2),
    )
    async with serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(fake, bytes(2 * 24_000))
    assert answer.events == [(True, "hello"), (False, "hello there."), (False, "bye")]
    assert [sent.audio for sent in fake.journal.streams[0].sent] == [0.5, 1.0, 1.5]


async def test_a_stream_is_answered_at_once_with_what_was_asked(authority: Authority) -> None:
    session = str(uuid4())
    async with serve(Service(listen=scripted()), authority) as fake:
        stream = await start(
            client_of(fake),
            session_id=session,
            show_speaker_label=True,
            enable_partial_results_stabilization=True,
            partial_results_stability="low",
        )
        said = stream.response
        assert (said.session_id, said.language_code, said.media_encoding) == (
            session,
            "en-US",
            "pcm",
        )
        assert (said.media_sample_rate_hz, said.show_speaker_label) == (16_000, True)
        assert said.enable_partial_results_stabilization is True
        assert said.partial_results_stability == "low"
        assert UUID(said.request_id)
        assert UUID((await start(client_of(fake))).response.session_id)


async def test_channels_are_transcribed_apart(authority: Authority) -> None:
    left, right = phrase(range(1, 6)), phrase(range(100, 105))
    both = np.stack((left, right), axis=1)
    async with local_engine(NUMBERED) as listen, serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(
            fake, pcm(both), enable_channel_identification=True, number_of_channels=2
        )
    finals = {
        result.channel_id: result.alternatives[0].transcript
        for result in answer.results
        if not result.is_partial
    }
    assert finals == {"ch_0": "1 2 3 4 5", "ch_1": "100 101 102 103 104"}


async def test_languages_speakers_and_stable_words_are_said_where_asked(
    authority: Authority,
) -> None:
    listen = scripted(
        Line("guten Tag", at=0.5, final=False, agreed=1, language="de"),
        Line("guten Tag.", at=1.0, language="de"),
        Line("good day.", at=2.0, start=1.0, language="en"),
    )
    async with serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(
            fake,
            bytes(64_000),
            language_code=None,
            identify_multiple_languages=True,
            language_options=["en-US", "de-DE"],
            show_speaker_label=True,
            enable_partial_results_stabilization=True,
        )
    assert [result.language_code for result in answer.results] == ["de-DE", "de-DE", "en-US"]
    items = [
        (item.content, item.item_type, item.speaker, item.stable)
        for result in answer.results
        for item in result.alternatives[0].items
    ]
    assert items == [
        ("guten", "pronunciation", "0", True),
        ("Tag", "pronunciation", "0", False),
        ("guten", "pronunciation", "0", True),
        ("Tag", "pronunciation", "0", True),
        (".", "punctuation", None, True),
        ("good", "pronunciation", "1", True),
        ("day", "pronunciation", "1", True),
        (".", "punctuation", None, True),
    ]


async def test_streams_side_by_side_on_one_connection_keep_apart(authority: Authority) -> None:
    async with local_engine(NUMBERED) as listen, serve(Service(listen=listen), authority) as fake:
        client = client_of(fake)

        streams = [await start(client) for _ in range(5)]

        async def one(number: int) -> str:
            numbers = range(100 * number, 100 * number + 10)
            await send(streams[number], pcm(phrase(numbers)), pause=0.01)
            return (await answer_of(streams[number])).text

        texts = await asyncio.gather(*map(one, range(5)))
    assert texts == [
        " ".join(str(100 * number + place) for place in range(10)) for number in range(5)
    ]
    assert (fake.journal.connections, fake.journal.most_open) == (1, 5)


async def test_a_client_that_goes_away_leaves_its_place(authority: Authority) -> None:
    gone = asyncio.Event()
    service = Service(listen=scripted(), limits=Limits(streams=1), ended=lambda _record: gone.set())
    async with serve(service, authority) as fake:
        client = client_of(fake)
        await send(await start(client), bytes(32_000), end=False)
        for connection in client._session_manager._connections.values():
            connection.close()
        await asyncio.wait_for(gone.wait(), 60)
        await start(client)
    assert [record.outcome for record in fake.journal.streams] == ["client", "client"]


class Closing:
    """A recogniser that hears nothing, and counts those that are open."""

    open = 0

    def __init__(self) -> None:
        type(self).open += 1

    async def feed(self, samples: Samples) -> None: ...

    async def finish(self) -> None: ...

    async def aclose(self) -> None:
        type(self).open -= 1


@pytest.mark.parametrize("how", [How.EXCEPTION, How.RESET, How.DROP, How.STALL, How.MUTE])
async def test_a_recogniser_is_closed_however_its_stream_ends(
    authority: Authority, how: How
) -> None:
    Closing.open = 0
    rules = [Rule(Behaviour(failure=Failure(how, at=0.5)))]
    service = Service(listen=lambda _parameters, _emit: Closing(), rules=rules)
    async with serve(service, authority) as fake:
        both = {"enable_channel_identification": True, "number_of_channels": 2}
        stream = await start(client_of(fake), **both)
        assert Closing.open == 2
        await send(stream, bytes(128_000))
        reading = asyncio.create_task(answer_of(stream), name="answer")
        await asyncio.wait({reading}, timeout=0.5)
    await reading
    assert Closing.open == 0


@pytest.mark.parametrize("rate", [8_000, 48_000])
async def test_audio_of_another_rate_is_heard_in_its_own_time(
    authority: Authority, rate: int
) -> None:
    async with serve(Service(listen=scripted(Line("late", at=0.9))), authority) as fake:
        answer = await transcribed(fake, bytes(2 * rate), media_sample_rate_hz=rate)
    assert answer.text == "late"
    assert fake.journal.streams[0].audio_seconds == 1.0


async def test_whisper_can_be_the_one_that_listens(authority: Authority) -> None:
    said = transcripts()["sentence_1"]
    settings = RecognitionSettings(engine="whisper", whisper_model=str(MODEL), device="cpu")
    async with local_engine(settings) as listen, serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(fake, pcm(np.concatenate((clip("sentence_1"), silence(4_000)))))
    assert word_errors(said, answer.text) <= 1
    (final,) = [result for result in answer.results if not result.is_partial]
    kinds = [item.item_type for item in final.alternatives[0].items]
    assert kinds[-1] == "punctuation"
    assert kinds.count("pronunciation") == len(said.split())


async def test_pocketsphinx_can_be_the_one_that_listens(authority: Authority) -> None:
    pytest.importorskip("pocketsphinx")
    settings = RecognitionSettings(engine="pocketsphinx", decoder_processes=1)
    audio = np.concatenate((clip("command_1"), silence(16_000)))
    async with local_engine(settings) as listen, serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(fake, pcm(audio))
    (stream,) = fake.journal.streams
    assert (stream.outcome, answer.error) == ("done", None)
    assert answer.text == stream.text != ""
