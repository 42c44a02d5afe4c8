"""The fake as a process of its own."""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from amazon_transcribe.exceptions import ServiceUnavailableException
from tests.fake_transcribe.client import answer_of, client_of, send, start
from tests.fake_transcribe.signing import Credentials

from steno_transcriber.engines.numbers import phrase

AUDIO = phrase(range(1, 6)).astype("<i2").tobytes()


@dataclass
class Process:
    """What a client needs to know of it."""

    endpoint: str
    ca_file: str
    port: int
    process: asyncio.subprocess.Process

    async def line(self) -> dict[str, Any]:
        """Give the next thing that it says."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(await self.process.stdout.readline())
        return said

    async def transcribed(self, credentials: Credentials) -> str:
        stream = await start(client_of(self, credentials))
        await send(stream, AUDIO)
        return (await answer_of(stream)).text


@asynccontextmanager
async def running(ca_file: Path, *arguments: str) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.fake_transcribe", "--ca-out", str(ca_file), *arguments),
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    try:
        async with asyncio.timeout(60):
            served = Process("", "", 0, process)
            said = await served.line()
            served.endpoint, served.ca_file = said["endpoint"], said["ca_file"]
            served.port = said["port"]
            yield served
            process.terminate()
            assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_it_serves_with_the_behaviours_it_is_told(tmp_path: Path) -> None:
    rule = {"behaviour": {"refuse": "ServiceUnavailableException"}, "first": 2, "last": 2}
    mine = Credentials("ME", "mine", "token")
    options = ("--key", "ME:mine:token", "--rule", json.dumps(rule), "--limits", '{"streams": 1}')
    async with running(tmp_path / "ca.pem", *options) as served:
        assert await served.transcribed(mine) == "1 2 3 4 5"
        with pytest.raises(ServiceUnavailableException):
            await served.transcribed(mine)
        first, second = await served.line(), await served.line()
    assert (first["stream"], first["outcome"], first["text"]) == (1, "done", "1 2 3 4 5")
    assert first["audio_seconds"] == len(AUDIO) / 32_000
    assert (second["stream"], second["outcome"]) == (2, "ServiceUnavailableException")


async def test_it_says_a_script_and_comes_back_at_its_port(tmp_path: Path) -> None:
    script = ("--script", '[{"text": "as written", "at": 1}]')
    mine = Credentials("AKIDEXAMPLE", "secret")
    async with running(tmp_path / "ca.pem", *script) as served:
        assert await served.transcribed(mine) == "as written"
        port = str(served.port)
    async with running(tmp_path / "ca.pem", *script, "--port", port) as served:
        assert served.endpoint.endswith(f":{port}")
        assert await served.transcribed(mine) == "as written"


async def test_it_can_be_one_that_nobody_trusts(tmp_path: Path) -> None:
    async with running(tmp_path / "ca.pem", "--untrusted") as served:
        trusting = ssl.create_default_context(cafile=served.ca_file)
        with pytest.raises(ssl.SSLCertVerificationError):
            await asyncio.open_connection("localhost", served.port, ssl=trusting)
