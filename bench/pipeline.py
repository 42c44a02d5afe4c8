"""Load on the whole pipeline: N paced sessions, latency of every hop that a client can see.

    make run                                   # in another shell, with STENO_ENGINE=scripted
    .venv/bin/python -m bench.pipeline --sessions 50 --seconds 20

The scripted engine costs nothing, so what is measured is Steno itself: sockets, Redis, voice
activity, commits, doorbells. Prints one table; `--json FILE` keeps the figures.
"""

import argparse
import asyncio
import json
import math
import statistics
import struct
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

RATE = 16_000
CHUNK = 1_600
"""100 ms."""


def tone(seconds: float) -> bytes:
    """Give audio that the scripted engine takes for speech."""
    wave = (round(8_000 * math.sin(i / 8)) for i in range(round(seconds * RATE)))
    return b"".join(struct.pack("<h", sample) for sample in wave)


def talk(seconds: float) -> bytes:
    """Give speech of 2 s and pauses of 1.5 s in turn."""
    turn = tone(2.0) + bytes(2 * round(1.5 * RATE))
    return (turn * (int(seconds / 3.5) + 1))[: 2 * round(seconds * RATE)]


@dataclass
class Seen:
    """What the clients have measured, in seconds."""

    acks: list[float] = field(default_factory=list)
    """From sending a chunk to the acknowledgement that it is stored."""
    partials: list[float] = field(default_factory=list)
    """From sending the last chunk that a partial covers to the partial."""
    finals: list[float] = field(default_factory=list)
    """From sending the last chunk of a segment, about 0.4 s before its pause is long enough."""
    completed: int = 0
    lost: int = 0
    """Samples that the accounting misses."""


async def stream(ws: aiohttp.ClientWebSocketResponse, audio: bytes, sent: dict[int, float]) -> None:
    """Send a recording at real-time pace to its end; notes when each chunk was sent."""
    begin = time.monotonic()
    for number, place in enumerate(range(0, len(audio), 2 * CHUNK), 1):
        await asyncio.sleep(max(0.0, begin + number * CHUNK / RATE - time.monotonic()))
        sent[number] = time.monotonic()
        await ws.send_bytes(number.to_bytes(4) + audio[place : place + 2 * CHUNK])
    await ws.send_json({"type": "client:control", "action": "stop"})


async def session(http: aiohttp.ClientSession, url: str, audio: bytes, seen: Seen) -> None:
    """Stream one recording at real-time pace."""
    sent: dict[int, float] = {}
    async with http.post(f"{url}/api/streaming/sessions", json={"mime_type": "audio/pcm"}) as made:
        made.raise_for_status()
        address = (await made.json())["websocket_url"]
    async with http.ws_connect(url + address) as ws:
        sending = asyncio.create_task(stream(ws, audio, sent), name="stream")
        acknowledged = 0
        async for message in ws:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            answer: dict[str, Any] = json.loads(message.data)
            now = time.monotonic()
            number = answer.get("sequence_number", 0)
            match answer["type"]:
                case "server:ack":
                    seen.acks += [now - sent[n] for n in range(acknowledged + 1, number + 1)]
                    acknowledged = number
                case "server:transcription_partial":
                    seen.partials.append(now - sent[number])
                case "server:transcription_final":
                    seen.finals.append(now - sent[number])
                case "server:session_completed":
                    seen.completed += 1
                    counted = answer["statistics"]
                    seen.lost += len(audio) // 2 - (
                        counted["transcribed_samples"] + counted["silence_samples"]
                    )
        await sending


def row(name: str, values: Sequence[float]) -> dict[str, Any]:
    """Give the median and the tail of one measure, in milliseconds."""
    if len(values) < 2:
        return {"measure": name, "count": len(values)}
    parts = statistics.quantiles(values, n=100)
    figures = {"p50": parts[49], "p95": parts[94], "p99": parts[98], "max": max(values)}
    return {"measure": name, "count": len(values)} | {
        key: round(value * 1000, 1) for key, value in figures.items()
    }


async def run(url: str, sessions: int, seconds: float) -> Seen:
    """Run all sessions, begun over the first two seconds."""
    seen, audio = Seen(), talk(seconds)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        asyncio.TaskGroup() as tasks,
    ):
        for _ in range(sessions):
            tasks.create_task(session(http, url, audio, seen))
            await asyncio.sleep(2 / sessions)
    return seen


def rows_of(seen: Seen) -> list[dict[str, Any]]:
    """Give the table."""
    return [
        row("chunk sent to stored", seen.acks),
        row("audio sent to partial", seen.partials),
        row("segment sent to its final", seen.finals),
        {"measure": "sessions completed", "count": seen.completed},
        {"measure": "samples lost", "count": seen.lost},
    ]


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print rows of figures."""
    widths = {"measure": 30, "count": 9, "p50": 9, "p95": 9, "p99": 9, "max": 9}
    print("".join(f"{name:>{width}}" for name, width in widths.items()) + "   (ms)")
    for found in rows:
        print("".join(f"{found.get(name, ''):>{width}}" for name, width in widths.items()))


def main() -> int:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--sessions", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    seen = asyncio.run(run(asked.url, asked.sessions, asked.seconds))
    rows = rows_of(seen)
    print_table(rows)
    if asked.json:
        asked.json.write_text(json.dumps({"sessions": asked.sessions, "rows": rows}, indent=2))
    return 0 if seen.completed == asked.sessions and not seen.lost else 1


if __name__ == "__main__":
    sys.exit(main())
