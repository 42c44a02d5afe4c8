"""Spans of a notifier: tries of deliveries."""

from steno_common import tracing
from steno_common.messages import Partial
from steno_notifier.domain.outgoing import NAMES, Parcel, Verdict


def attempt(parcel: Parcel) -> tracing.Scope:
    """Trace a try, where its session's trace is the current one; partials are too many for that."""
    if isinstance(parcel.event, Partial):
        return tracing.NOTHING
    return tracing.span(
        "deliver", session=parcel.session.session_id, number=parcel.number,
        event=NAMES[type(parcel.event)], destination=parcel.destination.name,
        attempt=parcel.tries + 1,
    )  # fmt: skip


def judged(verdict: Verdict) -> None:
    """Say in the span of a try what became of it."""
    tracing.note(outcome=verdict.kind)
    if verdict.kind != "delivered":
        tracing.failed(verdict.reason)
