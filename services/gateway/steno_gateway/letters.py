"""Dead letters over HTTP: what could not be delivered is looked at, sent again, thrown away."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from steno_common.letters import Letter
from steno_common.public import Json
from steno_common.store.letters import FIRST, LetterId, LetterStore, Wanted
from steno_gateway.domain.access import LETTER, LETTERS
from steno_gateway.domain.errors import ClientError
from steno_gateway.services import SERVICES

USUAL: Final = 50
MOST: Final = 500
AT_A_TIME: Final = 500
"""Letters in one round trip when all of them are meant."""


def _store(request: web.Request) -> LetterStore:
    services = request.app[SERVICES]
    return LetterStore(services.store.link, services.limits)


def _letter_id(request: web.Request, text: str) -> LetterId:
    """Read the id of a letter; raises ClientError `letter_not_found` for what can be none."""
    try:
        letter_id = LetterId.read(text)
    except ValueError as error:
        raise ClientError("letter_not_found", "no such letter") from error
    if letter_id.shard >= request.app[SERVICES].limits.shards:
        raise ClientError("letter_not_found", "no such letter")
    return letter_id


def _wanted(request: web.Request, *paging: str) -> Wanted:
    """Read which letters are meant; raises ClientError for what would silently mean all of them."""
    chosen = request.query
    if not set(chosen) <= {"destination", "session_id", *paging}:
        raise ClientError("invalid_message", "letters are chosen by destination and session_id")
    if "" in (chosen.get("destination"), chosen.get("session_id")):
        raise ClientError("invalid_message", "a choice is empty: leave it out to mean all letters")
    return Wanted(chosen.get("destination", ""), chosen.get("session_id", ""))


def described(letter_id: LetterId, letter: Letter) -> Json:
    """Give what may be known of a letter: no text, no secret, of a URL only where it leads."""
    parts = urlsplit(letter.destination.url)
    return {
        "id": str(letter_id),
        "delivery_id": letter.id,
        "session_id": letter.session.session_id,
        "destination": letter.destination.name,
        "kind": letter.destination.kind,
        "host": parts.hostname,
        "event": letter.number,
        "event_type": letter.event.__struct_config__.tag,
        "reason": letter.reason,
        "tries": letter.tries,
        "time": _time(letter_id.at_ms),
        "event_time": _time(letter.created_ms) if letter.created_ms else None,
    }


def _time(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


async def list_letters(request: web.Request) -> web.Response:
    """`GET /api/letters`."""
    text = request.query.get("limit", f"{USUAL}")
    if not (text.isascii() and text.isdecimal() and 0 < len(text) < 6):
        raise ClientError("invalid_message", "the limit is a whole number")
    limit = min(max(int(text), 1), MOST)
    after = request.query.get("after")
    begin = _letter_id(request, after) if after else FIRST
    letters: list[Json] = []
    more = False
    async for letter_id, letter in _store(request).find(_wanted(request, "limit", "after"), begin):
        if len(letters) == limit:
            more = True
            break
        letters.append(described(letter_id, letter))
    return web.json_response({"letters": letters, "next": letters[-1]["id"] if more else None})


async def _pages(request: web.Request) -> AsyncIterator[list[tuple[LetterId, Letter]]]:
    """Give all letters that a request means, some at a time."""
    page: list[tuple[LetterId, Letter]] = []
    async for entry in _store(request).find(_wanted(request)):
        page.append(entry)
        if len(page) == AT_A_TIME:
            yield page
            page = []
    if page:
        yield page


async def replay_letters(request: web.Request) -> web.Response:
    """`POST /api/letters/replay`."""
    store = _store(request)
    count = sum([await store.resend(page) async for page in _pages(request)])
    return web.json_response({"replaying": count}, status=202)


async def replay_letter(request: web.Request) -> web.Response:
    """`POST /api/letters/{letter_id}/replay`."""
    store, letter_id = _store(request), _letter_id(request, request.match_info["letter_id"])
    letter = await store.read(letter_id)
    if letter is None or not await store.resend([(letter_id, letter)]):
        raise ClientError("letter_not_found", "no such letter")
    return web.json_response({"replaying": 1}, status=202)


async def delete_letters(request: web.Request) -> web.Response:
    """`DELETE /api/letters`."""
    store = _store(request)
    count = 0
    async for page in _pages(request):
        count += await store.dispose([letter_id for letter_id, _ in page])
    return web.json_response({"deleted": count})


async def delete_letter(request: web.Request) -> web.Response:
    """`DELETE /api/letters/{letter_id}`."""
    letter_id = _letter_id(request, request.match_info["letter_id"])
    if not await _store(request).dispose([letter_id]):
        raise ClientError("letter_not_found", "no such letter")
    return web.Response(status=204)


def add_letter_routes(app: web.Application) -> None:
    """Serve dead letters from an application."""
    app.router.add_get(LETTERS, list_letters)
    app.router.add_delete(LETTERS, delete_letters)
    app.router.add_post(LETTERS + "/replay", replay_letters)
    app.router.add_delete(LETTER, delete_letter)
    app.router.add_post(LETTER + "/replay", replay_letter)
