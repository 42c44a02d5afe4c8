"""Destinations that a request names for its session."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec

from steno_common.destinations import (
    EVENTS,
    LONGEST_URL,
    Allowed,
    can_answer,
    check_events,
    check_url,
    secret_key,
)
from steno_common.messages import Destination
from steno_gateway.domain.errors import ClientError

MOST: Final = 4
LONGEST_SECRET: Final = 128

_NAMES: Final[Mapping[str, str]] = {"webhook": "hook", "relay": "relay", "pipeline": "pipeline"}


class DestinationRequest(msgspec.Struct, frozen=True):
    """One of `destinations` in a session request; the secret is never shown again."""

    kind: Literal["webhook", "relay", "pipeline"]
    url: Annotated[str, msgspec.Meta(max_length=LONGEST_URL)]
    secret: Annotated[str, msgspec.Meta(max_length=LONGEST_SECRET)] = ""
    events: Annotated[tuple[str, ...], msgspec.Meta(max_length=len(EVENTS))] = ()
    answers: bool = False
    """Its receiver says back the id of each message that it has kept."""


def named(asked: Sequence[DestinationRequest], allowed: Allowed) -> tuple[Destination, ...]:
    """Give what a request names, each with a name by its place; raises ClientError."""
    return tuple(_named(place, each, allowed) for place, each in enumerate(asked, 1))


def known(destination: Destination) -> bool:
    """Say whether a session can have been given this destination, allowed hosts left aside."""
    name, kind, url = destination.name, destination.kind, destination.url
    if not url:
        return destination == Destination(kind, kind)
    try:
        check_url(kind, url, Allowed(frozenset({urlsplit(url).hostname or ""})))
    except ValueError:
        return False
    if destination.answers and not can_answer(kind, url):
        return False
    return name in {f"{_NAMES[kind]}-{place}" for place in range(1, MOST + 1)}


def _named(place: int, asked: DestinationRequest, allowed: Allowed) -> Destination:
    try:
        check_url(asked.kind, asked.url, allowed)
        if asked.secret:
            secret_key(asked.secret)
        check_events(asked.kind, asked.events)
        if asked.answers and not can_answer(asked.kind, asked.url):
            raise ValueError("only a relay over WebSocket has answers")
    except ValueError as error:
        told = f"destination {place}: {error}"
        raise ClientError("invalid_destination", told) from error
    name = f"{_NAMES[asked.kind]}-{place}"
    return Destination(name, asked.kind, asked.url, asked.secret, asked.events, asked.answers)
