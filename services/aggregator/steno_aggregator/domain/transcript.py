"""The transcript of a session, a function of its log alone."""

from collections.abc import Iterable

import msgspec

from steno_aggregator.domain.window import language_of
from steno_common.messages import (
    MANY_LANGUAGES,
    Final,
    Numbered,
    Session,
    Statistics,
    Translation,
    Utterance,
    Warned,
)
from steno_common.public import (
    Json,
    iso,
    spoken_fields,
    statistics_fields,
    utterance_fields,
    warning_fields,
    word_fields,
)
from steno_common.units import to_seconds
from steno_common.utterances import join_text


class Transcript(msgspec.Struct, frozen=True):
    """What is saved of a session, in samples; two aggregators compose the same."""

    session: Session
    statistics: Statistics
    finals: tuple[tuple[int, Final], ...]
    """Each with its number in the log."""
    utterances: tuple[Utterance, ...]
    translations: tuple[Translation, ...] = ()
    """Those that had come by the end, in the order of what was said."""
    warnings: tuple[tuple[int, Warned], ...] = ()
    """Each with its number in the log."""

    @property
    def text(self) -> str:
        """All that was said."""
        return join_text(final.text for _, final in self.finals)

    @property
    def language(self) -> str | None:
        """The language spoken, else the one that was asked for; None if that was any."""
        asked = self.session.language
        spoken = language_of(final for _, final in self.finals)
        return spoken or (None if asked == MANY_LANGUAGES else asked)

    @property
    def start_time(self) -> str:
        """When the session was created: ISO 8601 with milliseconds, UTC."""
        return iso(self.session.created_ms)


def compose(session: Session, statistics: Statistics, log: Iterable[Numbered]) -> Transcript:
    """Gather the finals with their utterances from the whole log of a session."""
    finals, utterances, translations, warnings = [], [], [], []
    for entry in log:
        if isinstance(entry.event, Final):
            finals.append((entry.number, entry.event))
        elif isinstance(entry.event, Utterance):
            utterances.append(entry.event)
        elif isinstance(entry.event, Translation):
            translations.append((entry.event.event or entry.number, entry.event))
        elif isinstance(entry.event, Warned):
            warnings.append((entry.number, entry.event))
    translations.sort(key=lambda placed: placed[0])
    return Transcript(session, statistics, tuple(finals), tuple(utterances),
                      tuple(each for _, each in translations), tuple(warnings))  # fmt: skip


def document(transcript: Transcript) -> Json:
    """Give the transcript as a user reads it."""
    spoken = dict(transcript.finals)
    translations = [_translation(each, spoken.get(each.event)) for each in transcript.translations]
    return {
        "session_id": transcript.session.session_id,
        "user_id": transcript.session.user_id,
        "start_time": transcript.start_time,
        "duration_seconds": to_seconds(transcript.statistics.received),
        "language": transcript.language,
        "text": transcript.text,
        "utterances": [utterance_fields(utterance) for utterance in transcript.utterances],
        "segments": [_segment(number, final) for number, final in transcript.finals],
        **({"translations": translations} if translations else {}),
        "warnings": [
            {"event": number, **warning_fields(warning)} for number, warning in transcript.warnings
        ],
        "statistics": statistics_fields(transcript.statistics),
        "metadata": dict(transcript.session.metadata),
    }


def _segment(number: int, final: Final) -> Json:
    return {
        "event": number,
        **spoken_fields(final),
        "words": word_fields(final.words),
    }


def _translation(translation: Translation, final: Final | None) -> Json:
    return {
        "language": translation.language,
        "of": translation.event,
        "text_content": translation.text,
        "start_time": None if final is None else to_seconds(final.start),
        "end_time": None if final is None else to_seconds(final.end),
    }
