"""Events as a webhook takes them: CloudEvents 1.0 in their structured JSON form."""

from typing import Final

import msgspec

from steno_common.messages import Event, Partial, Session, Translation, Utterance
from steno_common.messages import Final as FinalEvent
from steno_common.public import Json, event_message, iso, translation_message
from steno_notifier.domain.outgoing import NAMES, Parcel

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
TYPE: Final = "dev.steno.session.{}.v1"
"""What an event is called elsewhere, by its name in Steno."""
LARGE_BYTES: Final = 20_000
"""A final that is larger goes without its words: many receivers would refuse it."""


def webhook_form(parcel: Parcel) -> bytes | None:
    """Give the body of an event, None for one that says nothing to others.

    It follows from the log alone, so it has the same bytes on every try.
    """
    session, event = parcel.session, parcel.event
    if isinstance(event, Partial) or (data := _data(parcel.number, session, event)) is None:
        return None
    body: Json = {
        "specversion": "1.0",
        "id": parcel.id,
        "source": f"/api/streaming/sessions/{session.session_id}",
        "type": TYPE.format(NAMES[type(event)]),
        "subject": session.name or session.session_id,
        **_time(parcel),
        "datacontenttype": "application/json",
        "sequence": f"{parcel.number:010}",
        "data": data,
    }
    encoded = msgspec.json.encode(body)
    if len(encoded) > LARGE_BYTES and data.pop("words", None):
        encoded = msgspec.json.encode(body)
    return encoded


def _data(number: int, session: Session, event: Event) -> Json | None:
    """Give what clients read of an event."""
    if isinstance(event, Translation):
        return translation_message(session.session_id, number, event)
    return event_message(session.session_id, number, event)


def _time(parcel: Parcel) -> Json:
    """Give when it happened, for events of which the log says so."""
    match parcel.event:
        case FinalEvent(created_ms=made) | Translation(created_ms=made):
            moments = [made]
        case Utterance():
            moments = [final.event.created_ms for final in parcel.finals
                       if isinstance(final.event, FinalEvent)]  # fmt: skip
        case _:
            moments = []
    newest = max(moments, default=0)
    return {"time": iso(newest)} if newest else {}
