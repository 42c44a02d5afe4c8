"""The doors of other protocols, all into the same sessions."""

from aiohttp import web

from steno_gateway.dialects.send_audio import send_audio
from steno_gateway.dialects.simple import live, state
from steno_gateway.domain.dialects.doors import LIVE, SEND_AUDIO, STATE


def add_dialect_routes(app: web.Application) -> None:
    """Serve them from an application."""
    app.router.add_get(LIVE, live)
    app.router.add_get(STATE, state)
    app.router.add_get(SEND_AUDIO, send_audio)
