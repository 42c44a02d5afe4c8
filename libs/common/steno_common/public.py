"""Results as users read them: seconds, ISO 8601, and the field names of docs/protocol.md."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from steno_common.messages import Final as FinalEvent
from steno_common.messages import Partial, Prosody, Statistics, Utterance, Word
from steno_common.units import to_seconds

Json = dict[str, Any]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(milliseconds: int) -> str:
    """Give a time of day in ISO 8601 with milliseconds, UTC."""
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def probability(value: float) -> float:
    """Give a confidence or stability, rounded."""
    return round(value, 3)


def spoken_fields(result: Partial | FinalEvent | Utterance) -> Json:
    """Give what partials, finals and utterances have in common; `prosody` where it is measured."""
    prosody = prosody_fields(result.prosody)
    return {
        "text_content": result.text,
        "start_time": to_seconds(result.start),
        "end_time": to_seconds(result.end),
        "confidence": probability(result.confidence),
        "language": result.language,
        **({} if prosody is None else {"prosody": prosody}),
    }


def word_fields(words: tuple[Word, ...]) -> list[Json]:
    """Give the words of a result."""
    return [
        {
            "word": word.text,
            "start": to_seconds(word.start),
            "end": to_seconds(word.end),
            "confidence": probability(word.confidence),
        }
        for word in words
    ]


def prosody_fields(prosody: Prosody | None) -> Json | None:
    """Give how a segment was spoken, None if it was not measured."""
    return None if prosody is None else msgspec.structs.asdict(prosody)


def utterance_fields(utterance: Utterance) -> Json:
    """Give an utterance."""
    return {
        "index": utterance.index,
        **spoken_fields(utterance),
        "first_event": utterance.first_event,
        "last_event": utterance.last_event,
    }


def statistics_fields(statistics: Statistics) -> Json:
    """Give the accounting of a session in seconds and samples."""
    counted = {name: getattr(statistics, name) for name in ("received", "transcribed", "silence")}
    return {
        "audio_chunks": statistics.chunks,
        **{f"{name}_seconds": to_seconds(samples) for name, samples in counted.items()},
        **{f"{name}_samples": samples for name, samples in counted.items()},
        "finals": statistics.finals,
        "utterances": statistics.utterances,
        "mean_latency_ms": statistics.mean_latency_ms,
    }
