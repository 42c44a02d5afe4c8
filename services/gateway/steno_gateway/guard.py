"""The one way in: every request passes here before its handler."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Final

from aiohttp import web

from steno_gateway.access import CALLER, session_named
from steno_gateway.domain.access import Caller, Right, needed
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.origins import check_origin, cors_headers, preflight_headers
from steno_gateway.services import SERVICES, Services, dialect_of, serve_socket
from steno_gateway.socket import Handling, Peer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

UNREAD_TIMES: Final = 2
"""So many times the bound of sending, the kernel keeps what a client does not read."""

REFUSED_BYTES: Final = 4 << 10
"""Longest frame of a client that is only told why it may not come in."""


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let a request through that may do what it asks for; the others are told why not."""
    services = request.app[SERVICES]
    _bound_unread(request.transport, UNREAD_TIMES * services.settings.send_seconds)
    if not request.headers.get("Sec-WebSocket-Key", "").isascii():
        raise ClientError("invalid_request", "the key of a WebSocket is base64")
    origin = request.headers.get("Origin")
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        check_origin(origin, request.host, services.access.origins)
        return web.Response(status=204, headers=preflight_headers())
    resource = request.match_info.route.resource
    right = None if resource is None else needed(request.method, resource.canonical)
    if right is None:
        return await handler(request)
    check_origin(origin, request.host, services.access.origins)
    try:
        request[CALLER] = _let_in(services, request, right)
    except ClientError as error:
        if not web.WebSocketResponse().can_prepare(request):
            raise
        return await _refuse_socket(request, error)
    return await handler(request)


def _bound_unread(transport: asyncio.Transport | None, seconds: float) -> None:
    """Have the kernel end a connection whose client takes nothing of what is sent for so long.

    A closed transport waits for its buffer to empty, for ever if nobody reads; and an answer is
    written after its handler is done, where no other bound holds.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux has it
    if transport is not None and option is not None:
        connection = transport.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, option, round(seconds * 1000))


def _let_in(services: Services, request: web.Request, right: Right) -> Caller:
    services.admission.handshake(services.access.address(request))
    caller = services.access.caller(request)
    caller.require(right, session_named(request))
    services.admission.handshake_of_key(caller.key)
    return caller


async def _refuse_socket(request: web.Request, error: ClientError) -> web.StreamResponse:
    """Tell on the socket: a browser shows no body of a refused handshake."""

    async def refuse(_services: Services, _peer: Peer) -> None:
        raise error

    return await serve_socket(request, refuse, dialect=dialect_of(request),
                              handling=Handling(REFUSED_BYTES))  # fmt: skip


async def add_cors_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Let the pages of allowed origins read an answer (a signal, since streams begin early)."""
    origins = request.app[SERVICES].access.origins
    headers = cors_headers(request.headers.get("Origin"), origins)
    if "Vary" in headers and "Vary" in response.headers:
        headers["Vary"] = f"{response.headers['Vary']}, {headers['Vary']}"
    response.headers.update(headers)
