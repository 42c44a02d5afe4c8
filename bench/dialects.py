"""Load by `/sendAudio`: N paced sessions, from a chunk's receipt to the engine, and to its words.

    python -m bench.dialects --sessions 100 --seconds 30
    python -m bench.dialects --sessions 20 --seconds 30 --sockets 6

Runs a private Redis and the four services with the engine `numbered`, whose text tells what was
lost or doubled. Receipt to engine is read off two histograms: `steno_gateway_append_seconds`, from
the receipt of a chunk to its acknowledgement by Redis, and `steno_transcriber_feed_seconds`, from
there to the recogniser. The lag of their event loops says how much of it is the machine. With
`--sockets` each session goes on from socket to socket. Prints one table; exits 0 only if every word
came once, in order.
"""

import argparse
import asyncio
import base64
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
from bench.faults.speech import Speech, speech
from bench.installation import MANY_CLIENTS, Installation, private_installation
from bench.pipeline import print_table, row
from bench.recognition.pages import Page

CHUNK_SECONDS: Final = 0.1
ENDING_SECONDS: Final = 60.0
HOPS: Final = {
    "receipt to stored": ("gateway", "steno_gateway_append_seconds"),
    "stored to engine": ("transcriber", "steno_transcriber_feed_seconds"),
    "event loop, gateway": ("gateway", "steno_event_loop_lag_seconds"),
    "event loop, transcriber": ("transcriber", "steno_event_loop_lag_seconds"),
}


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked for."""

    sessions: int
    seconds: float
    sockets: int
    """Of each session, one after the other."""


@dataclass
class Seen:
    """What the clients have measured."""

    partials: list[float] = field(default_factory=list)
    """From sending the end of what a partial covers to the partial (s)."""
    finals: list[float] = field(default_factory=list)
    """The same of finals: the pause that ends a segment is in it."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    right: int = 0
    """Sessions whose text is what was said."""


@dataclass
class Talker:
    """One client: what it says, on how many sockets in turn, what it hears."""

    http: aiohttp.ClientSession
    name: str
    said: Speech
    seen: Seen
    sent: list[float] = field(default_factory=list)
    begin: float = 0.0

    async def run(self, sockets: int) -> None:
        """Say all at real-time pace, and end the session."""
        self.begin = time.monotonic()
        share = -(-len(self.said.chunks) // sockets)
        for place in range(0, len(self.said.chunks), share):
            chunks = self.said.chunks[place : place + share]
            last = place + share >= len(self.said.chunks)
            async with self.http.ws_connect("/sendAudio") as ws:
                hearing = asyncio.create_task(self._hear(ws))
                await self._say(ws, chunks)
                if last:
                    await ws.send_json({"action": "endSession", "sessionId": self.name})
                    await hearing
                else:
                    await ws.close()
                    await hearing

    async def _say(self, ws: aiohttp.ClientWebSocketResponse, chunks: Sequence[bytes]) -> None:
        for chunk in chunks:
            due = self.begin + (len(self.sent) + 1) * CHUNK_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            self.sent.append(time.monotonic())
            await ws.send_json({"action": "sendAudio", "sessionId": self.name,
                                "audioData": base64.b64encode(chunk).decode(),
                                "timestamp": time.time_ns() // 1_000_000})  # fmt: skip

    async def _hear(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        async for message in ws:
            now, heard = time.monotonic(), json.loads(message.data)
            match heard["type"]:
                case "transcript":
                    last = min(int(heard["endTime"] / CHUNK_SECONDS), len(self.sent) - 1)
                    found = self.seen.partials if heard["isPartial"] else self.seen.finals
                    found.append(now - self.sent[last])
                case "sessionEnded":
                    self.seen.right += heard["transcriptText"].split() == self.said.text.split()
                    return
                case _:
                    self.seen.errors.append(heard)


async def page(http: aiohttp.ClientSession, address: str) -> Page:
    """Read the metrics of a service."""
    async with http.get(f"{address}/metrics") as answer:
        return Page([await answer.text()])


async def measure(steno: Installation, load: Load) -> tuple[Seen, list[Any]]:
    """Run all sessions, begun over two seconds; gives what was seen, and the hops."""
    seen = Seen()
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        steno.url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as http:
        async with (
            asyncio.timeout(load.seconds + ENDING_SECONDS),
            asyncio.TaskGroup() as tasks,
        ):
            for number in range(load.sessions):
                said = speech(1, number, load.seconds, (CHUNK_SECONDS, CHUNK_SECONDS))
                talker = Talker(http, f"eagle-{number}", said, seen)
                tasks.create_task(talker.run(load.sockets), name=talker.name)
                await asyncio.sleep(2 / load.sessions)
        rows = []
        for name, (service, metric) in HOPS.items():
            told = await page(http, steno.parts[service].address)
            quantiles = {f"p{q}": told.quantile(metric, q / 100) for q in (50, 95, 99)}
            rows.append(
                {"measure": name, "count": round(told.total(f"{metric}_count"))}
                | {key: round((value or 0.0) * 1000, 1) for key, value in quantiles.items()}
            )
    return seen, rows


async def run(load: Load) -> tuple[Seen, list[dict[str, Any]], Sequence[str]]:
    """Measure on a private installation."""
    async with private_installation({"STENO_ENGINE": "numbered", **MANY_CLIENTS}) as steno:
        seen, hops = await measure(steno, load)
        spent = {name: part.cpu_seconds for name, part in steno.parts.items()}
        faults = steno.faults
    rows = [*hops, row("audio sent to partial", seen.partials),
            row("audio sent to final", seen.finals)]  # fmt: skip
    rows += [{"measure": f"CPU of the {name} (s)", "count": round(s, 1)}
             for name, s in spent.items()]  # fmt: skip
    return seen, rows, faults


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sockets", type=int, default=1, help="of each session, in turn")
    load = Load(**vars(parser.parse_args()))
    seen, rows, faults = asyncio.run(run(load))
    print_table(rows)
    print(f"{seen.right} of {load.sessions} texts are right, {len(seen.errors)} errors")
    for line in [*faults, *seen.errors][:5]:
        print(line)
    return 0 if seen.right == load.sessions and not (seen.errors or faults) else 1


if __name__ == "__main__":
    sys.exit(main())
