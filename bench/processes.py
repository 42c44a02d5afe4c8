"""Programs of a bench, each a process whose output goes to a file."""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from steno_standalone.child import Program, tethered

ROOT: Final = Path(__file__).parents[1]
LINE_BYTES: Final = 1 << 26
"""Longest line that a part of a bench says."""


def plain_environment() -> dict[str, str]:
    """Give this process's environment without settings of Steno."""
    return {name: text for name, text in os.environ.items() if not name.startswith("STENO_")}


async def start(program: Program, log: Path) -> Process:
    """Start a program, whose output is appended to a file; it dies with this process."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *tethered(program.argv), cwd=ROOT, env=dict(program.environment),
            stdin=asyncio.subprocess.PIPE, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(program.stdin)
    process.stdin.close()
    return process


@asynccontextmanager
async def running(program: Program, log: Path, *, grace: float = 0.0) -> AsyncIterator[Process]:
    """Run a program; in the end it is killed, if it does not end within so many seconds itself."""
    process = await start(program, log)
    try:
        yield process
    finally:
        try:
            with suppress(ProcessLookupError, TimeoutError):
                await _ended(process, grace)
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@asynccontextmanager
async def beside(module: str, *arguments: object) -> AsyncIterator[Process]:
    """Run a part of a bench, which is spoken with through its pipes; in the end it is killed."""
    process = await asyncio.create_subprocess_exec(
        *tethered((sys.executable, "-m", module, *map(str, arguments))), cwd=ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES,
        start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _ended(process: Process, grace: float) -> None:
    if grace:
        process.terminate()
        async with asyncio.timeout(grace):
            await process.wait()
