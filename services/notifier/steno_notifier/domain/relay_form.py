"""The texts between two silences, as a downstream receiver takes them."""

from typing import Final

import msgspec

from steno_common.messages import Final as FinalEvent
from steno_common.messages import Utterance
from steno_common.public import Json, time_of_day
from steno_common.units import to_seconds
from steno_notifier.domain.outgoing import Parcel

CONTENT_TYPE: Final = "application/json"


def relay_form(parcel: Parcel) -> bytes | None:
    """Give the items since the last message, each with the time of day its text was made.

    None for what is no utterance. It follows from the log alone, so it has the same bytes on every
    try.
    """
    if not isinstance(parcel.event, Utterance):
        return None
    return msgspec.json.encode(
        {
            "id": parcel.id,
            "session_id": parcel.session.session_id,
            "session_name": parcel.session.name or None,
            "utterance": parcel.event.index,
            "items": [_item(final.event) for final in parcel.finals
                      if isinstance(final.event, FinalEvent)],
        }
    )  # fmt: skip


def _item(final: FinalEvent) -> Json:
    return {
        "timestamp": time_of_day(final.created_ms),
        "text": final.text,
        "start_time": to_seconds(final.start),
        "end_time": to_seconds(final.end),
    }
