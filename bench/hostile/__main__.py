"""Thousands of hostile connections, and what they do to those who mean no harm.

    python -m bench.hostile --connections 10000 --seed 1
    python -m bench.hostile --only 1000042      # one connection again, with all that is said

It runs Redis and the four services with the scripted engine, the attackers in one more process with
the lowest priority, and the honest sessions here: first alone, then during the attack.
"""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence

import aiohttp
from bench.hostile.attack import Outcome, converse, play
from bench.hostile.honest import Honest, honest
from bench.hostile.kinds import drawn
from bench.hostile.report import Measured, lines
from bench.installation import Installation, private_installation
from bench.processes import beside

from steno_standalone.ready import is_ready

SEEDS = 1_000_000
"""Of one --seed, so that every connection has a number of its own."""
SESSION_SECONDS = 14.0
QUIET_SECONDS = 3.0
WAITED = "gateway waiting for one"
"""Where others compute too, latencies tell of them unless this is a small part."""
SETTINGS = {"STENO_ABANDON_SECONDS": "10", "STENO_CONNECT_SECONDS": "10"}
"""What attackers leave behind is cleared away while they are still there."""


async def attacked(url: str, first: int, connections: int, rate: float) -> list[Outcome]:
    """Run the attack in a process of its own."""
    asked = ("--url", url, "--first", first, "--connections", connections, "--rate", rate)
    async with beside("bench.hostile.attack", *asked) as process:
        assert process.stdout is not None
        return [Outcome(**json.loads(line)) async for line in process.stdout]


async def calm(url: str, sessions: int, seconds: float) -> Honest:
    """Measure without an attack."""
    over = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, over.set)
    return await honest(url, sessions, min(seconds, SESSION_SECONDS), over)


async def measure(steno: Installation, asked: argparse.Namespace) -> Measured:
    """Measure both phases."""
    gateway, over, clock = steno.parts["gateway"], asyncio.Event(), time.monotonic
    used, began = _used(steno), clock()
    baseline = await calm(steno.url, asked.sessions, asked.baseline)
    calm_busy = _busy(used, _used(steno), clock() - began)
    used, began, before = _used(steno), clock(), gateway.resident_mb
    async with asyncio.TaskGroup() as tasks:
        under = tasks.create_task(honest(steno.url, asked.sessions, SESSION_SECONDS, over))
        outcomes = await attacked(steno.url, asked.seed * SEEDS, asked.connections, asked.rate)
        seconds = clock() - began
        busy = _busy(used, _used(steno), seconds)
        over.set()
    await asyncio.sleep(QUIET_SECONDS)
    return Measured(
        outcomes, baseline, under.result(), (before, gateway.resident_mb), seconds,
        {name: (calm_busy[name], busy[name]) for name in busy}, steno.faults, await ready(steno),
    )  # fmt: skip


def _used(steno: Installation) -> dict[str, float]:
    used = {name: part.cpu_seconds for name, part in steno.parts.items()}
    return used | {WAITED: steno.parts["gateway"].waited_seconds}


def _busy(before: dict[str, float], after: dict[str, float], seconds: float) -> dict[str, float]:
    return {name: (after[name] - before[name]) / seconds for name in after}


async def ready(steno: Installation) -> bool:
    """Say whether every service runs and says that it is ready."""
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(5.0)) as http:
        for part in steno.parts.values():
            if not part.alive or not await is_ready(http, f"{part.address}/readyz"):
                return False
    return True


async def show(steno: Installation, seed: int) -> bool:
    """Play one connection with all that is said; gives whether nothing went wrong."""
    kind, script = drawn(seed)
    print(f"{kind}: door {script.door or 'none'}, {script.mime_type}, ending {script.ending}")
    for step in script.steps:
        print("  >", step[:300] if isinstance(step, bytes) else f"{step} s")
    print("  <", (await converse(steno.url, seed, script))[:5_000])
    print((await play(steno.url, seed)).how)
    await asyncio.sleep(QUIET_SECONDS)
    print(*steno.faults, sep="\n")
    return not steno.faults


async def run(asked: argparse.Namespace) -> bool:
    """Run everything; gives whether it passed."""
    async with private_installation(SETTINGS) as steno:
        if asked.only is not None:
            return await show(steno, asked.only)
        measured = await measure(steno, asked)
    print(*lines(measured), sep="\n")
    return measured.passed


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--connections", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rate", type=float, default=50.0, help="hostile connections a second")
    parser.add_argument("--sessions", type=int, default=8, help="honest sessions at a time")
    parser.add_argument("--baseline", type=float, default=30.0, help="seconds without an attack")
    parser.add_argument("--only", type=int, help="play the connection of this seed alone")
    return 0 if asyncio.run(run(parser.parse_args(arguments))) else 1


if __name__ == "__main__":
    sys.exit(main())
