"""Sessions for tests of the aggregator: logs and transcripts by hand and by chance."""

from collections.abc import Sequence

from hypothesis import strategies as st

from steno_aggregator.domain.transcript import Transcript, compose
from steno_common.messages import Event, Final, Numbered, Session, Statistics, Word
from steno_common.units import SAMPLE_RATE

SILENCE = 3 * SAMPLE_RATE
CREATED_MS = 1_700_000_000_123
SESSION_ID = "0b0f8a52-6d0f-4f39-9d8f-3f1f6f6f0001"


def final(start: float, end: float, text: str = "words", words: Sequence[Word] = ()) -> Final:
    """A final between two times in seconds."""
    return Final(
        text=text,
        words=tuple(words),
        start=round(start * SAMPLE_RATE),
        end=round(end * SAMPLE_RATE),
        confidence=0.5,
        sequence_number=1,
        commit=1,
        language="en",
    )


def word(text: str, start: float, end: float, speaker: str | None = None) -> Word:
    """A word between two times in seconds."""
    return Word(text, round(start * SAMPLE_RATE), round(end * SAMPLE_RATE), 0.9, speaker)


def numbered(events: Sequence[Event], first: int = 1) -> list[Numbered]:
    """A log with consecutive numbers."""
    return [Numbered(number, event) for number, event in enumerate(events, first)]


def transcript(log: Sequence[Numbered], *, received: float = 60, language: str | None = None,
               metadata: dict[str, str] | None = None) -> Transcript:  # fmt: skip
    """The transcript of a log; half of what was received is speech."""
    session = Session(SESSION_ID, CREATED_MS, "audio/pcm", language=language,
                      metadata=metadata or {})  # fmt: skip
    samples = round(received * SAMPLE_RATE)
    finals = sum(isinstance(entry.event, Final) for entry in log)
    statistics = Statistics(chunks=600, received=samples, transcribed=samples // 2,
                            silence=samples - samples // 2, finals=finals, utterances=0,
                            mean_latency_ms=350)  # fmt: skip
    return compose(session, statistics, log)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=120) | st.sampled_from(
    [
        "",
        "2\n\n3\n00:00:01,000 --> 00:00:02,000\nnot a cue",
        "<b>bold</b> & {\\an8}up -->",
        "WEBVTT NOTE STYLE 1 2 3",
        "long" * 50,
    ]
)


@st.composite
def spoken(draw: st.DrawFn) -> list[Final]:
    """Finals in order, with the words an engine may give: its own, others, none."""
    finals, at = [], 0
    for _ in range(draw(st.integers(0, 6))):
        start = at + draw(st.integers(0, 5 * SAMPLE_RATE))
        end = start + draw(st.integers(1, 30 * SAMPLE_RATE))
        text = draw(texts)
        words = tuple(draw(st.lists(_words(start, end), max_size=8)))
        if draw(st.booleans()):
            parts = text.split()
            step = (end - start) // max(len(parts), 1)
            words = tuple(
                Word(part, start + n * step, start + (n + 1) * step, 0.9, draw(_speakers))
                for n, part in enumerate(parts)
            )
        finals.append(Final(text, words, start, end, 0.5, sequence_number=1, commit=1))
        at = end
    return finals


def _words(start: int, end: int) -> st.SearchStrategy[Word]:
    return st.builds(
        Word, st.text(max_size=12), st.integers(start, end), st.integers(start, end), st.just(0.9),
        _speakers,
    )  # fmt: skip


_speakers = st.none() | st.sampled_from(["0", "1@2.5", "a > b & <c>\n"])
