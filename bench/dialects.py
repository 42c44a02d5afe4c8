"""Load by `/sendAudio`: N paced sessions, from a chunk's receipt to the engine, and to its words.

    python -m bench.dialects --sessions 100 --seconds 30

Runs a private Redis and the four services with the engine `numbered`, whose text tells what was
lost or doubled. Receipt to engine is read off two histograms: `steno_gateway_append_seconds`, from
the receipt of a chunk to its acknowledgement by Redis, and `steno_transcriber_feed_seconds`, from
there to the recogniser. Prints one table; exits 0 only if every word came once, in order.
"""

import argparse
import asyncio
import base64
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp
from bench.faults.speech import Speech, speech
from bench.installation import Installation, installation, redis_server
from bench.pipeline import row
from bench.recognition.pages import Page

CHUNK_SECONDS: Final = 0.1
ENDING_SECONDS: Final = 30.0
SETTINGS: Final = {
    "STENO_ENGINE": "numbered",
    "STENO_MAX_CONNECTIONS_PER_IP": "100000",
    "STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": "100000",
}
HOPS: Final = {
    "receipt to stored": ("gateway", "steno_gateway_append_seconds"),
    "stored to engine": ("transcriber", "steno_transcriber_feed_seconds"),
}


@dataclass
class Seen:
    """What the clients have measured."""

    partials: list[float] = field(default_factory=list)
    """From sending the end of what a partial covers to the partial (s)."""
    finals: list[float] = field(default_factory=list)
    """The same of finals: the pause that ends a segment is in it."""
    errors: list[dict[str, Any]] = field(default_factory=list)
    wrong: int = 0
    """Sessions whose text is not what was said."""


async def talk(http: aiohttp.ClientSession, name: str, said: Speech, seen: Seen) -> None:
    """Send one session at real-time pace, and end it."""
    sent: list[float] = []
    async with http.ws_connect("/sendAudio") as ws:

        async def send() -> None:
            begin = time.monotonic()
            for number, chunk in enumerate(said.chunks, 1):
                await asyncio.sleep(max(0.0, begin + number * CHUNK_SECONDS - time.monotonic()))
                sent.append(time.monotonic())
                await ws.send_json({"action": "sendAudio", "sessionId": name,
                                    "audioData": base64.b64encode(chunk).decode(),
                                    "timestamp": time.time_ns() // 1_000_000})  # fmt: skip
            await ws.send_json({"action": "endSession", "sessionId": name})

        sending = asyncio.create_task(send())
        text = ""
        async for message in ws:
            now, heard = time.monotonic(), json.loads(message.data)
            match heard["type"]:
                case "transcript":
                    last = min(int(heard["endTime"] / CHUNK_SECONDS), len(sent) - 1)
                    found = seen.partials if heard["isPartial"] else seen.finals
                    found.append(now - sent[last])
                case "sessionEnded":
                    text = heard["transcriptText"]
                    break
                case _:
                    seen.errors.append(heard)
        await sending
    expected = " ".join(str(said.first + word) for word in range(said.words))
    seen.wrong += text != expected


async def page(http: aiohttp.ClientSession, address: str) -> Page:
    """Read the metrics of a service."""
    async with http.get(f"{address}/metrics") as answer:
        return Page([await answer.text()])


async def measure(steno: Installation, sessions: int, seconds: float) -> tuple[Seen, list[Any]]:
    """Run all sessions, begun over two seconds; gives what was seen, and the hops."""
    seen = Seen()
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        steno.url, connector=aiohttp.TCPConnector(limit=0), timeout=timeout
    ) as http:
        async with asyncio.timeout(seconds + ENDING_SECONDS + 30), asyncio.TaskGroup() as tasks:
            for number in range(sessions):
                said = speech(1, number, seconds, (CHUNK_SECONDS, CHUNK_SECONDS))
                tasks.create_task(talk(http, f"eagle-{number}", said, seen))
                await asyncio.sleep(2 / sessions)
        rows = []
        for name, (service, metric) in HOPS.items():
            told = await page(http, steno.parts[service].address)
            quantiles = {f"p{q}": told.quantile(metric, q / 100) for q in (50, 95, 99)}
            rows.append(
                {"measure": name, "count": round(told.total(f"{metric}_count"))}
                | {key: round((value or 0.0) * 1000, 1) for key, value in quantiles.items()}
            )
    return seen, rows


async def run(sessions: int, seconds: float) -> tuple[Seen, list[dict[str, Any]], Sequence[str]]:
    """Measure on a private installation."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        async with (
            redis_server(folder) as url,
            installation(folder, url, SETTINGS) as steno,
        ):
            seen, hops = await measure(steno, sessions, seconds)
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
    asked = parser.parse_args()
    seen, rows, faults = asyncio.run(run(asked.sessions, asked.seconds))
    columns = ("measure", "count", "p50", "p95", "p99", "max")
    print("".join(f"{name:>{30 if name == 'measure' else 9}}" for name in columns) + "   (ms)")
    for found in rows:
        print("".join(f"{found.get(name, ''):>{30 if name == 'measure' else 9}}"
                      for name in columns))  # fmt: skip
    print(f"{seen.wrong} of {asked.sessions} sessions with a wrong text, {len(seen.errors)} errors")
    for line in [*faults, *seen.errors][:5]:
        print(line)
    return 0 if not (seen.wrong or seen.errors or faults) else 1


if __name__ == "__main__":
    sys.exit(main())
