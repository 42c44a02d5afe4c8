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
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import psutil
from aiohttp import web
from bench import pipeline
from bench.ports import free_port
from bench.recognition.steno import ROOT, private_steno

from steno_standalone.child import tethered
from steno_standalone.find import find_binaries

SCRAPE_SECONDS: Final = 15.0
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
async def process(*command: str, **settings: str) -> AsyncIterator[psutil.Process]:
    """Run a process of the benchmark."""
    started = subprocess.Popen(  # noqa: ASYNC220 - a moment, before anything is measured
        tethered(command), cwd=ROOT, env={**os.environ, **settings}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield psutil.Process(started.pid)
    finally:
        started.send_signal(signal.SIGTERM)
        await asyncio.to_thread(started.wait, 30)


@asynccontextmanager
async def steno() -> AsyncIterator[dict[str, str]]:
    """Run Redis with the services behind gateways; gives the settings of one more gateway."""
    port = str(free_port())
    redis = (str(find_binaries()[0].path), "--port", port, "--save", "", "--bind", "127.0.0.1")
    settings = {"STENO_REDIS_URL": f"redis://127.0.0.1:{port}/0", "STENO_ENGINE": "scripted"}
    async with process(*redis), private_steno(settings):
        yield settings


@asynccontextmanager
async def serving(
    mode: str, settings: Mapping[str, str]
) -> AsyncIterator[tuple[str, psutil.Process]]:
    """Run one gateway; gives its address and its process."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = (sys.executable, "-m", "bench.telemetry", "--serve", mode)
    with tempfile.TemporaryDirectory() as folder:
        given = {**settings, "STENO_PORT": str(port), "STENO_OUTPUT": folder}
        async with process(*command, **given) as found:
            await _ready(url)
            yield url, found


async def _ready(url: str) -> None:
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        while True:
            with suppress(aiohttp.ClientError):
                async with http.get(f"{url}/readyz") as answer:
                    if answer.status == 200:
                        return
            await asyncio.sleep(0.1)


async def _scrape(url: str) -> None:
    async with aiohttp.ClientSession() as http:
        while True:
            async with http.get(f"{url}/metrics") as answer:
                await answer.read()
            await asyncio.sleep(SCRAPE_SECONDS)


async def loaded(url: str, measured: psutil.Process, asked: argparse.Namespace) -> float:
    """Put the load on a gateway; gives the CPU seconds it took."""
    before = measured.cpu_times()
    scraping = asyncio.create_task(_scrape(url), name="scrape")
    rows = await pipeline.run(url, asked.sessions, asked.seconds)
    scraping.cancel()
    after = measured.cpu_times()
    if rows[3]["count"] != asked.sessions:
        raise SystemExit("not all sessions were completed: less load, please")
    return float(after.user + after.system - before.user - before.system)


@asynccontextmanager
async def collector() -> AsyncIterator[str]:
    """Take traces, keep none; gives the address."""

    async def take(request: web.Request) -> web.Response:
        await request.read()
        return web.Response()

    app, port = web.Application(), free_port()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


async def compare(asked: argparse.Namespace) -> None:
    """Load both at once, round by round, in new processes: two of the same differ by 2 %."""
    ratios = []
    async with steno() as settings, collector() as address:
        pair = [("with", settings), ("without", settings)]
        if asked.traces is not None:
            traced = {"STENO_OTLP_ENDPOINT": address, "STENO_TRACE_RATIO": str(asked.traces)}
            pair = [("with", {**settings, **traced}), ("with", settings)]
        for _ in range(asked.rounds):
            async with AsyncExitStack() as held:
                both = [await held.enter_async_context(serving(*each)) for each in pair]
                with_it, without = await asyncio.gather(
                    *(loaded(url, found, asked) for url, found in both)
                )
            ratios.append(with_it / without)
            what = "telemetry" if asked.traces is None else f"traces of {asked.traces:.0%}"
            print(f"CPU with {what} {with_it:6.2f} s, without {without:6.2f} s,"
                  f" ratio {ratios[-1]:.3f}")  # fmt: skip
    print(f"median ratio {statistics.median(ratios):.3f}")


async def profiled(asked: argparse.Namespace) -> None:
    """Load one gateway under a profile; print the share of telemetry in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        async with steno() as settings:
            settings["STENO_BENCH_PROFILE"] = str(path)
            async with serving("profile", settings) as (url, found):
                await loaded(url, found, asked)
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
