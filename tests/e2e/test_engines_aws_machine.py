"""One machine with transcribers of `pocketsphinx` and `aws`, as `make run` starts them."""

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

from tests.e2e.machine import SAMPLES, Machine, running
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule
from tests.fake_transcribe.hearing import Line, scripted
from tests.fake_transcribe.server import FakeTranscribe, serve
from tests.fake_transcribe.service import Service
from tests.integration.aws_rig import environment

from steno_audio import decode_file

HELLO = b"".join(decode_file(str(SAMPLES / "hello.wav")))
HELLO_SECONDS = len(HELLO) / 32_000
PAUSE = bytes(2 * 32_000)
"""Two seconds, which end a segment and let it be said."""


async def recognised(machine: Machine, speech: bytes, *engines: str) -> dict[str, Any]:
    """Upload speech for certain engines; gives its transcript."""
    address = f"{machine.url}/api/transcriptions?engines={','.join(engines)}"
    request = urllib.request.Request(address, speech, {"Content-Type": "audio/pcm"})

    def upload() -> dict[str, Any]:
        with urllib.request.urlopen(request, timeout=200) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    return await asyncio.to_thread(upload)


async def asked(machine: Machine, path: str) -> dict[str, Any]:
    """Give a page of JSON."""

    def fetch() -> dict[str, Any]:
        with urllib.request.urlopen(f"{machine.url}/api/{path}", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found

    return await asyncio.to_thread(fetch)


async def speakers(machine: Machine, session: str) -> set[str]:
    """Give who spoke in any stream, of a saved transcript; empty for words that do not say."""
    found = await asked(machine, f"transcripts/{session}.json")
    words = [word for segment in found["segments"] for word in segment["words"]]
    return {word.get("speaker", "").partition("@")[0] for word in words}


async def check(machine: Machine, fake: FakeTranscribe) -> None:
    said = (machine.folder / "steno.log").read_text()
    assert "Engine   pocketsphinx, then aws (STENO_ENGINES)" in said
    here = (await recognised(machine, HELLO, "pocketsphinx"))["text"]
    assert here
    assert fake.journal.streams == []
    # The service has it ready: to recognise it there too may take longer than a stream waits.
    fake.service.listen = scripted(Line(here, at=HELLO_SECONDS))
    told = await recognised(machine, HELLO, "aws")
    assert told["text"] == here
    assert await speakers(machine, told["session_id"]) == {"0"}
    assert [stream.outcome for stream in fake.journal.streams] == ["done"]

    # Refused for ever: another engine says it all, or what was finished before is kept.
    # What was said before a reset comes to the client, which is not so where a connection is cut.
    lost = Behaviour(failure=Failure(How.RESET, HELLO_SECONDS + 1.8))
    fake.service.rules = [Rule(lost, 2, 2), Rule(Behaviour(refuse="BadRequestException"), 3)]
    twice = HELLO + PAUSE + HELLO
    alone = await recognised(machine, twice, "aws")
    assert alone["text"] == here
    session = alone["session_id"]
    assert (await asked(machine, f"transcripts/{session}.json"))["text"] == here
    assert await speakers(machine, session) == {"0"}
    assert (await asked(machine, f"streaming/sessions/{session}/metrics"))["lost_chunks"] > 0
    both = await recognised(machine, twice, "aws", "pocketsphinx")
    alone = await recognised(machine, twice, "pocketsphinx")
    assert both["text"] == alone["text"]
    assert await speakers(machine, alone["session_id"]) == {""}
    assert fake.journal.errors["BadRequestException"] >= 2


async def test_a_session_is_recognised_here_or_by_aws_and_goes_on_here_when_that_refuses(
    tmp_path: Path,
) -> None:
    async with serve(Service(listen=scripted()), Authority(tmp_path / "ca.pem")) as fake:
        settings = {
            **environment(fake.endpoint, fake.ca_file),
            "STENO_ENGINES": "pocketsphinx,aws",
            "STENO_AWS_SPEAKER_LABELS": "true",
            "STENO_AWS_CONNECT_SECONDS": "60",
            "AWS_CONFIG_FILE": str(tmp_path / "none"),
            "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none"),
        }
        with running(tmp_path, **settings) as machine:
            await check(machine, fake)
