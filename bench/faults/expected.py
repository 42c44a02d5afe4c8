"""What a run should have given: each session's audio through the recogniser alone, once."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bench.faults.history import Expected, Heard, Said
from bench.faults.speech import Speech

from steno_common.messages import Word
from steno_common.units import to_samples, to_seconds
from steno_common.utterances import join_text, split_utterances
from steno_transcriber.domain.samples import from_bytes
from steno_transcriber.recognise import Heard as Recognised
from steno_transcriber.recognise import Spoken
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings

NUMBERED: Final = RecognitionSettings(engine="numbered")


async def expect(
    said: Mapping[int, Sequence[Speech]],
    silence_seconds: float,
    alone: RecognitionSettings = NUMBERED,
) -> list[Expected]:
    """Give what an engine alone makes of each session's audio, in the order of the sessions."""
    silence = to_samples(silence_seconds)
    async with open_recognition(alone) as recognition, asyncio.TaskGroup() as tasks:
        heard = {
            session: tasks.create_task(_heard(recognition, session, speeches), name=str(session))
            for session, speeches in said.items()
        }
    return [_expected(session, task.result(), silence) for session, task in heard.items()]


async def _heard(
    recognition: Recognition, session: int, speeches: Iterable[Speech]
) -> Sequence[Spoken]:
    heard = Recognised()
    recogniser = recognition.recogniser(str(session), heard.take, partials=False)
    for speech in speeches:
        await recogniser.feed(from_bytes(speech.audio))
    await recogniser.flush()
    await recogniser.aclose()
    return heard.finals


def _expected(session: int, finals: Sequence[Spoken], silence: int) -> Expected:
    return Expected(
        session,
        tuple(
            Said(final.text, to_seconds(final.start), to_seconds(final.end), _words(final.words))
            for final in finals
        ),
        tuple(
            Heard(join_text(final.text for final in group), to_seconds(group[0].start),
                  to_seconds(group[-1].end))
            for group in split_utterances(finals, silence)
        ),
    )  # fmt: skip


def _words(words: Iterable[Word]) -> tuple[tuple[str, float, float], ...]:
    return tuple((word.text, to_seconds(word.start), to_seconds(word.end)) for word in words)
