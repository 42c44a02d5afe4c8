"""What the worker sees of recognition: audio of one session in, partials with spans out."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, Protocol

from steno_common.messages import Prosody, Word
from steno_transcriber.domain.hypothesis import Hypothesis
from steno_transcriber.domain.samples import Samples

SpanReason = Literal["silence", "pause", "cut", "flush", "engine_failed"]
"""What ended a span; `engine_failed`: the engine was given up, so speech in it has no words, but
another engine may go on before it. Such a span alone may be empty."""


@dataclass(frozen=True, slots=True)
class Partial:
    """The words of the open segment so far; may change. Positions are samples of the session.

    Without words it says that there is none in what the engine has heard.
    """

    start: int
    """First sample of speech."""
    end: int
    """Sample after the last one decoded."""
    text: str
    words: tuple[Word, ...]
    stability: float
    """Share of the words that successive hypotheses agree on, 0 to 1."""
    confidence: float
    language: str | None
    processing_ms: int


@dataclass(frozen=True, slots=True)
class Span:
    """A closed piece of the session, speech or silence; spans tile it without a hole.

    Positions are samples of the session. All but `processing_ms`, `work` and `engine_seconds`
    follows from the audio alone.
    """

    start: int
    end: int
    speech_start: int
    speech_end: int
    """Bounds of speech, equal where there was none."""
    hypothesis: Hypothesis | None
    """None in silence, where no word was understood or where the engine failed."""
    context: str
    """With `end`, the checkpoint: what a recogniser needs to go on after this span."""
    prosody: Prosody | None
    reason: SpanReason
    decided: int
    """Sample after the last one that had to be heard to close it, not before `end`."""
    processing_ms: int
    work: tuple[float, float] | None = field(default=None, compare=False)
    """When the engine began with it and was done, in seconds of the event loop's clock."""
    engine_seconds: float = field(default=0.0, compare=False)
    """Time of the engine that its words took, those of its partials too."""


Emit = Callable[[Partial | Span], Awaitable[None]]
"""Takes each event; spans come in order, a span comes after all partials of its segment."""


class Recogniser(Protocol):
    """Recognition of one session from a checkpoint on; its calls must not overlap."""

    @property
    def pending(self) -> int:
        """Samples that wait for the engine: closed speech not decoded, audio not sent."""

    async def feed(self, samples: Samples) -> None:
        """Take the next samples; returns when more may come.

        On top of windows, the spans they close are emitted by then; those of a stream follow when
        its engine has said what is in them, and the errors of emitting them pass through the next
        call. Errors of `emit` pass through; the recogniser is of no use after one.
        """

    async def flush(self) -> None:
        """Close and emit everything up to the last sample; nothing is emitted after it."""

    async def aclose(self) -> None:
        """Stop without closing anything: the audio since the last span is to be fed again."""
