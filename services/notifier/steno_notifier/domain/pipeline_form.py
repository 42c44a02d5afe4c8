"""Transcripts as a translation pipeline takes them."""

from typing import Final

import msgspec

from steno_common.messages import MANY_LANGUAGES, Partial, Prosody, Session
from steno_common.messages import Final as FinalEvent
from steno_common.public import probability, prosody_fields
from steno_notifier.domain.outgoing import Parcel

CONTENT_TYPE: Final = "application/json"
NEUTRAL: Final = Prosody(volume=0.5, rate=1.0, energy=0.5)
"""Stands where nothing was measured."""
UNKNOWN_LANGUAGE: Final = "auto"
"""Asks a translator to find it; Amazon Translate and others know this word."""


def pipeline_form(parcel: Parcel) -> bytes | None:
    """Give exactly the fields of the contract with pipelines, None for what is no transcript.

    `timestamp` is when the text was made, in ms since 1970. It follows from the log alone, so it
    has the same bytes on every try.
    """
    session, result = parcel.session, parcel.event
    if not isinstance(result, FinalEvent | Partial):
        return None
    stability = result.stability if isinstance(result, Partial) else 1.0
    return msgspec.json.encode(
        {
            "sessionId": session.name or session.session_id,
            "sourceLanguage": _language(session, result),
            "transcriptText": result.text,
            "isPartial": isinstance(result, Partial),
            "stabilityScore": probability(stability),
            "timestamp": result.created_ms,
            "emotionDynamics": prosody_fields(result.prosody or NEUTRAL),
        }
    )


def _language(session: Session, result: FinalEvent | Partial) -> str:
    if result.language:
        return result.language
    if session.language and session.language != MANY_LANGUAGES:
        return session.language
    return UNKNOWN_LANGUAGE
