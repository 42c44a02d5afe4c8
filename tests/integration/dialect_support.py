"""Clients of the other protocols, who know nothing of ours."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from tests.integration.gateway_support import PATIENCE_SECONDS, Gateway, Hearer, running, until
from tests.redis_servers import RedisServer

from steno_common.store.link import patiently
from steno_common.store.workers import Report, WorkerStore

Json = dict[str, Any]

READY = Report(room=9, hard_room=9, strained=False)


@dataclass
class Speaker(Hearer):
    """A client that keeps all it hears."""

    async def hear(self, kind: str, **fields: Any) -> Json:
        """Hear until a message of a kind has these fields."""
        while True:
            message = await self.next()
            if message["type"] == kind and fields.items() <= message.items():
                return message

    async def hear_end(self) -> int | None:
        """Hear until the server closes; gives the close code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (frame := await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                self.heard.append(json.loads(frame.data))
        return self.ws.close_code

    async def audio(self, name: str, *chunks: bytes, **more: Any) -> None:
        """Send chunks of a session to `/sendAudio`."""
        for chunk in chunks:
            await self.ws.send_json(
                {"action": "sendAudio", "sessionId": name, "timestamp": 1_699_500_000_000,
                 "audioData": base64.b64encode(chunk).decode(), **more}
            )  # fmt: skip

    async def end(self, name: str) -> None:
        """End a session of `/sendAudio`."""
        await self.ws.send_json({"action": "endSession", "sessionId": name})


@asynccontextmanager
async def speaking(gateway: Gateway, path: str, **options: Any) -> AsyncIterator[Speaker]:
    """Hold a socket."""
    async with gateway.http.ws_connect(path, max_msg_size=0, **options) as ws:
        yield Speaker(ws)


async def session_ids(gateway: Gateway) -> list[str]:
    """Give the ids of all sessions, in the order of their creation."""
    found = []
    for node in await gateway.link.atlas.all_nodes():
        async for key in node.data.scan_iter("steno:*:session:*"):
            found.append(key.decode().rpartition(":")[2])  # noqa: PERF401
    shots = [await gateway.snapshot(each) for each in found]
    shots.sort(key=lambda shot: shot.session.created_ms)
    return [shot.session.session_id for shot in shots]


async def only_session(gateway: Gateway) -> str:
    """Wait for the one session that there is; gives its id."""
    await until(lambda: _some(gateway))
    (session_id,) = await session_ids(gateway)
    return session_id


async def _some(gateway: Gateway) -> bool:
    return bool(await session_ids(gateway))


async def session_of(gateway: Gateway, name: str, key: str | None = None) -> str:
    """Wait until a name stands for a session; gives its id."""
    headers = {} if key is None else {"X-Api-Key": key}
    found: list[str] = []

    async def there() -> bool:
        path = f"/api/streaming/sessions?name={name}"
        async with gateway.http.get(path, headers=headers) as answer:
            fields = await answer.json()
            assert answer.status == 200, fields
        found.extend(each["session_id"] for each in fields["sessions"])
        return bool(found)

    await until(there)
    return found[0]


async def stored(gateway: Gateway, session_id: str, samples: int) -> None:
    """Wait until so much audio of a session is in Redis."""

    async def holds() -> bool:
        return (await gateway.snapshot(session_id)).received >= samples

    await until(holds)


@asynccontextmanager
async def engine(gateway: Gateway) -> AsyncIterator[None]:
    """Have a transcriber say that it is there, as often as one does."""
    workers = WorkerStore(gateway.link, gateway.services.limits)

    async def beat() -> None:
        while True:
            await patiently(partial(workers.beat, "one", READY))
            await asyncio.sleep(1)

    await workers.beat("one", READY)
    beating = asyncio.create_task(beat())
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait({beating})
        await workers.leave("one")


@asynccontextmanager
async def conversing(
    server: RedisServer, folder: Path, path: str, limits: Json | None = None, **settings: Any
) -> AsyncIterator[tuple[Gateway, Speaker]]:
    """Hold a socket of a gateway behind which there is a transcriber; see `running`."""
    async with (
        running(server, folder, limits, **settings) as gateway,
        engine(gateway),
        speaking(gateway, path) as client,
    ):
        yield gateway, client
