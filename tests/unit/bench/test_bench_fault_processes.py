"""Processes of a run: forks like programs, crash points that kill, an edge that forwards."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from bench.faults.crashing import arm, disarm, fired
from bench.faults.edge import Edge, open_edge
from bench.faults.starting import ROOT, Starters, ZygoteError, programs, zygotes
from bench.faults.waiting import until
from bench.ports import free_port, own_ports


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
    )  # fmt: skip


async def live(starters: Starters, folder: Path, ending: signal.Signals) -> int:
    """Start a notifier without a Redis, wait for its health page, end it; gives its status."""
    port = free_port()
    environment = {"STENO_REDIS_URL": "redis://127.0.0.1:1/0", "STENO_PORT": str(port - 3)}
    started = await starters("notifier").start({**os.environ, **environment}, folder / "log")
    async with asyncio.timeout(60), aiohttp.ClientSession() as http:
        while True:
            try:
                async with http.get(f"http://127.0.0.1:{port}/healthz") as answer:
                    assert answer.status == 200
                    break
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.02)
    os.kill(started.pid, ending)
    async with asyncio.timeout(30):
        return await started.ended


@pytest.mark.parametrize("way", [zygotes, programs])
async def test_processes_serve_and_end_the_same_either_way(way: object, tmp_path: Path) -> None:
    async with way(("notifier",)) as starters:  # type: ignore[operator]
        assert await live(starters, tmp_path, signal.SIGTERM) == 0
        assert await live(starters, tmp_path, signal.SIGKILL) == -signal.SIGKILL
        assert await live(starters, tmp_path, signal.SIGTERM) == 0
    assert '"event": "draining"' in (tmp_path / "log").read_text()


async def test_a_zygote_that_ends_is_an_error_and_no_endless_wait() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.timeout(60), zygotes(("nothing",)) as starters:
            await starters("nothing").start({}, Path(os.devnull))
    assert caught.group_contains(ZygoteError)


def test_no_child_is_forked_beside_a_thread() -> None:
    found = python(
        "import threading\n"
        "from bench.faults.zygote import Start, fork\n"
        "threading.Thread(target=threading.Event().wait, daemon=True).start()\n"
        "fork('notifier', Start({}, '/dev/null'), 0)\n"
    )
    assert "RuntimeError: a thread runs" in found.stderr


PASSING = """
import sys
from bench.faults.crashing import CrashPoints
points = CrashPoints(sys.argv[1])
for side in ("before", "after", "before", "after"):
    points.pass_by(side, "append")
    print(side, flush=True)
"""


def test_a_process_dies_at_its_crash_point_and_says_so(tmp_path: Path) -> None:
    arm(tmp_path, 1, "after", "append", 2)
    died = python(PASSING, str(tmp_path))
    assert (died.returncode, died.stdout.split()) == (-9, ["before", "after", "before"])
    assert fired(tmp_path) == ["after append"]
    assert fired(tmp_path) == []
    assert python(PASSING, str(tmp_path)).returncode == 0


def test_a_crash_point_that_was_taken_away_kills_nobody(tmp_path: Path) -> None:
    disarm(arm(tmp_path, 1, "before", "append", 1))
    assert python(PASSING, str(tmp_path)).returncode == 0


def test_crash_points_stand_around_scripts_and_saves(tmp_path: Path) -> None:
    found = python(
        "import asyncio\n"
        "from bench.faults.crashing import install\n"
        "from steno_common.archive import Archive\n"
        "from steno_common.store.link import Link\n"
        "from steno_common.store.scripts import Call\n"
        "async def ran(link, calls, *, patient):\n"
        "    print('ran')\n"
        "    return [1]\n"
        "Link._run, Archive.save = ran, lambda *_: print('saved')\n"
        "class Points:\n"
        "    def pass_by(self, side, step):\n"
        "        print(side, step)\n"
        "install(Points())\n"
        "asyncio.run(Link(None).run_all([Call('append', 0, [], [])]))\n"
        "Archive('/tmp').save('s', 0, {})\n"
    )
    assert found.stdout.splitlines() == [
        "before append", "ran", "after append", "before save", "saved", "after save",
    ]  # fmt: skip


@asynccontextmanager
async def gateway(ready: int) -> AsyncIterator[int]:
    """Serve a page that says whether it is ready, and one that never ends."""

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=ready)

    async def name(_: web.Request) -> web.Response:
        return web.Response(text=str(ready))

    async def hang(_: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/readyz", readyz), web.get("/", name), web.post("/hang", hang)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port := free_port()).start()
    try:
        yield port
    finally:
        await runner.cleanup()


async def asked(edge: Edge) -> str:
    async with aiohttp.ClientSession() as http, http.get(edge.url) as answer:
        return await answer.text()


async def test_the_edge_forwards_to_gateways_that_are_ready_and_to_no_others() -> None:
    async with gateway(200) as well, gateway(503) as unwell, open_edge() as edge:
        edge.add("well", well)
        await until(lambda: edge.reachable)
        edge.add("unwell", unwell)
        assert [await asked(edge) for _ in range(4)] == ["200"] * 4
        edge.remove("well")
        with pytest.raises(aiohttp.ClientError):
            await asked(edge)


async def test_the_edge_cuts_connections_when_told_to() -> None:
    async with gateway(200) as well, open_edge() as edge, asyncio.timeout(30):
        edge.add("well", well)
        await until(lambda: edge.reachable)
        async with aiohttp.ClientSession() as http:
            hanging = asyncio.create_task(http.post(f"{edge.url}/hang").__aenter__())
            await until(lambda: edge.drop(1.0) > 0)
            with pytest.raises(aiohttp.ClientError):
                await hanging


def test_two_runs_never_share_a_port() -> None:
    with own_ports() as one, own_ports() as other:
        first = [next(one) for _ in range(50)]  # so many that nobody takes them all meanwhile
        second = [next(other), next(other)]
        assert len({*first, *second}) == 52
    with own_ports() as again:
        assert next(again) <= max(first)
