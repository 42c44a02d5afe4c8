"""A gateway on a real socket that plays the protocol, with faults by script."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

SESSION = "6f1cbe9e-2f4f-4d6e-8a1b-0d6c7a1f9a11"
DOCUMENTS = {"json": '{"text": "whole"}', "srt": "1\n", "vtt": "WEBVTT\n", "txt": "whole\n"}


@dataclass(frozen=True)
class Plan:
    """What goes wrong on one connection."""

    refuse: int | None = None
    """HTTP status in place of a connection."""
    drop_after: int | None = None
    """Abort when so many chunks are stored, before any acknowledgement of the last."""
    drop_before_completed: bool = False
    mute: bool = False
    """Say nothing after the greeting."""
    ignore_chunks: bool = False
    """Answer pings only."""
    goaway_after: int | None = None
    close_after: tuple[int, int] | None = None
    """Stored chunks, close code."""
    errors: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By the number of the chunk that is refused, once."""
    stop_errors: tuple[dict[str, Any], ...] = ()
    """In place of obeying `stop`, one at a time."""
    credit: int = 100


class FakeGateway:
    """One session; every chunk becomes a final, every two finals an utterance."""

    def __init__(self) -> None:
        self.url = ""
        self.plans: deque[Plan] = deque()
        self.creation_failures: deque[int] = deque()
        self.download_failures: deque[int] = deque()
        self.block_failures: deque[int] = deque()
        self.container = False
        self.status = "connected"
        self.epoch = "a"
        self.chunks: list[bytes] = []
        self.done = 0
        self.events: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.connections = 0
        self.last_events: list[int] = []
        self.choices: list[tuple[str | None, str | None]] = []
        """`language`, `original` of each listener."""
        self.controls: list[str] = []
        self.blocks: list[tuple[str, bytes]] = []
        self.block_queries: list[list[tuple[str, str]]] = []
        self.deleted: list[str] = []
        self.shown: list[str | None] = []
        """What each request had for `Authorization`."""
        self.warnings: list[dict[str, Any]] = []
        """Told behind all finals."""
        self.transcribing = True
        """False: chunks are stored, not done."""
        self.grown = asyncio.Condition()

    @property
    def audio(self) -> bytes:
        """Everything stored."""
        return b"".join(self.chunks)

    async def stored(self, size: int) -> None:
        """Wait until so many bytes of audio are stored."""
        async with self.grown:
            await self.grown.wait_for(lambda: len(self.audio) >= size)

    def application(self) -> web.Application:
        app = web.Application()
        app.on_response_prepare.append(self.note_authorization)
        base = "/api/streaming/sessions"
        app.router.add_post(base, self.create)
        app.router.add_get(base + "/{id}/ws", self.attach)
        app.router.add_get(base + "/{id}/listen", self.listen)
        app.router.add_post("/api/transcriptions", self.block)
        app.router.add_get("/api/transcripts", self.listing)
        app.router.add_get("/api/transcripts/{id}.{kind}", self.document)
        app.router.add_delete("/api/transcripts/{id}", self.delete)
        return app

    async def note_authorization(self, request: web.Request, _: web.StreamResponse) -> None:
        self.shown.append(request.headers.get("Authorization"))

    async def create(self, request: web.Request) -> web.Response:
        if self.creation_failures:
            return refusal(self.creation_failures.popleft())
        self.requests.append(await request.json())
        self.chunks, self.events, self.done, self.status = [], [], 0, "connected"
        return web.json_response({"session_id": SESSION, "status": "connecting"}, status=201)

    async def attach(self, request: web.Request) -> web.StreamResponse:
        plan = self.plans.popleft() if self.plans else Plan()
        if plan.refuse is not None:
            return refusal(plan.refuse)
        self.connections += 1
        self.last_events.append(int(request.query["last_event"]))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await Exchange(self, plan, request, socket).play(self.last_events[-1])
        return socket

    async def listen(self, request: web.Request) -> web.StreamResponse:
        plan = self.plans.popleft() if self.plans else Plan()
        if plan.refuse is not None:
            return refusal(plan.refuse)
        last_event = int(request.query["last_event"])
        self.last_events.append(last_event)
        self.choices.append((request.query.get("language"), request.query.get("original")))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json(
            {"type": "server:session_created", "session_id": SESSION, "status": self.status}
        )
        for event in self.events[last_event : plan.drop_after]:
            await socket.send_json(event)
        await socket.close(code=1012 if plan.drop_after else 1000)
        return socket

    async def block(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self.block_failures:
            return refusal(self.block_failures.popleft())
        self.blocks.append((request.headers["Content-Type"], body))
        self.block_queries.append(list(request.query.items()))
        return web.json_response(
            {
                "session_id": "block",
                "text": "the whole recording",
                "utterances": [utterance(0, 0, "the whole recording")],
                "downloads": {"srt": "/api/transcripts/block.srt"},
                "warnings": [warning | {"event": 7} for warning in self.warnings],
            }
        )

    async def listing(self, request: web.Request) -> web.Response:
        line = {
            "id": "t1",
            "start_time": "2024-01-02T03:04:05Z",
            "duration_seconds": 65.5,
            "text": "hi",
        }
        return web.json_response({"transcripts": [line][: int(request.query["limit"])]})

    async def document(self, request: web.Request) -> web.Response:
        if self.download_failures:
            return refusal(self.download_failures.popleft())
        return web.Response(text=DOCUMENTS[request.match_info["kind"]])

    async def delete(self, request: web.Request) -> web.Response:
        self.deleted.append(request.match_info["id"])
        return web.Response(status=204)

    def record(self, event: dict[str, Any]) -> None:
        self.events.append(event | {"event": len(self.events) + 1})

    def transcribe(self) -> None:
        """Make finals of what is stored."""
        while self.done < len(self.chunks) and self.transcribing:
            self.done += 1
            self.record(final(f"word{self.done}", self.done))

    def finish(self) -> None:
        self.transcribe()
        for warning in self.warnings:
            self.record({"type": "server:warning"} | warning)
        words = [event["text_content"] for event in self.events if "final" in event["type"]]
        for index in range(0, len(words), 2):
            self.record(utterance(index // 2, 0, " ".join(words[index : index + 2])))
        self.record(
            {
                "type": "server:session_completed",
                "session_id": SESSION,
                "text": " ".join(words),
                "statistics": {"audio_chunks": len(self.chunks), "finals": len(words)},
                "downloads": {kind: f"/api/transcripts/{SESSION}.{kind}" for kind in DOCUMENTS},
            }
        )
        self.status = "completed"


class Exchange:
    """One connection of the fake."""

    def __init__(
        self,
        gateway: FakeGateway,
        plan: Plan,
        request: web.Request,
        socket: web.WebSocketResponse,
    ) -> None:
        self.gateway = gateway
        self.plan = plan
        self.request = request
        self.socket = socket
        self.errors = dict(plan.errors)
        self.stop_errors = deque(plan.stop_errors)
        self.told = 0  # events
        self.missing = False

    async def play(self, last_event: int) -> None:
        gateway = self.gateway
        self.told = last_event
        self.next = 1 if gateway.container else len(gateway.chunks) + 1
        await self.say(
            "session_created",
            session_id=SESSION,
            status=gateway.status,
            epoch=gateway.epoch,
            sequence_number=len(gateway.chunks),
            done=gateway.done,
            credit=self.plan.credit,
            last_event=len(gateway.events),
            resend_from=self.next,
            container=gateway.container,
        )
        if await self.tell_events():
            return
        async for frame in self.socket:
            if self.plan.mute:
                continue
            if frame.type is WSMsgType.BINARY:
                over = await self.chunk(int.from_bytes(frame.data[:4], "big"), frame.data[4:])
            else:
                over = await self.message(json.loads(frame.data))
            if over:
                return

    async def say(self, kind: str, **fields: Any) -> None:
        await self.socket.send_json({"type": f"server:{kind}", **fields})

    async def tell_events(self) -> bool:
        gateway = self.gateway
        while self.told < len(gateway.events):
            event = gateway.events[self.told]
            if event["type"] == "server:session_completed" and self.plan.drop_before_completed:
                return self.abort()
            await self.socket.send_json(event)
            self.told += 1
        if gateway.status == "completed":
            await self.socket.close()
            return True
        return False

    def abort(self) -> bool:
        transport = self.request.transport
        assert transport is not None
        transport.abort()
        return True

    async def chunk(self, number: int, audio: bytes) -> bool:
        gateway = self.gateway
        if self.plan.ignore_chunks:
            return False
        if number in self.errors:
            self.missing = True
            error = self.errors.pop(number)
            await self.say("error", resend_from=number, message="", **error)
            if error["code"] == "duration_limit":
                gateway.finish()
            return await self.tell_events()
        if number > self.next:
            assert self.missing, f"chunk {number} came, {self.next} did not"
            return False
        self.missing = False
        self.next = max(self.next, number + 1)
        if number > len(gateway.chunks):
            gateway.chunks.append(audio)
            gateway.status = "recording"
        else:
            assert gateway.chunks[number - 1] == audio
        return await self.after_chunk()

    async def after_chunk(self) -> bool:
        gateway, plan = self.gateway, self.plan
        if len(gateway.chunks) == plan.drop_after:
            return self.abort()
        async with gateway.grown:
            gateway.grown.notify_all()
        await self.acknowledge()
        if plan.close_after is not None and len(gateway.chunks) == plan.close_after[0]:
            await self.socket.close(code=plan.close_after[1])
            return True
        if len(gateway.chunks) == plan.goaway_after:
            await self.say("status", status="goaway", in_ms=20)
        return False

    async def acknowledge(self) -> None:
        gateway = self.gateway
        gateway.transcribe()
        await self.say(
            "ack",
            sequence_number=len(gateway.chunks),
            done=gateway.done,
            credit=self.plan.credit,
        )
        await self.tell_events()

    async def message(self, message: dict[str, Any]) -> bool:
        gateway = self.gateway
        if message["type"] == "client:ping":
            await self.say("pong", timestamp=message["timestamp"])
            if gateway.chunks and not self.plan.ignore_chunks:
                await self.acknowledge()
            return False
        action = message["action"]
        gateway.controls.append(action)
        if action == "stop":
            if self.stop_errors:
                await self.say("error", message="", **self.stop_errors.popleft())
                return False
            gateway.finish()
            return await self.tell_events()
        states = {"pause": "paused", "resume": "recording"}
        gateway.status = states.get(action, gateway.status)
        return False


def final(text: str, at: int) -> dict[str, Any]:
    return {
        "type": "server:transcription_final",
        "text_content": text,
        "start_time": at - 1.0,
        "end_time": float(at),
        "confidence": 0.5,
    }


def utterance(index: int, event: int, text: str) -> dict[str, Any]:
    return {
        "type": "server:utterance",
        "event": event,
        "index": index,
        "text_content": text,
        "start_time": 0.0,
        "end_time": 1.0,
        "confidence": 0.5,
    }


def refusal(status: int) -> web.Response:
    codes = {404: "session_not_found", 422: "undecodable_audio", 429: "rate_limited"}
    body = {
        "type": "server:error",
        "code": codes.get(status, "store_unavailable"),
        "message": f"status {status}",
        "retryable": status in (429, 503),
    }
    return web.json_response(body, status=status)


@asynccontextmanager
async def running(gateway: FakeGateway, port: int = 0) -> AsyncIterator[FakeGateway]:
    """Serve on loopback."""
    runner = web.AppRunner(gateway.application(), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        gateway.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield gateway
    finally:
        await runner.cleanup()
