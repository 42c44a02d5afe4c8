"""What telemetry costs a gateway: the same load at the same time on one with and one without it.

    .venv/bin/python -m bench.telemetry --sessions 20 --seconds 30 --rounds 3
    .venv/bin/python -m bench.telemetry --traces 0.05
    .venv/bin/python -m bench.telemetry --profile

Starts a private Steno with the scripted engine, beside it two gateways of which one counts nothing,
and reads the CPU time of both; the load of each is that of `bench.pipeline`. Both are scraped as
Prometheus would, every 15 s. With `--traces` both count, and one sends traces of that share of its
sessions to a collector here. With `--profile` the share of a profile of one gateway is printed,
which says too much: a profile costs most where calls are short.
"""

import argparse
import asyncio
import cProfile
import os
import pstats
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web
from bench import pipeline
from bench.installation import Part, ready, redis_server
from bench.ports import free_port
from bench.processes import plain_environment, running
from bench.recognition.steno import private_steno

from steno_standalone.child import Program

SCRAPE_SECONDS: Final = 15.0
STOP_SECONDS: Final = 30.0
OURS: Final = ("prometheus_client", "telemetry.py", "metrics.py", "observing.py")


def silence() -> None:
    """Let this process count nothing; before anything of a service is imported."""
    from prometheus_client.metrics import Counter, Gauge, Histogram, MetricWrapperBase  # noqa: PLC0415

    from steno_common import telemetry  # noqa: PLC0415

    def nothing(*_: Any, **__: Any) -> None:
        return None

    async def no_lag() -> None:
        await asyncio.Event().wait()

    for kind in (Counter, Gauge, Histogram):
        for name in ("inc", "dec", "set", "observe"):
            if hasattr(kind, name):
                setattr(kind, name, nothing)
    labels = MetricWrapperBase.labels
    held: dict[int, Any] = {}
    MetricWrapperBase.labels = lambda self, *values: (  # type: ignore[method-assign]
        held.get(id(self)) or held.setdefault(id(self), labels(self, *values))
    )
    setattr(telemetry, "redis_call", lambda _script: nullcontext())  # noqa: B010
    setattr(telemetry, "watch_loop", no_lag)  # noqa: B010


def gateway(mode: str) -> None:
    """Run a gateway in this process; `profile` writes one to the path in STENO_BENCH_PROFILE."""
    if mode == "without":
        silence()
    from steno_gateway.__main__ import main  # noqa: PLC0415

    if mode != "profile":
        main()
        return
    profile = cProfile.Profile()
    with suppress(SystemExit):
        profile.runcall(main)
    profile.dump_stats(os.environ["STENO_BENCH_PROFILE"])


@asynccontextmanager
async def steno(folder: Path) -> AsyncIterator[dict[str, str]]:
    """Run Redis with the services behind gateways; gives the settings of one more gateway."""
    async with redis_server(folder) as url:
        settings = {"STENO_REDIS_URL": url, "STENO_ENGINE": "scripted"}
        async with private_steno(settings):
            yield settings


@asynccontextmanager
async def serving(mode: str, settings: Mapping[str, str]) -> AsyncIterator[Part]:
    """Run one gateway."""
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        own = {**settings, "STENO_PORT": str(port), "STENO_OUTPUT": f"{name}/output"}
        argv, log = (sys.executable, "-m", "bench.telemetry", "--serve", mode), Path(name, "log")
        program = Program("gateway", argv, plain_environment() | own)
        async with running(program, log, grace=STOP_SECONDS) as process:
            part = Part("gateway", process, log, f"http://127.0.0.1:{port}")
            await ready([part])
            yield part


async def _scrape(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{url}/metrics") as answer:
                await answer.read()
            await asyncio.sleep(SCRAPE_SECONDS)


async def loaded(gateway: Part, asked: argparse.Namespace) -> float:
    """Put the load on a gateway; gives the CPU seconds it took."""
    before = gateway.cpu_seconds
    scraping = asyncio.create_task(_scrape(gateway.address), name="scrape")
    seen = await pipeline.run(gateway.address, asked.sessions, asked.seconds)
    scraping.cancel()
    after = gateway.cpu_seconds
    if seen.completed != asked.sessions:
        raise SystemExit("not all sessions were completed: less load, please")
    return after - before


@asynccontextmanager
async def collector() -> AsyncIterator[str]:
    """Take traces, keep none; gives the address."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def compare(asked: argparse.Namespace) -> None:
    """Load both at once, round by round, in new processes: two of the same differ by 2 %."""
    ratios = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = await stack.enter_async_context(steno(folder))
        address = await stack.enter_async_context(collector())
        pair = [("with", settings), ("without", settings)]
        if asked.traces is not None:
            traced = {"STENO_OTLP_ENDPOINT": address, "STENO_TRACE_RATIO": str(asked.traces)}
            pair = [("with", {**settings, **traced}), ("with", settings)]
        for _ in range(asked.rounds):
            async with AsyncExitStack() as held:
                both = [await held.enter_async_context(serving(*each)) for each in pair]
                with_it, without = await asyncio.gather(*(loaded(each, asked) for each in both))
            ratios.append(with_it / without)
            what = "telemetry" if asked.traces is None else f"traces of {asked.traces:.0%}"
            print(f"CPU with {what} {with_it:6.2f} s, without {without:6.2f} s,"
                  f" ratio {ratios[-1]:.3f}")  # fmt: skip
    print(f"median ratio {statistics.median(ratios):.3f}")


async def profiled(asked: argparse.Namespace) -> None:
    """Load one gateway under a profile; print the share of telemetry in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        async with steno(Path(folder)) as settings:
            settings["STENO_BENCH_PROFILE"] = str(path)
            async with serving("profile", settings) as part:
                await loaded(part, asked)
        stats: Any = pstats.Stats(str(path))
    total = ours = 0.0
    for (file, _, name), (_, _, own, _, _) in stats.stats.items():
        if "poll" in name:
            continue  # it waits
        total += own
        ours += own if any(part in file for part in OURS) else 0.0
    print(f"telemetry in the profile: {ours:.2f} s of {total:.2f} s, {ours / total:.1%}")


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=20, help="on each gateway")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--traces", type=float, metavar="RATIO", help="compare with and without")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--serve", choices=("with", "without", "profile"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.serve:
        gateway(asked.serve)
    else:
        asyncio.run(profiled(asked) if asked.profile else compare(asked))


if __name__ == "__main__":
    main()
