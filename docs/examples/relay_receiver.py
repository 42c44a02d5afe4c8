#!/usr/bin/env python3
"""The second server of a relay: takes the texts of each utterance over WebSocket or HTTP.

    python relay_receiver.py [PORT]

Needs aiohttp. Set STENO_RELAY_URL to ws://HOST:PORT/ or http://HOST:PORT/. Prints each text with
its time of day; put your own work into `handle`.
"""

import json
import sys
from contextlib import suppress

from aiohttp import WSMsgType, web

SEEN = set()
"""Ids of messages: Steno may repeat one after a failure. Keep yours in a database."""


def handle(message):
    """Do something with the texts since the last message."""
    for item in message["items"]:
        print(item["timestamp"], item["text"], flush=True)


def take(text):
    """Handle a message unless it came before; gives its id."""
    message = json.loads(text)
    if message["id"] not in SEEN:
        handle(message)
        SEEN.add(message["id"])
    return message["id"]


async def over_websocket(request):
    """Take messages, and say back the id of each, also of one that came before.

    With STENO_RELAY_ANSWERS=true it is tried again until its id was said. Without, Steno ignores
    what is said.
    """
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    with suppress(ConnectionError):  # Steno went: what it has no answer to comes again
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await socket.send_str(take(message.data))
    return socket


async def over_http(request):
    """Take one message."""
    take(await request.text())
    return web.Response(status=204)


if __name__ == "__main__":
    app = web.Application()
    app.router.add_get("/", over_websocket)
    app.router.add_post("/", over_http)
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]) if len(sys.argv) > 1 else 9001)
