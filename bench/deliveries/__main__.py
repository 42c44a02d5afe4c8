"""Live sessions whose results go to a translation pipeline, to a webhook that fails at times too.

    python -m bench.deliveries --sessions 100 --seconds 30
    python -m bench.deliveries --sessions 20 --traces 1

It runs Redis and the four services with the scripted engine, and the receiver in one more process.
Exit 1 if a final did not arrive, came twice under two ids, or out of order. With `--traces` it runs
all of that twice at the same time, once with traces of that share of the sessions, and prints the
CPU time of both notifiers.
"""

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from bench import pipeline
from bench.installation import MANY_CLIENTS, private_installation
from bench.pipeline import row
from bench.processes import beside
from bench.telemetry import collector

SETTLE_SECONDS = 20.0
"""For what still waits to be tried again when the last session has ended."""


@dataclass(slots=True)
class Receiving:
    """The receiver's process."""

    process: asyncio.subprocess.Process
    url: str
    received: dict[str, Any] = field(default_factory=dict)

    async def end(self) -> None:
        """Have it say what it has got."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(b"\n")
        self.received = json.loads(await self.process.stdout.readline())


@asynccontextmanager
async def receiving(failing: int) -> AsyncIterator[Receiving]:
    """Run a receiver whose every n-th webhook call fails; 0: none."""
    async with beside("bench.deliveries.receiver", failing) as process:
        assert process.stdout is not None
        yield Receiving(process, (await process.stdout.readline()).decode().strip())


@dataclass(frozen=True, slots=True)
class Judged:
    """What of the webhooks was as it must be."""

    sessions: int
    finals: int
    repeated: int
    """Events that came more than once, under one id: the receiver drops them by it."""
    disordered: int
    """Sessions whose events, each at its first arrival, were not in order."""


def judge(events: Sequence[tuple[str, str, int]]) -> Judged:
    """Judge what came, in the order in which it came."""
    seen: set[str] = set()
    numbers: dict[str, list[int]] = defaultdict(list)
    for source, event_id, number in events:
        if event_id not in seen:
            seen.add(event_id)
            numbers[source].append(number)
    disordered = sum(each != sorted(each) for each in numbers.values())
    finals = sum("-final-" in event_id for event_id in seen)
    return Judged(len(numbers), finals, len(events) - len(seen), disordered)


def lines(received: dict[str, Any], judged: Judged, told: int) -> Iterator[str]:
    """Give the report; `told`: finals that the clients heard."""
    for name, partial in (("final", False), ("partial", True)):
        late = [ms / 1000 for is_partial, ms in received["pipeline"] if is_partial is partial]
        figures = row(name, late)
        if "p50" in figures:
            took = ", ".join(f"{key} {figures[key]:.0f} ms" for key in ("p50", "p95", "p99", "max"))
            yield f"{name} made to its payload at the pipeline: {took} ({figures['count']})"
    yield f"finals told to clients: {told}, to the pipeline: {_finals(received)}"
    yield f"webhook calls: {received['calls']}, of which failed: {received['refused']}"
    yield (
        f"finals at the webhook: {judged.finals} of {told} ({judged.finals / max(told, 1):.2%}), "
        f"repeated under the same id: {judged.repeated}, "
        f"sessions out of order: {judged.disordered} of {judged.sessions}"
    )


def _finals(received: dict[str, Any]) -> int:
    return sum(not is_partial for is_partial, _ in received["pipeline"])


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of the sessions of one installation."""

    received: dict[str, Any]
    told: int
    """Finals that the clients heard."""
    cpu_seconds: float
    """Of the notifier, once it was ready."""

    @property
    def calls(self) -> int:
        """Requests to the receiver."""
        return int(self.received["calls"]) + len(self.received["pipeline"])

    def report(self) -> bool:
        """Print what was measured; gives whether everything arrived."""
        judged = judge(self.received["events"])
        print(*lines(self.received, judged, self.told), sep="\n")
        print(f"CPU of the notifier: {self.cpu_seconds:.2f} s for {self.calls} requests")
        arrived = judged.finals == self.told == _finals(self.received)
        return arrived and not judged.disordered


async def load(asked: argparse.Namespace, tracing: Mapping[str, str]) -> Ran:
    """Run the sessions, with more settings for all services."""
    async with (
        receiving(asked.failing) as receiver,
        private_installation(_settings(receiver.url) | dict(tracing)) as steno,
    ):
        notifier = steno.parts["notifier"]
        began = notifier.cpu_seconds
        seen = await pipeline.run(steno.url, asked.sessions, asked.seconds)
        await asyncio.sleep(SETTLE_SECONDS)
        await receiver.end()
        spent = notifier.cpu_seconds - began
    return Ran(receiver.received, len(seen.finals), spent)


async def run(asked: argparse.Namespace) -> bool:
    """Run the sessions; gives whether everything arrived."""
    if asked.traces is None:
        return (await load(asked, {})).report()
    async with collector() as address:
        traced = {"STENO_OTLP_ENDPOINT": address, "STENO_TRACE_RATIO": str(asked.traces)}
        both = await asyncio.gather(load(asked, traced), load(asked, {}))
    arrived = [ran.report() for ran in both]
    with_it, without = (ran.cpu_seconds / ran.calls for ran in both)
    print(f"CPU per request with traces of {asked.traces:.0%}: {1e3 * with_it:.3f} ms, "
          f"without {1e3 * without:.3f} ms, ratio {with_it / without:.3f}")  # fmt: skip
    return all(arrived)


def _settings(url: str) -> dict[str, str]:
    return {
        "STENO_WEBHOOK_URL": f"{url}/webhook",
        "STENO_WEBHOOK_SECRET": "whsec_" + "c3Rlbm8t" * 4,
        "STENO_WEBHOOK_EVENTS": "final,completed",
        "STENO_WEBHOOK_RETRIES": "0.2,0.2,0.5,0.5,1,1",  # as many as usual, but sooner
        "STENO_TRANSLATION_PIPELINE_URL": f"{url}/pipeline",
        **MANY_CLIENTS,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0, help="of speech in each session")
    parser.add_argument("--failing", type=int, default=3, help="every n-th webhook call; 0: none")
    parser.add_argument("--traces", type=float, metavar="RATIO", help="compare with and without")
    return 0 if asyncio.run(run(parser.parse_args(arguments))) else 1


if __name__ == "__main__":
    sys.exit(main())
