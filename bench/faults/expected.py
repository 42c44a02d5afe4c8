"""What a run should have given: each session's audio through the recogniser alone, once."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final

from bench.faults.history import Expected, Heard, Said
from bench.faults.speech import Speech

from steno_common.messages import Word
from steno_common.units import to_samples, to_seconds
from steno_common.utterances import join_text, split_utterances
from steno_transcriber.domain.samples import from_bytes
from steno_transcriber.recognise import Heard as Recognised
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings

NUMBERED: Final = RecognitionSettings(engine="numbered")


async def expect(
    said: Mapping[int, Sequence[Speech]],
    silence_seconds: float,
    alone: RecognitionSettings = NUMBERED,
) -> AsyncIterator[Expected]:
    """Give what an engine alone makes of each session's audio."""
    async with open_recognition(alone) as recognition:
        for session, speeches in said.items():
            heard = Recognised()
            recogniser = recognition.recogniser(str(session), heard.take, partials=False)
            for speech in speeches:
                await recogniser.feed(from_bytes(speech.audio))
            await recogniser.flush()
            await recogniser.aclose()
            groups = split_utterances(heard.finals, to_samples(silence_seconds))
            yield Expected(
                session,
                tuple(
                    Said(final.text, to_seconds(final.start), to_seconds(final.end),
                         _words(final.words))
                    for final in heard.finals
                ),
                tuple(
                    Heard(join_text(final.text for final in group), to_seconds(group[0].start),
                          to_seconds(group[-1].end))
                    for group in groups
                ),
            )  # fmt: skip


def _words(words: Iterable[Word]) -> tuple[tuple[str, float, float], ...]:
    return tuple((word.text, to_seconds(word.start), to_seconds(word.end)) for word in words)
