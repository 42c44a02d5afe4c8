"""A Steno of the benchmark's own, started as `make run` starts it."""

import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
from bench.installation import Part, ready
from bench.ports import free_port
from bench.processes import plain_environment, running
from bench.recognition.pages import Page

from steno_standalone.child import Program

_READY_SECONDS: Final = 120.0
_STOP_SECONDS: Final = 40.0
_NEXT_TRANSCRIBER: Final = 10
"""Ports between one transcriber and the next; the first one's is that of the gateway plus 1."""


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

    Raises NotRunningError.
    """
    ports = [0, 1, 2, 3, *(number * _NEXT_TRANSCRIBER + 1 for number in range(1, transcribers))]
    base = free_port(1 + max(ports))
    with tempfile.TemporaryDirectory(prefix="steno-bench-") as name:
        folder = Path(name)
        own = {"STENO_OUTPUT": str(folder / "output"), "STENO_LOG_LEVEL": "WARNING",
               "STENO_TRANSCRIBERS": str(transcribers), **settings,
               "STENO_PORT": str(base)}  # fmt: skip
        argv, log = (sys.executable, "-m", "steno_standalone"), folder / "steno.log"
        program = Program("steno", argv, plain_environment() | own)
        async with running(program, log, grace=_STOP_SECONDS) as process:
            pages = [f"http://127.0.0.1:{base + port}" for port in ports]
            await ready([Part("steno", process, log, page) for page in pages], _READY_SECONDS)
            yield Steno(base, transcribers, process.pid)
