"""Messages of other services, in the terms of recognition and back."""

from steno_common.messages import Event, Prosody, Session, Warned
from steno_common.messages import Final as FinalEvent
from steno_common.messages import Partial as PartialEvent
from steno_common.units import to_seconds
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.recogniser import Partial, Span


def options_of(session: Session) -> Options:
    """Give what a session was created with, in the terms of recognition."""
    language = (session.language or "").lower().partition("-")[0]
    return Options(
        language=language or None,
        task=session.task,
        prompt=session.prompt,
        hotwords=", ".join(session.hotwords),
        locale=session.language or None,
    )


def partial_report(partial: Partial, sequence: int, commit: int, now_ms: int,
                   prosody: Prosody | None = None) -> PartialEvent:  # fmt: skip
    """Give a partial; `commit` commits came before it, `sequence` is the last chunk it covers."""
    return PartialEvent(
        text=partial.text,
        words=partial.words,
        start=partial.start,
        end=partial.end,
        confidence=partial.confidence,
        stability=partial.stability,
        sequence_number=sequence,
        commit=commit,
        language=partial.language,
        processing_ms=partial.processing_ms,
        created_ms=now_ms,
        prosody=prosody,
    )


def span_report(span: Span, sequence: int, commit: int, now_ms: int) -> FinalEvent | Warned | None:
    """Give what is to be told of a span that commit number `commit` finishes, if anything is."""
    if span.reason == "engine_failed" and span.speech_start < span.speech_end:
        return skipped_report(span.speech_start, span.speech_end)
    if span.hypothesis is None:
        return None
    return FinalEvent(
        text=span.hypothesis.text,
        words=span.hypothesis.words,
        start=span.speech_start,
        end=span.speech_end,
        confidence=span.hypothesis.confidence,
        sequence_number=sequence,
        commit=commit,
        language=span.hypothesis.language,
        prosody=span.prosody,
        processing_ms=span.processing_ms,
        created_ms=now_ms,
    )


def skipped_report(start: int, end: int) -> Warned:
    """Give the warning that these samples have no text."""
    message = f"no text for {to_seconds(start):.3f} s to {to_seconds(end):.3f} s"
    return Warned("segment_skipped", message, start, end)


def with_change(events: tuple[Event, ...], engine: str, border: int) -> tuple[Event, ...]:
    """Give what is told with the warning that another engine goes on behind a border.

    It comes behind a final, so that nothing of the final hangs on it, and before all else.
    """
    place = 1 if events and isinstance(events[0], FinalEvent) else 0
    message = f"engine {engine} goes on; nothing is lost"
    warning = Warned("engine_changed", message, border, border)
    return (*events[:place], warning, *events[place:])


def late_report(span: Span, seconds: float) -> Warned:
    """Give the warning that the final of a span comes so many seconds later than it should."""
    message = f"text is {seconds:.0f} s behind the audio; nothing is lost"
    return Warned("high_latency", message, span.speech_start, span.speech_end)
