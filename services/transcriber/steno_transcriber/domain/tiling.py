"""Spans out of what a stream engine says: they tile the samples, whatever becomes of the streams.

A span is closed for good by a final, by the clean end of a stream, or by silence of which neither
the engine nor the local detector knows a word. What lies behind the last border is kept, so that
a new stream can begin there after a loss. Positions and lengths are samples of the session.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from steno_common.messages import Word
from steno_common.units import SAMPLE_BYTES, SAMPLE_RATE
from steno_transcriber.domain.activity import Activity
from steno_transcriber.domain.results import Result
from steno_transcriber.domain.samples import Samples, from_bytes
from steno_transcriber.domain.stream_time import StreamTime

SILENCE: Final = SAMPLE_RATE
"""Silence is released in pieces of at least this length."""
LEAD: Final = 6_400
"""Audio before speech that is left to it, so that its first word is whole."""

DOUBT: Final = SAMPLE_RATE // 4
"""Speech by the local detector that is too much to have no word; less is the echo of one."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a stream may leave audio without a final."""

    settle: int = 2 * SAMPLE_RATE
    """After it, in audio as in time, silence of which no result speaks is silence."""
    unheard: int = 20 * SAMPLE_RATE
    """Since speech by the local detector of which no result speaks, before the stream is asked to
    end; from three quarters of it on that is done where nobody speaks."""
    open: int = 40 * SAMPLE_RATE
    """Audio without a border, likewise."""
    stream: int = 14_100 * SAMPLE_RATE
    """Age of a stream, in audio, from which on it is asked to end where nobody speaks."""
    grace: int = 60 * SAMPLE_RATE
    """How much older it may get if there is always someone who speaks."""


@dataclass(frozen=True, slots=True, eq=False)
class Closed:
    """Samples `start` to `end`, closed for good; in silence `speech_start` is `speech_end`."""

    start: int
    end: int
    speech_start: int
    speech_end: int
    words: tuple[Word, ...] = ()
    language: str | None = None
    speech: Samples | None = None
    """The samples between the bounds of speech."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A result in positions of the session, without words that are finished already."""

    start: int
    end: int
    words: tuple[Word, ...]
    stability: float
    """Share of the words that will not change, 0 to 1."""
    language: str | None


class Tiling:
    """One session: `border <= sent <= received` after every call."""

    def __init__(self, position: int, patience: Patience) -> None:
        self.border = self.sent = self.received = position
        self._patience = patience
        self._pcm = bytearray()
        """From the border on."""
        self.activity = Activity(position)
        self._said = position
        """Position up to which the words are finished; silence may have moved the border on."""
        self._time = StreamTime(position)
        self._open: dict[str, int] = {}
        """Start of each segment that has no final yet."""
        self._finished: set[str] = set()
        """Segments of this stream that have one."""

    @property
    def unsent(self) -> int:
        """Samples that the stream has not been given."""
        return self.received - self.sent

    def take(self, samples: Samples, speech: Iterable[bool]) -> None:
        """Keep the next samples, with what the judge said of the frames they complete."""
        self._pcm += samples.astype("<i2").tobytes()
        self.received += len(samples)
        self.activity.add(speech)

    def rewind(self) -> None:
        """Begin anew at the border: another stream, of which nothing is known."""
        self.sent = self.border
        self._time = StreamTime(self.border)
        self._open.clear()
        self._finished.clear()

    def send(self, most: int) -> Samples:
        """Give the next samples for the stream; they count as sent."""
        piece = self._samples(self.sent, min(self.received, self.sent + most))
        self.sent += len(piece)
        self._time.add_audio(len(piece))
        return piece

    def send_silence(self, samples: int) -> None:
        """Count silence that only keeps the stream open."""
        self._time.add_silence(samples)

    def show(self, result: Result) -> Shown | None:
        """Take a result that may still change; None if it has nothing to show."""
        if result.segment in self._finished:
            return None
        words = self._words(result)
        self._open[result.segment] = max(self.border, self._position(result.start))
        if not words:
            return None
        stable = sum(word.stable for word in result.words)
        return Shown(
            start=words[0].start,
            end=max(words[-1].end, self._position(result.end)),
            words=words,
            stability=round(min(1.0, stable / len(result.words)), 3),
            language=result.language,
        )

    def finish(self, result: Result) -> list[Closed]:
        """Take a final: the silence before it, then its span; nothing if that is known already."""
        self._finished.add(result.segment)
        self._open.pop(result.segment, None)
        words = self._words(result)
        end = max(self._position(result.end), *(word.end for word in words), self.border)
        if words and end == self.border:
            end = min(self.sent, self.border + SAMPLE_RATE // 10)
        if end == self.border:
            return []
        closed = []
        if words and words[0].start - self.border >= SILENCE + LEAD:
            closed.append(self._silence(words[0].start - LEAD))
        closed.append(self._close(end, words, result.language))
        self._said = self.border
        return closed

    def rest(self, due: int) -> Closed | None:
        """Give silence that is silence for sure, if there is enough of it.

        `due`: position up to which the engine has had the time to speak of what it was sent.
        """
        spoken = min((self.activity.judged, *self._open.values()))
        end = min(due, self.sent - self._patience.settle, spoken - LEAD)
        # Speech that begins right behind it keeps its lead too: another engine may go on there.
        if (speech := self.activity.speech(self.border, end + LEAD)) is not None:
            end = speech[0] - LEAD
        return self._silence(end) if end - self.border >= SILENCE else None

    @property
    def leaves_speech(self) -> bool:
        """Whether the stream has been given speech of which it has not said a word."""
        return self.activity.spoken(self.border, self.sent) >= DOUBT

    def end(self) -> Closed | None:
        """Close what is left of the stream's audio: its end came, and no word was in it."""
        self._open.clear()
        closed = self._silence(self.sent) if self.sent > self.border else None
        self._said = self.border
        return closed

    def give_up(self, *, whole: bool) -> Closed:
        """Close what was received: no stream will say anything of it.

        Unless it has to be the whole, silence is closed as far as it is known to be some, which may
        be nothing: what lies behind may be the beginning of a word for whoever goes on.
        """
        self.rewind()
        bounds = self.activity.speech(self.border, self.received)
        if bounds is None:
            known = max(self.border, min(self.activity.judged, self.received) - LEAD)
            self.sent = self.received if whole else known
            return self._silence(self.sent)
        self.sent = self.received
        closed = Closed(self.border, self.received, *bounds)
        self._move(self.received)
        self._said = self.border
        return closed

    def nothing(self) -> Closed:
        """Give an empty piece at the border: another engine might go on there."""
        return Closed(self.border, self.border, self.border, self.border)

    def is_turn_due(self) -> bool:
        """Say whether the stream should be asked to end, so that what it owes is said.

        An end in the middle of a word costs the word, so it first looks for a place where nobody
        speaks.
        """
        patience, unclosed = self._patience, self.sent - self.border
        speech = None if self._open else self.activity.speech(self.border, self.sent)
        unheard = 0 if speech is None else self.sent - speech[0]
        if unheard >= patience.unheard or unclosed >= patience.open:
            return True
        if self._time.sent >= patience.stream + patience.grace:
            return True
        due = (
            unheard >= patience.unheard * 3 // 4
            or unclosed >= patience.open * 3 // 4
            or self._time.sent >= patience.stream
        )
        return due and self.activity.speech(self.sent - SAMPLE_RATE // 2, self.sent) is None

    def _position(self, seconds: float) -> int:
        return min(max(self._time.position(seconds), self.border), self.sent)

    def _words(self, result: Result) -> tuple[Word, ...]:
        """Give the words that are not finished yet, moved behind the border."""
        placed = []
        for word in result.words:
            first, last = self._time.position(word.start), self._time.position(word.end)
            if (first + last) // 2 < self._said:
                continue
            start = self._position(word.start)
            end = max(start, self._position(word.end))
            speaker = self._time.speaker(word.speaker)
            placed.append(Word(word.text, start, end, word.confidence, speaker))
        return tuple(placed)

    def _silence(self, end: int) -> Closed:
        closed = Closed(self.border, end, self.border, self.border)
        self._move(end)
        return closed

    def _close(self, end: int, words: tuple[Word, ...], language: str | None) -> Closed:
        if not words:
            return self._silence(end)
        first = min(words[0].start, end - 1)
        last = max(words[-1].end, first + 1)
        speech = self._samples(first, last)
        closed = Closed(self.border, end, first, last, words, language, speech)
        self._move(end)
        return closed

    def _samples(self, first: int, last: int) -> Samples:
        at = slice((first - self.border) * SAMPLE_BYTES, (last - self.border) * SAMPLE_BYTES)
        return from_bytes(bytes(self._pcm[at]))

    def _move(self, border: int) -> None:
        del self._pcm[: (border - self.border) * SAMPLE_BYTES]
        self.border = border
        self.activity.forget(border)
