"""Whole streams of Amazon's own client library through the fake."""

import numpy as np
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.client import transcribed
from tests.fake_transcribe.hearing import Line, local_engine, scripted
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Service

from steno_transcriber.engines.numbers import phrase, silence
from steno_transcriber.settings import RecognitionSettings

NUMBERED = RecognitionSettings(engine="numbered")
TWO_PHRASES = np.concatenate(
    (phrase(range(1, 8)), silence(16_000), phrase(range(8, 20)), silence(4_000))
)
AUDIO = TWO_PHRASES.astype("<i2").tobytes()


async def test_numbers_in_the_audio_come_back_in_two_segments(authority: Authority) -> None:
    async with local_engine(NUMBERED) as listen, serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(fake, AUDIO, pause=0.005)
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


async def test_a_script_answers_at_seconds_of_audio(authority: Authority) -> None:
    listen = scripted(
        Line("hello", at=0.5, final=False),
        Line("hello there.", at=1.0),
        Line("bye", start=1.2),
    )
    async with serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(fake, bytes(2 * 24_000))
    assert answer.events == [(True, "hello"), (False, "hello there."), (False, "bye")]
    assert [sent.audio for sent in fake.journal.streams[0].sent] == [0.5, 1.0, 1.5]
