"""Reading of events from the fields of the protocol."""

from steno_client.domain.events import (
    Completed,
    Final,
    Partial,
    Prosody,
    Statistics,
    Translation,
    Utterance,
    Warned,
    Word,
)
from steno_client.domain.fields import Fields


def _read_prosody(result: Fields) -> Prosody | None:
    fields = result.inner("prosody")
    if fields is None:
        return None
    return Prosody(fields.number("volume"), fields.number("rate"), fields.number("energy"))


def _read_words(fields: Fields) -> tuple[Word, ...]:
    return tuple(
        Word(
            word.text("word"),
            word.number("start"),
            word.number("end"),
            word.number("confidence"),
            word.optional_text("speaker"),
        )
        for word in fields.inners("words")
    )


def read_partial(fields: Fields) -> Partial:
    """Read a `server:transcription_partial`."""
    return Partial(
        text=fields.text("text_content"),
        start=fields.number("start_time"),
        end=fields.number("end_time"),
        confidence=fields.number("confidence"),
        stability=fields.number("stability"),
        language=fields.optional_text("language"),
        words=_read_words(fields),
        sequence_number=fields.integer("sequence_number", 0),
        prosody=_read_prosody(fields),
    )


def read_final(fields: Fields) -> Final:
    """Read a `server:transcription_final`."""
    return Final(
        event=fields.integer("event"),
        text=fields.text("text_content"),
        start=fields.number("start_time"),
        end=fields.number("end_time"),
        confidence=fields.number("confidence"),
        language=fields.optional_text("language"),
        words=_read_words(fields),
        prosody=_read_prosody(fields),
        sequence_number=fields.integer("sequence_number", 0),
    )


def read_utterance(fields: Fields) -> Utterance:
    """Read a `server:utterance`, or one of a transcript."""
    return Utterance(
        event=fields.integer("event", 0),
        index=fields.integer("index", 0),
        text=fields.text("text_content"),
        start=fields.number("start_time"),
        end=fields.number("end_time"),
        confidence=fields.number("confidence"),
        language=fields.optional_text("language"),
        first_event=fields.integer("first_event", 0),
        last_event=fields.integer("last_event", 0),
        prosody=_read_prosody(fields),
    )


def read_translation(fields: Fields) -> Translation:
    """Read a `server:translation`."""
    return Translation(
        event=fields.integer("event"),
        language=fields.text("language"),
        text=fields.text("text_content"),
        of=fields.integer("of", 0),
        start=fields.optional_number("start_time"),
        end=fields.optional_number("end_time"),
    )


def read_warned(fields: Fields) -> Warned:
    """Read a `server:warning`, or one of a transcript."""
    return Warned(
        fields.text("code"),
        fields.text("message", ""),
        fields.optional_integer("event"),
        fields.optional_number("start_time"),
        fields.optional_number("end_time"),
    )


def read_completed(fields: Fields) -> Completed:
    """Read a `server:session_completed`, or a transcript."""
    return Completed(
        event=fields.integer("event", 0),
        session_id=fields.text("session_id", ""),
        text=fields.text("text", ""),
        statistics=_read_statistics(fields.inner("statistics")),
        downloads=fields.texts("downloads"),
        utterances=tuple(read_utterance(item) for item in fields.inners("utterances")),
        warnings=tuple(read_warned(item) for item in fields.inners("warnings")),
    )


def _read_statistics(fields: Fields | None) -> Statistics:
    if fields is None:
        return Statistics()
    return Statistics(
        audio_chunks=fields.integer("audio_chunks", 0),
        received_seconds=fields.number("received_seconds"),
        transcribed_seconds=fields.number("transcribed_seconds"),
        silence_seconds=fields.number("silence_seconds"),
        received_samples=fields.integer("received_samples", 0),
        transcribed_samples=fields.integer("transcribed_samples", 0),
        silence_samples=fields.integer("silence_samples", 0),
        finals=fields.integer("finals", 0),
        utterances=fields.integer("utterances", 0),
        mean_latency_ms=fields.number("mean_latency_ms"),
    )
