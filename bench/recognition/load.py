"""A process of load: paced sessions over the native protocol.

Reads a job from standard input, writes what its sessions saw to standard output, both JSON.
"""

import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
from bench.recognition.fixture import Clip, read_clips
from bench.recognition.plan import Plan, chunk_bytes, plan_session
from bench.recognition.seen import Job, SeenFinal, SeenPartial, SeenSession, SeenWord, SessionJob

from steno_audio import SAMPLE_RATE

_CONNECT_SECONDS: Final = 1.5
"""How long before its first sample a session connects."""


class _Message(msgspec.Struct):
    """The fields of the server's messages that are looked at."""

    type: str
    sequence_number: int = 0
    event: int = 0
    credit: int = 0
    text_content: str = ""
    start_time: float = 0.0
    end_time: float = 0.0
    words: list[SeenWord] = []
    code: str = ""
    message: str = ""
    statistics: dict[str, float] = {}


_decode = msgspec.json.Decoder(_Message).decode


@dataclass(slots=True)
class _Client:
    """One session from its creation to its completion."""

    job: Job
    own: SessionJob
    plan: Plan
    clips: Sequence[Clip]
    seen: SeenSession
    _allowed: int = 0
    """Highest chunk that may be sent."""
    _credited: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, http: aiohttp.ClientSession) -> None:
        await _sleep_until(self.own.begin - _CONNECT_SECONDS)
        wanted = {"mime_type": "audio/pcm"}
        async with http.post(f"{self.job.url}/api/streaming/sessions", json=wanted) as made:
            made.raise_for_status()
            address = (await made.json())["websocket_url"]
        async with (
            http.ws_connect(self.job.url + address, max_msg_size=0) as ws,
            asyncio.TaskGroup() as tasks,
        ):
            sending = tasks.create_task(self._send(ws), name=f"send {self.own.index}")
            async for message in ws:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                self._take(_decode(message.data))
            sending.cancel()

    async def _send(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        size = self.job.chunk_samples
        for number, first in enumerate(range(0, self.plan.samples, size), 1):
            chunk = chunk_bytes(self.plan, self.clips, first, size)
            # A microphone gives a chunk when its last sample has been heard.
            due = self.own.begin + (first + len(chunk) // 2) / SAMPLE_RATE
            await _sleep_until(due)
            if number > self._allowed:
                await self._wait_for_credit(number)
            else:
                self.seen.late = max(self.seen.late, time.monotonic() - due)
            await ws.send_bytes(number.to_bytes(4) + chunk)
        await ws.send_str('{"type": "client:control", "action": "stop"}')

    async def _wait_for_credit(self, number: int) -> None:
        since = time.monotonic()
        while number > self._allowed:
            self._credited.clear()
            await self._credited.wait()
        self.seen.held += time.monotonic() - since

    def _take(self, message: _Message) -> None:
        at = time.monotonic() - self.own.begin
        match message.type:
            case "server:ack" | "server:session_created":
                self._allowed = message.sequence_number + message.credit
                self._credited.set()
            case "server:transcription_partial":
                self.seen.partials.append(SeenPartial(at, message.start_time, message.end_time))
            case "server:transcription_final":
                self.seen.finals.append(
                    SeenFinal(
                        at=at,
                        event=message.event,
                        sequence=message.sequence_number,
                        start=message.start_time,
                        end=message.end_time,
                        text=message.text_content,
                        words=message.words,
                    )
                )
            case "server:warning" if message.code != "segment_skipped":
                count = self.seen.warnings.get(message.code, 0)
                self.seen.warnings[message.code] = count + 1
            case "server:error" | "server:warning":
                self.seen.faults.append(f"{message.code}: {message.message}")
            case "server:session_completed":
                self.seen.completed = True
                self.seen.statistics = message.statistics


async def _sleep_until(moment: float) -> None:
    if (seconds := moment - time.monotonic()) > 0:
        await asyncio.sleep(seconds)


async def _follow(http: aiohttp.ClientSession, client: _Client) -> None:
    seconds = client.plan.samples / SAMPLE_RATE + client.job.drain_seconds
    until = client.own.begin - time.monotonic() + seconds
    try:
        async with asyncio.timeout(max(0.0, until)):
            await client.run(http)
    except* (aiohttp.ClientError, OSError) as group:
        client.seen.faults += [f"{type(error).__name__}: {error}" for error in group.exceptions]


async def run(job: Job) -> list[SeenSession]:
    """Run all sessions of a job."""
    clips = read_clips(Path(job.fixture))
    lengths = [len(clip.audio) for clip in clips]
    clients = [
        _Client(
            job=job,
            own=own,
            plan=plan_session(lengths, own.seconds, job.seed, own.index),
            clips=clips,
            seen=SeenSession(own.index, own.begin),
        )
        for own in job.sessions
    ]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as tasks:
        for client in clients:
            tasks.create_task(_follow(http, client), name=f"session {client.own.index}")
    return [client.seen for client in clients]


def main() -> int:
    """Do one job."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    seen: Any = []
    with contextlib.suppress(KeyboardInterrupt):
        seen = asyncio.run(run(job))
    sys.stdout.buffer.write(msgspec.json.encode(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main())
