"""Whisper through all services: real processes, real Redis, a genuine small model."""

import asyncio
import csv
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

import pytest
from tests.e2e.machine import ROOT, Machine, printed, recognised, running, steno

import steno_client
from steno_audio import decode_file
from steno_client import Completed, Final

FIXTURE = ROOT / "tests" / "data" / "tiny_whisper"
HELDOUT = FIXTURE / "heldout"
WHISPER = {"STENO_ENGINE": "whisper", "STENO_WHISPER_MODEL": str(FIXTURE / "model")}

RATE = 16_000
CHUNKS = (320, 799, 1_600, 4_801, 16_000)
"""Samples of a chunk: 20 ms, odd ones, 1 s."""

Said = list[tuple[object, ...]]
"""All of a session's finals that must not differ."""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(tmp_path_factory.mktemp("machine"), **WHISPER) as machine:
        yield machine


def clips() -> list[Path]:
    with (HELDOUT / "transcripts.tsv").open() as file:
        return [HELDOUT / f"{row[0]}.flac" for row in csv.reader(file, delimiter="\t")]


def talk(paths: Sequence[Path]) -> bytes:
    """Give clips one after the other, with pauses that end their segments."""
    pause = bytes(2 * RATE)
    return b"".join(b"".join(decode_file(str(path))) + pause for path in paths)


async def said(url: str, pcm: bytes, chunk: int, *, paced: bool) -> tuple[Said, Completed]:
    """Stream audio in chunks of so many samples; gives its finals."""
    finals: Said = []
    async with steno_client.connect(url) as session:

        async def hear() -> None:
            async for event in session.events():
                if isinstance(event, Final):
                    words = tuple((w.text, w.start, w.end, w.confidence) for w in event.words)
                    finals.append(
                        (event.text, event.start, event.end, event.confidence, event.language,
                         words, event.prosody)
                    )  # fmt: skip

        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(hear())
            clock = asyncio.get_running_loop().time
            began = clock()
            for place in range(0, len(pcm), 2 * chunk):
                if paced:
                    await asyncio.sleep(max(0.0, began + place / 2 / RATE - clock()))
                await session.send(pcm[place : place + 2 * chunk])
            completed = await session.finish()
            await hearing
    return finals, completed


def test_every_held_out_clip_is_read_as_by_the_engine_alone(machine: Machine) -> None:
    paths = clips()
    assert len(paths) >= 15
    for path in paths:
        heard = printed(steno(machine, "transcribe", str(path), "--pace", "fast"))
        assert heard == recognised(path, **WHISPER), path.name
        assert heard.strip(), path.name


def test_among_fifteen_others_in_any_chunks_under_kills_the_finals_are_the_same_bytes(
    machine: Machine,
) -> None:
    machine.wait_ready()
    pcm = talk(clips()[:5])
    alone, undisturbed = asyncio.run(said(machine.url, pcm, 16_000, paced=False))
    assert len(alone) >= 5

    async def crowd() -> list[tuple[Said, Completed]]:
        async with asyncio.TaskGroup() as tasks:
            sessions = [
                tasks.create_task(said(machine.url, pcm, chunk, paced=True))
                for _, chunk in zip(range(16), cycle(CHUNKS), strict=False)
            ]
            for _ in range(3):
                await asyncio.sleep(3)
                await asyncio.to_thread(machine.kill, "transcriber")
        return [session.result() for session in sessions]

    for finals, completed in asyncio.run(crowd()):
        assert finals == alone
        assert completed.text == undisturbed.text
        counted = completed.statistics
        assert counted.received_samples == len(pcm) // 2
