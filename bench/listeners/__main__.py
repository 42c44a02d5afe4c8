"""One live session, a thousand listeners, some of whom never read.

    python -m bench.listeners --listeners 1000 --mute 50

It runs Redis and the four services with the scripted engine, and the listeners, half of them by
WebSocket, half by Server-Sent Events, in one more process; first with one listener, then with all.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
from bench.installation import MANY_CLIENTS, Installation, private_installation
from bench.listeners.speaker import Spoken, create, speak
from bench.pipeline import row, talk
from bench.processes import beside

PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Measured:
    """One session with its audience."""

    spoken: Spoken
    audience: Sequence[dict[str, Any]]
    busy: float
    """Part of one core that the gateway used."""
    resident_mb: tuple[float, float, float]
    """Of the gateway: before the listeners, with them, at the end."""
    faults: Sequence[str]

    @property
    def latencies(self) -> list[float]:
        """From the last chunk of a segment to its final at a listener (s)."""
        sent = self.spoken.sent
        return [
            at - sent[sequence]
            for each in self.audience if not each["mute"]
            for _, kind, sequence, at in each["heard"] if kind == "final"
        ]  # fmt: skip

    @property
    def incomplete(self) -> Counter[str]:
        """Listeners who read and have not heard everything once, in order: how they ended."""
        return Counter(
            f"{each['transport']} {each['how']} after {len(each['heard'])} events"
            for each in self.audience
            if not each["mute"] and not self._complete(each)
        )

    def _complete(self, listener: dict[str, Any]) -> bool:
        return [(event, kind) for event, kind, *_ in listener["heard"]] == self.spoken.told

    def ends_of_the_mute(self) -> Counter[str]:
        """Say how those who do not read ended, and what those heard who read later."""
        mute = [each for each in self.audience if each["mute"]]
        return Counter(
            f"{each['how']}, {'heard all later' if self._complete(each) else 'heard no more'}"
            for each in mute
        )


async def measure(steno: Installation, listeners: int, mute: int, seconds: float) -> Measured:
    """Hold one session before an audience."""
    gateway, audio = steno.parts["gateway"], talk(seconds)
    async with aiohttp.ClientSession() as http:
        session_id = await create(http, steno.url)
        before = gateway.resident_mb
        arguments = (steno.url, session_id, listeners, mute, seconds + PATIENCE_SECONDS)
        async with beside("bench.listeners.audience", *arguments) as process:
            assert process.stdout is not None
            assert await process.stdout.readline() == b"ready\n"
            during, used = gateway.resident_mb, gateway.cpu_seconds
            spoken = await speak(http, steno.url, session_id, audio)
            busy = (gateway.cpu_seconds - used) / seconds
            audience = [json.loads(line) async for line in process.stdout]
    return Measured(spoken, audience, busy, (before, during, gateway.resident_mb), steno.faults)


def lines(one: Measured, many: Measured) -> Iterator[str]:
    """Give the report."""
    for name, measured in (("one listener", one), ("all listeners", many)):
        figures = row(name, measured.latencies)
        told = ", ".join(f"{key} {figures[key]:.0f} ms" for key in ("p50", "p99", "max"))
        yield f"segment sent to its final, {name}: {told} ({figures['count']} measured)"
        yield f"gateway with {name}: {measured.busy:.0%} of a core"
    before, during, after = many.resident_mb
    count = len(many.audience)
    yield (
        f"RSS of the gateway: {before:.0f} MB, with {count} listeners {during:.0f} MB, "
        f"{1024 * (during - before) / count:.0f} KB each; at the end {after:.0f} MB"
    )
    yield f"listeners who read and missed something: {many.incomplete.total()} of {count}"
    yield from (f"  {number} {how}" for how, number in many.incomplete.most_common())
    yield f"events: {len(many.spoken.told)}"
    for how, number in many.ends_of_the_mute().most_common():
        yield f"mute: {number} {how}"
    yield from (f"fault: {fault[:500]}" for fault in many.faults[:5])


async def run(asked: argparse.Namespace) -> bool:
    """Run both; gives whether every listener who read heard everything."""
    async with private_installation(MANY_CLIENTS) as steno:
        one = await measure(steno, 1, 0, asked.seconds)
        many = await measure(steno, asked.listeners, asked.mute, asked.seconds)
    print(*lines(one, many), sep="\n")
    return not one.incomplete and not many.incomplete and not many.faults


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listeners", type=int, default=1_000)
    parser.add_argument("--mute", type=int, default=50, help="of these, who never read")
    parser.add_argument("--seconds", type=float, default=28.0, help="of speech")
    return 0 if asyncio.run(run(parser.parse_args(arguments))) else 1


if __name__ == "__main__":
    sys.exit(main())
