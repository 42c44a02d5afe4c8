"""A gateway on a real Redis, with the test as its clients, its transcriber, its aggregator."""

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from bench.ports import free_port
from tests.redis_servers import RedisServer
from tests.waiting import PATIENCE_SECONDS, until

from steno_audio import AudioFormat, decoder_for
from steno_common.archive import Archive
from steno_common.destinations import Installed
from steno_common.health import listening
from steno_common.lifecycle import Lifecycle
from steno_common.messages import Completed, Event, Final, Partial, Statistics, Word, encode
from steno_common.store.doorbell import DoorbellStore
from steno_common.store.limits import Limits
from steno_common.store.link import Link, open_link
from steno_common.store.sessions import SessionStore, Snapshot
from steno_common.store.windows import WindowStore
from steno_common.store.work import Claim, Commit, Entry, WorkStore
from steno_common.store.workers import WorkerStore
from steno_gateway.access import open_access
from steno_gateway.admission import Admission
from steno_gateway.app import build
from steno_gateway.domain.pressure import Memory
from steno_gateway.feed import Feed
from steno_gateway.memory import watch_of
from steno_gateway.services import Services
from steno_gateway.settings import GatewaySettings
from steno_gateway.status import StatusBoard

SESSIONS = "/api/streaming/sessions"
NOBODY = "00000000-0000-4000-8000-000000000000"

Json = dict[str, Any]


def noise(seconds: float, rate: int = 16_000, channels: int = 1) -> bytes:
    """Give interleaved s16le samples that are the same every time."""
    values = np.random.default_rng(7).normal(0, 6_000, round(seconds * rate) * channels)
    return bytes(values.clip(-32_768, 32_767).astype("<i2").tobytes())


def cut(data: bytes, size: int) -> list[bytes]:
    """Cut bytes into chunks of one size."""
    return [data[at : at + size] for at in range(0, len(data), size)]


def decoded(mime_type: str, data: bytes) -> bytes:
    """Give what the decoder of a format makes of a whole recording."""
    decoder = decoder_for(AudioFormat.parse(mime_type))
    try:
        return decoder.decode(data) + decoder.finish()
    finally:
        decoder.close()


def word_final(text: str, start: int, end: int, sequence: int, commit: int) -> Final:
    """Give a final of one word."""
    return Final(text, (Word(text, start, end, 1.0),), start, end, 1.0, sequence, commit, "en")


@dataclass
class Hearer:
    """Whoever keeps all that it hears."""

    ws: aiohttp.ClientWebSocketResponse
    heard: list[Json] = field(default_factory=list)

    async def next(self) -> Json:
        """Hear one message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            frame = await self.ws.receive()
        assert frame.type is aiohttp.WSMsgType.TEXT, (frame, self.ws.close_code, self.heard)
        message: Json = json.loads(frame.data)
        self.heard.append(message)
        return message


@dataclass
class Client(Hearer):
    """A client that keeps all it hears."""

    greeting: Json = field(default_factory=dict)

    async def hear(self, kind: str, **fields: Any) -> Json:
        """Hear until a message of a kind has these fields."""
        while True:
            message = await self.next()
            if message["type"] == f"server:{kind}" and fields.items() <= message.items():
                return message

    async def hear_stored(self, sequence: int) -> Json:
        """Hear until chunks through a number are acknowledged."""
        while (ack := await self.hear("ack"))["sequence_number"] < sequence:
            pass
        return ack

    async def hear_done(self, sequence: int) -> None:
        """Hear until chunks through a number are said to be done."""
        while not any(ack["done"] >= sequence for ack in self.told("ack")):
            await self.next()

    async def hear_end(self) -> int:
        """Hear until the server closes; gives the close code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (frame := await self.ws.receive()).type is aiohttp.WSMsgType.TEXT:
                self.heard.append(json.loads(frame.data))
        code = self.ws.close_code
        assert code is not None
        return code

    def told(self, kind: str) -> list[Json]:
        """Give what was heard of a kind so far."""
        return [message for message in self.heard if message["type"] == f"server:{kind}"]

    async def chunks(self, chunks: Sequence[bytes], first: int = 1) -> None:
        """Send chunks as binary frames."""
        for number, data in enumerate(chunks, first):
            await self.ws.send_bytes(number.to_bytes(4) + data)

    async def say(self, kind: str, **fields: Any) -> None:
        """Send a message."""
        await self.ws.send_json({"type": f"client:{kind}", **fields})

    async def act(self, *actions: str) -> None:
        """Send actions."""
        for action in actions:
            await self.say("control", action=action)


@dataclass
class Gateway:
    """A running gateway with everything around it."""

    http: aiohttp.ClientSession
    services: Services
    link: Link
    address: str

    def __post_init__(self) -> None:
        self.store = self.services.store
        self.work = WorkStore(self.link, self.services.limits)
        self.windows = WindowStore(self.link, self.services.limits)
        self.doorbells = DoorbellStore(self.link, self.services.limits)
        self._claims: dict[str, Claim] = {}

    async def create(self, mime_type: str = "audio/pcm", **body: Any) -> str:
        """Create a session."""
        async with self.http.post(SESSIONS, json={"mime_type": mime_type, **body}) as answer:
            fields = await answer.json()
            assert answer.status == 201, fields
        session_id: str = fields["session_id"]
        return session_id

    @asynccontextmanager
    async def joined(self, session_id: str, last_event: int = 0) -> AsyncIterator[Client]:
        """Hold a socket of a session whose greeting was heard."""
        async with self.socket(f"{SESSIONS}/{session_id}/ws?last_event={last_event}") as client:
            client.greeting = await client.hear("session_created")
            yield client

    @asynccontextmanager
    async def recording(self, mime_type: str = "audio/pcm", **body: Any
                        ) -> AsyncIterator[tuple[str, Client]]:  # fmt: skip
        """Hold the first socket of a new session."""
        session_id = await self.create(mime_type, **body)
        async with self.joined(session_id) as client:
            yield session_id, client

    @asynccontextmanager
    async def socket(self, path: str) -> AsyncIterator[Client]:
        """Hold a socket."""
        async with self.http.ws_connect(path, max_msg_size=0) as ws:
            yield Client(ws)

    async def entries(self, session_id: str) -> list[Entry]:
        """Read all audio and markers that wait."""
        found = await self.work.read({session_id: "0-0"}, 200_000)
        return found.get(session_id, [])

    async def pcm(self, session_id: str) -> bytes:
        """Read all audio that waits."""
        return b"".join(entry.pcm for entry in await self.entries(session_id))

    async def marks(self, session_id: str) -> list[tuple[str, str]]:
        """Read the markers that wait, with their places."""
        found = await self.entries(session_id)
        return [(entry.entry_id, entry.marker) for entry in found if entry.marker]

    async def snapshot(self, session_id: str) -> Snapshot:
        """Read a session."""
        snapshot = await self.store.snapshot(session_id)
        assert snapshot is not None
        return snapshot

    async def status(self, session_id: str) -> str:
        """Read the state of a session."""
        return (await self.snapshot(session_id)).status

    async def marked(self, session_id: str, kind: str = "end") -> None:
        """Wait until a marker is in the audio."""

        async def holds() -> bool:
            return kind in [mark for _, mark in await self.marks(session_id)]

        await until(holds)

    async def became(self, session_id: str, *statuses: str) -> None:
        """Wait until a session is in one of these states."""

        async def holds() -> bool:
            return await self.status(session_id) in statuses

        await until(holds)

    async def claim(self, session_id: str) -> Claim:
        """Own a session as a transcriber does."""
        if session_id not in self._claims:
            shard = self.store.keys(session_id)
            for claim in await self.work.claim(shard, 100):
                self._claims[claim.session_id] = claim
        return self._claims[session_id]

    async def ring(self, session_id: str) -> None:
        """Ring as the notifier does; if nobody has subscribed yet, the sweep will find it."""
        await self.doorbells.publish([(session_id, b"")])

    async def commit(self, session_id: str, *texts: str, events: Sequence[Event] = (),
                     silent: bool = False, through: list[Entry] | None = None) -> None:  # fmt: skip
        """Commit all audio that waits, with a final of each text, with or without a doorbell.

        `through`: of what waits only this, which was read before.
        """
        waiting = await self.entries(session_id) if through is None else through
        claim = await self.claim(session_id)
        checkpoint = await self.work.checkpoint(session_id)
        assert checkpoint is not None
        start = checkpoint.offset
        samples = sum(len(entry.pcm) // 2 for entry in waiting)
        last = waiting[-1] if waiting else None
        number = checkpoint.commits
        for text in texts or ("",):
            number += 1
            end, done = start + samples, last.sequence if last else checkpoint.done
            finals = [word_final(text, start, end, done, number)] if text else []
            consumed = last.entry_id if last else checkpoint.consumed
            done_all = Commit(number, consumed, done, end, end, "", end, samples, 0,
                              [*finals, *events])  # fmt: skip
            assert await self.work.commit(claim, done_all)
            start, samples = end, 0
        if not silent:
            await self.ring(session_id)

    async def partial(self, session_id: str, text: str, commit: int = 0) -> int:
        """Publish a partial as the notifier does; gives the number of gateways that heard."""
        partial = Partial(text, (), 0, 100, 1.0, 0.5, 1, commit)
        return await self.doorbells.publish([(session_id, encode(partial))])

    async def complete(self, session_id: str, text: str = "") -> None:
        """End a session as the aggregator does."""
        statistics = Statistics(0, 0, 0, 0, 0, 0, 0)
        completed = Completed(text, statistics, ("txt", "json", "srt", "vtt"))
        assert await self.windows.complete(session_id, completed)
        await self.ring(session_id)

    async def finish(self, session_id: str, *texts: str) -> None:
        """Do to a session whose input has ended what is left to do."""
        await self.marked(session_id)
        await self.commit(session_id, *texts)
        await self.complete(session_id, " ".join(texts))


class Faults(logging.Handler):
    """What went wrong inside the gateway without anybody being told."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.told.append(self.format(record))


@asynccontextmanager
async def running(server: RedisServer, folder: Path, limits: Json | None = None,
                  machine: Callable[[], Memory | None] | None = None,
                  installed: Installed | None = None,
                  clock: Callable[[], float] = time.monotonic,
                  **settings: Any) -> AsyncIterator[Gateway]:  # fmt: skip
    """Run a gateway; at the end nothing of it may be left, and nothing unexpected happened.

    With a `machine` it watches memory, that of Redis too. By the `clock` it counts requests.
    """
    bounds = Limits(redis_url=server.url, **(limits or {}))
    faults = Faults()
    logging.getLogger().addHandler(faults)
    try:
        async with open_link(bounds.redis_url) as link, asyncio.TaskGroup() as tasks:
            store = SessionStore(link, bounds)
            feed, chosen = Feed(store), GatewaySettings(output=str(folder), **settings)
            life, admission = Lifecycle(), Admission(chosen, clock)
            board = StatusBoard(life, admission, WorkerStore(link, bounds))
            services = Services(chosen, bounds, store, feed, Archive(chosen.output), admission,
                                life, open_access(chosen), installed or Installed(),
                                memory=watch_of(chosen), status=board)  # fmt: skip
            running = [tasks.create_task(feed.run(), name="feed")]
            if machine is not None:
                watching = services.memory.run(link.memory, machine)
                running.append(tasks.create_task(watching, name="watch memory"))
            before = asyncio.all_tasks()
            port = free_port()
            address = f"http://127.0.0.1:{port}"
            async with (
                listening(build(services), "127.0.0.1", port),
                aiohttp.ClientSession(
                    # Idle connections end here before they do at the gateway.
                    address,
                    connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=2.0),
                    auto_decompress=False,
                ) as http,
            ):
                yield Gateway(http, services, link, address)
            await until(lambda: _nothing_left(before))
            assert services.memory.inflow.waiting_bytes == 0
            for task in running:
                task.cancel()
    finally:
        logging.getLogger().removeHandler(faults)
    assert faults.told == []


async def _nothing_left(before: set[asyncio.Task[Any]]) -> bool:
    ours = ("receive", "store", "acknowledge", "deliver", "watch", "idle", "dismiss", "listener",
            "upload", "heed", "keep", "heartbeat")  # fmt: skip
    names = [task.get_name() for task in asyncio.all_tasks() - before if not task.done()]
    decoders = [thread for thread in threading.enumerate() if thread.name == "steno-demuxer"]
    return not decoders and not any(name.startswith(ours) for name in names)


async def read_events(response: aiohttp.ClientResponse, how_many: int | None = None
                      ) -> list[tuple[str, str | None, Json]]:  # fmt: skip
    """Read Server-Sent Events: name, id, data; through the end, or as many as asked for."""
    found: list[tuple[str, str | None, Json]] = []
    fields: dict[str, str] = {}
    for _ in count():
        if len(found) == how_many:
            return found
        async with asyncio.timeout(PATIENCE_SECONDS):
            line = (await response.content.readline()).decode()
        if not line:
            return found
        if line == "\n":
            if "data" in fields:
                found.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.rstrip("\n").partition(": ")
            fields[name] = value
    return found
