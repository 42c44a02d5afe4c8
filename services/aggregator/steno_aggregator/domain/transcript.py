"""The transcript of a session, a function of its log alone."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from steno_aggregator.domain.window import language_of
from steno_common.messages import Final, Numbered, Session, Statistics, Utterance, Word
from steno_common.units import to_seconds
from steno_common.utterances import join_text

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Transcript(msgspec.Struct, frozen=True):
    """What is saved of a session, in samples; two aggregators compose the same."""

    session: Session
    statistics: Statistics
    finals: tuple[tuple[int, Final], ...]
    """Each with its number in the log."""
    utterances: tuple[Utterance, ...]

    @property
    def text(self) -> str:
        """All that was said."""
        return join_text(final.text for _, final in self.finals)

    @property
    def language(self) -> str | None:
        """The language spoken, else the one that was asked for."""
        return language_of(final for _, final in self.finals) or self.session.language

    @property
    def start_time(self) -> str:
        """When the session was created: ISO 8601 with milliseconds, UTC."""
        moment = _EPOCH + timedelta(milliseconds=self.session.created_ms)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def compose(session: Session, statistics: Statistics, log: Iterable[Numbered]) -> Transcript:
    """Gather the finals with their utterances from the whole log of a session."""
    finals, utterances = [], []
    for entry in log:
        if isinstance(entry.event, Final):
            finals.append((entry.number, entry.event))
        elif isinstance(entry.event, Utterance):
            utterances.append(entry.event)
    return Transcript(session, statistics, tuple(finals), tuple(utterances))


def document(transcript: Transcript) -> Json:
    """Give the transcript as a user reads it: seconds, and the field names of the protocol."""
    return {
        "session_id": transcript.session.session_id,
        "user_id": transcript.session.user_id,
        "start_time": transcript.start_time,
        "duration_seconds": to_seconds(transcript.statistics.received),
        "language": transcript.language,
        "text": transcript.text,
        "utterances": [_utterance(utterance) for utterance in transcript.utterances],
        "segments": [_segment(number, final) for number, final in transcript.finals],
        "statistics": _statistics(transcript.statistics),
        "metadata": dict(transcript.session.metadata),
    }


def _utterance(utterance: Utterance) -> Json:
    return {
        "index": utterance.index,
        "text_content": utterance.text,
        **_bounds(utterance),
        "confidence": round(utterance.confidence, 3),
        "language": utterance.language,
        "first_event": utterance.first_event,
        "last_event": utterance.last_event,
    }


def _segment(number: int, final: Final) -> Json:
    spoken = final.prosody
    return {
        "event": number,
        "text_content": final.text,
        **_bounds(final),
        "confidence": round(final.confidence, 3),
        "language": final.language,
        "prosody": None if spoken is None else msgspec.structs.asdict(spoken),
        "words": [_word(word) for word in final.words],
    }


def _bounds(spoken: Utterance | Final) -> Mapping[str, float]:
    return {"start_time": to_seconds(spoken.start), "end_time": to_seconds(spoken.end)}


def _word(word: Word) -> Json:
    return {
        "word": word.text,
        "start": to_seconds(word.start),
        "end": to_seconds(word.end),
        "confidence": round(word.confidence, 3),
    }


def _statistics(statistics: Statistics) -> Json:
    counts = {name: getattr(statistics, name) for name in ("received", "transcribed", "silence")}
    return {
        "audio_chunks": statistics.chunks,
        **{f"{name}_seconds": to_seconds(samples) for name, samples in counts.items()},
        **{f"{name}_samples": samples for name, samples in counts.items()},
        "finals": statistics.finals,
        "utterances": statistics.utterances,
        "mean_latency_ms": statistics.mean_latency_ms,
    }
