"""A Steno of the benchmark's own, started as `make run` starts it."""

import asyncio
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import aiohttp
from bench.recognition.pages import Page

from steno_standalone.child import tethered

ROOT: Final = Path(__file__).parents[2]
_READY_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 40.0
_NEXT_TRANSCRIBER: Final = 10
"""Ports between one transcriber and the next; the first one's is that of the gateway plus 1."""


class NotStartedError(Exception):
    """Steno did not come up; the message holds its last lines."""


@dataclass(frozen=True, slots=True)
class Steno:
    """A running installation."""

    port: int
    transcribers: int
    pid: int
    """Of the process that started all others."""

    @property
    def url(self) -> str:
        """Address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    async def page(self) -> Page:
        """Read the metrics of all transcribers that answer."""
        texts = []
        async with aiohttp.ClientSession() as http:
            for number in range(self.transcribers):
                port = self.port + number * _NEXT_TRANSCRIBER + 1
                with suppress(aiohttp.ClientError):
                    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
                        texts.append(await answer.text())
        return Page(texts)


@asynccontextmanager
async def private_steno(settings: Mapping[str, str], transcribers: int = 1) -> AsyncIterator[Steno]:
    """Run an installation with these STENO_ variables and no others; transcripts go at the end.

    Raises NotStartedError.
    """
    ports = [0, 1, 2, 3, *(number * _NEXT_TRANSCRIBER + 1 for number in range(1, transcribers))]
    base = _free_base(ports)
    with (
        tempfile.TemporaryDirectory(prefix="steno-bench-") as folder,
        tempfile.TemporaryFile() as log,
    ):
        environment = {name: text for name, text in os.environ.items() if "STENO_" not in name}
        environment |= {"STENO_OUTPUT": folder, "STENO_LOG_LEVEL": "WARNING"}
        environment |= {"STENO_TRANSCRIBERS": str(transcribers), **settings}
        environment["STENO_PORT"] = str(base)
        async with _running(environment, log) as process:
            await _ready(process, [f"http://127.0.0.1:{base + port}" for port in ports], log)
            yield Steno(base, transcribers, process.pid)


def _free_base(ports: Sequence[int]) -> int:
    for base in range(18_100, 60_000, 200):
        if _free([base + port for port in ports]):
            return base
    raise NotStartedError("no free ports")


def _free(ports: Sequence[int]) -> bool:
    with ExitStack() as stack:
        for port in ports:
            probe = stack.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


@asynccontextmanager
async def _running(
    environment: Mapping[str, str], log: IO[bytes]
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *tethered((sys.executable, "-m", "steno_standalone")),
        cwd=ROOT,
        env=environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


async def _ready(process: asyncio.subprocess.Process, urls: Sequence[str], log: IO[bytes]) -> None:
    async with aiohttp.ClientSession() as http:
        until = time.monotonic() + _READY_SECONDS
        for url in urls:
            while not await _answers(http, url):
                if process.returncode is not None or time.monotonic() > until:
                    log.seek(0)
                    lines = log.read().decode(errors="replace").splitlines()[-12:]
                    raise NotStartedError("\n".join(["Steno does not start:", *lines]))
                await asyncio.sleep(0.1)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(f"{url}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False
