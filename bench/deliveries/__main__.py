"""From a result to the translation pipeline: latency, what is lost, what is doubled.

    python -m bench.deliveries --sessions 100 --seconds 20
    python -m bench.deliveries --sessions 100 --seconds 20 --failing 3   # of a session

It runs Redis, a notifier, a pipeline over HTTP, each a process of its own; results are written as a
transcriber writes them. What is measured is the way from the making of a text to the pipeline.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
from bench.deliveries.speaker import Speaker, Transcribers
from bench.installation import free_port, redis_server

from steno_common.store.doorbell import DoorbellStore
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.sessions import SessionStore
from steno_common.store.work import WorkStore


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--finals", type=float, default=1.0, help="of a session each second")
    parser.add_argument("--partials", type=int, default=4, help="before each final")
    parser.add_argument(
        "--failing", type=int, default=0, help="the pipeline refuses every so many of a session"
    )
    return parser.parse_args()


async def spoken(asked: argparse.Namespace, url: str) -> list[Speaker]:
    """Run the sessions."""
    limits = Limits(redis_url=url, lease_seconds=600)
    async with open_link(url) as link:
        await DoorbellStore(link, limits).prepare()
        sessions, transcribers = SessionStore(link, limits), Transcribers(WorkStore(link, limits))
        speakers = [Speaker(sessions, transcribers) for _ in range(asked.sessions)]
        async with asyncio.TaskGroup() as tasks:
            for speaker in speakers:
                await asyncio.sleep(1 / asked.finals / asked.sessions)  # not all at one moment
                tasks.create_task(speaker.speak(asked.seconds, asked.finals, asked.partials))
    return speakers


def told(asked: argparse.Namespace, speakers: list[Speaker], answer: dict[str, Any]) -> str:
    """Compare what was said with what came."""
    finals = [each for each in answer["taken"] if each[2]]
    came = Counter(name for name, *_ in finals)
    wanted = [f"{each.session_id}-final-{start}" for each in speakers for start in each.said]
    order = sum(
        [n for n, *_, session in finals if session == each.session_id]
        != [f"{each.session_id}-final-{start}" for start in each.said]
        for each in speakers
    )
    partials = [each[1] for each in answer["taken"] if not each[2]]
    return "\n".join(
        [
            f"requests           {answer['requests']}",
            f"finals             {len(wanted)} said, {sum(name in came for name in wanted)} came, "
            f"{sum(count - 1 for count in came.values())} doubled, {order} sessions out of order",
            f"final → pipeline   {quantiles([each[1] for each in finals])}",
            f"partials           {len(partials)} came of {len(wanted) * asked.partials}",
            f"partial → pipeline {quantiles(partials)}",
        ]
    )


def quantiles(values: list[float]) -> str:
    """Give the middle and the worst of milliseconds."""
    ordered = sorted(values) or [0.0]
    at = {share: ordered[min(len(ordered) - 1, int(len(ordered) * share))]
          for share in (0.5, 0.95, 0.99)}  # fmt: skip
    return ", ".join(f"p{share * 100:.0f} {value:.1f} ms" for share, value in at.items()) + (
        f", worst {ordered[-1]:.1f} ms"
    )


def cpu_seconds(pid: int) -> float:
    """Give the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def main(asked: argparse.Namespace) -> None:
    """Run everything once."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        async with redis_server(Path(folder)) as url:
            environ = {**os.environ, "STENO_REDIS_URL": url, "STENO_PORT": str(free_port() - 3),
                       "STENO_LOG_LEVEL": "ERROR",
                       "STENO_TRANSLATION_PIPELINE_URL": f"http://127.0.0.1:{port}/"}  # fmt: skip
            started = [
                await asyncio.create_subprocess_exec(sys.executable, "-m", *module, env=environ)
                for module in (
                    ("bench.deliveries.receiver", str(port), str(asked.failing)),
                    ("steno_notifier",),
                )
            ]
            try:
                await asyncio.sleep(3)
                speakers = await spoken(asked, url)
                await asyncio.sleep(2)
                pipeline = f"http://127.0.0.1:{port}/"
                async with aiohttp.ClientSession() as http, http.get(pipeline) as got:
                    answer = json.loads(await got.read())
                used = cpu_seconds(started[1].pid)
            finally:
                for process in started:
                    process.kill()
                    await process.wait()
    print(told(asked, speakers, answer))
    print(f"notifier           {used / asked.seconds:.2f} of a core")


if __name__ == "__main__":
    asyncio.run(main(arguments()))
