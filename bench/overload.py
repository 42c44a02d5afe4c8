"""Twice the sessions that fit: who is refused, what the others feel, how soon it is over.

    .venv/bin/python -m bench.overload --fit 10 --seconds 10

Starts a Redis and the four services on ports of their own, with the engine for tests, whose
windows cost what `--window-ms` says. Three times `--seconds`: as many sessions as fit, then as many
again beside them, then the first ones alone. Once with a gateway that knows how many fit, once with
one that lets all in, so that the engine is short of time.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from bench.durability import Server
from bench.installation import installation
from bench.pipeline import CHUNK, RATE, row, talk

from steno_standalone.find import find_binaries

PATH: Final = "/api/streaming/sessions"
REFUSED: Final = 1.0
"""How long a refused session waits before it asks again, if it is not told longer."""


@dataclass
class Felt:
    """What clients have measured; moments and latencies in seconds."""

    acks: list[tuple[float, float]] = field(default_factory=list)
    finals: list[tuple[float, float]] = field(default_factory=list)
    partials: list[tuple[float, float]] = field(default_factory=list)
    warned: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    admitted: int = 0
    completed: int = 0
    lost: int = 0

    def between(self, name: str, begin: float, end: float) -> list[float]:
        """Give the latencies of one kind that ended in this time."""
        return [took for at, took in getattr(self, name) if begin <= at < end]

    def recovered(self, since: float, bound: float) -> float:
        """Give how long after `since` the last final was later than `bound`."""
        late = [at for at, took in self.finals if at >= since and took > bound]
        return max(late, default=since) - since


class Caller:
    """One session at real-time pace, within its credit."""

    def __init__(self, http: aiohttp.ClientSession, audio: bytes, felt: Felt) -> None:
        self._http, self._audio, self._felt = http, audio, felt
        self._sent: dict[int, float] = {}
        self._next = self._limit = 1
        self._told = asyncio.Event()

    async def call(self, until: float) -> None:
        """Ask until let in, or until then; talk until then, hear the end."""
        while time.monotonic() < until:
            async with self._http.post(PATH, json={"mime_type": "audio/pcm"}) as made:
                answer = await made.json()
                wait = float(made.headers.get("Retry-After", REFUSED))
            if made.status == 201:
                self._felt.admitted += 1
                async with self._http.ws_connect(answer["websocket_url"]) as ws:
                    sending = asyncio.create_task(self._send(ws, until))
                    await self._hear(ws)
                    await sending
                return
            self._felt.refused[answer["code"]] += 1
            await asyncio.sleep(min(wait, max(0.0, until - time.monotonic())))

    async def _send(self, ws: aiohttp.ClientWebSocketResponse, until: float) -> None:
        begin, size = time.monotonic(), 2 * CHUNK
        while time.monotonic() < until:
            number = self._next
            if number >= self._limit:
                self._told.clear()
                await asyncio.wait({asyncio.create_task(self._told.wait())}, timeout=1)
                continue
            await asyncio.sleep(max(0.0, begin + number * CHUNK / RATE - time.monotonic()))
            place = (number - 1) * size % len(self._audio)
            self._sent.setdefault(number, time.monotonic())
            self._next = number + 1
            await ws.send_bytes(number.to_bytes(4) + self._audio[place : place + size])
        await ws.send_json({"type": "client:control", "action": "stop"})

    async def _hear(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        stored = 0
        async for message in ws:
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            answer: dict[str, Any] = json.loads(message.data)
            now, number = time.monotonic(), answer.get("sequence_number", 0)
            match answer["type"].removeprefix("server:"):
                case "session_created" | "ack":
                    fresh = range(stored + 1, number + 1)
                    self._felt.acks += [(now, now - self._sent[n]) for n in fresh]
                    stored, self._limit = number, number + answer["credit"] + 1
                    self._told.set()
                case "transcription_partial":
                    self._felt.partials.append((now, now - self._sent[number]))
                case "transcription_final":
                    self._felt.finals.append((now, now - self._sent[number]))
                case "warning":
                    self._felt.warned[answer["code"]] += 1
                case "error":
                    self._felt.refused[answer["code"]] += 1
                    self._next = answer.get("resend_from", self._next)
                case "session_completed":
                    self._felt.completed += 1
                    counted = answer["statistics"]
                    heard = counted["transcribed_samples"] + counted["silence_samples"]
                    self._felt.lost += len(self._sent) * CHUNK - heard


@contextmanager
def redis(maxmemory_mb: int) -> Iterator[str]:
    """Run a Redis in a folder of its own; gives its address."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    options = ("--appendonly", "yes", "--appendfsync", "no", "--maxmemory-policy", "noeviction",
               "--maxmemory", f"{maxmemory_mb}mb")  # fmt: skip
    server = Server(find_binaries()[0].path, folder, options, {"PATH": os.defpath})
    server.start()
    try:
        yield server.url
    finally:
        server.kill()
        shutil.rmtree(folder)


async def overload(url: str, asked: argparse.Namespace) -> None:
    """Run the three phases, print what was felt."""
    first, surplus = Felt(), Felt()
    audio = talk(7 * 3.5)
    begin, length = time.monotonic(), asked.seconds
    async with (
        aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for number in range(asked.fit):
            # At different places of their speech, so that pauses do not come together.
            own = audio[number * 2 * CHUNK * 3 :] + audio[: number * 2 * CHUNK * 3]
            tasks.create_task(Caller(http, own, first).call(begin + 3 * length))
            await asyncio.sleep(1 / asked.fit)
        await asyncio.sleep(begin + length - time.monotonic())
        for _ in range(asked.fit):
            tasks.create_task(Caller(http, audio, surplus).call(begin + 2 * length))
    print(f"surplus: {surplus.admitted} of {asked.fit} admitted, refused {dict(surplus.refused)}")
    print(f"{'latency (ms) of the first':>32}{'count':>8}{'p50':>9}{'p95':>9}{'p99':>9}{'max':>9}")
    for place, phase in enumerate(("before", "during", "after")):
        for kind in ("acks", "partials", "finals"):
            # The first second of a phase belongs to the one before it.
            times = begin + place * length + 1, begin + (place + 1) * length
            found = row(f"{kind} {phase}", first.between(kind, *times))
            print(f"{found['measure']:>32}{found['count']:>8}" + "".join(
                f"{found.get(name, ''):>9}" for name in ("p50", "p95", "p99", "max")))  # fmt: skip
    finals = first.between("finals", begin, begin + length)
    bound = 1.5 * max(finals, default=0.0)
    print(f"finals as before {first.recovered(begin + 2 * length, bound):.1f} s after it was over")
    admitted, completed = first.admitted + surplus.admitted, first.completed + surplus.completed
    print(f"warnings {dict(first.warned + surplus.warned)}, completed {completed} of {admitted}, "
          f"samples lost {first.lost + surplus.lost}")  # fmt: skip


async def run(asked: argparse.Namespace) -> None:
    """Measure both gateways."""
    for name, most in (("knows what fits", asked.fit), ("lets all in", 10 * asked.fit)):
        print(f"\na gateway that {name} (STENO_MAX_SESSIONS={most})")
        settings = {
            "STENO_MAX_SESSIONS": str(most),
            "STENO_SCRIPTED_WINDOW_SECONDS": str(asked.window_ms / 1000),
            "STENO_SCRIPTED_REALTIME_FACTOR": str(asked.factor),
            "STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": "1000", "STENO_LOG_LEVEL": "ERROR",
        }  # fmt: skip
        with redis(asked.maxmemory_mb) as url, tempfile.TemporaryDirectory() as folder:
            async with installation(Path(folder), url, settings) as steno:
                await overload(steno.url, asked)


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--fit", type=int, default=10, help="sessions that fit")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each of three phases")
    parser.add_argument("--window-ms", type=float, default=25.0, help="engine time of a window")
    parser.add_argument("--factor", type=float, default=0.0, help="engine time of audio beside it")
    parser.add_argument("--maxmemory-mb", type=int, default=64)
    asyncio.run(run(parser.parse_args()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
