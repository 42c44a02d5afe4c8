"""R3, R4: the other protocols through the whole pipeline, with real processes."""

import asyncio
import base64
import itertools
import json
import os
import signal
from collections.abc import Iterator
from typing import Any

import aiohttp
import numpy as np
import pytest
from tests.e2e.machine import Machine, running

from steno_transcriber.engines.numbers import phrase, silence

CHUNK = 3_200
PATIENCE_SECONDS = 240.0


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("machine")
    settings = {
        "STENO_ENGINE": "numbered",
        "STENO_ABANDON_SECONDS": "3",
        # After a pause of the machine more may come at once.
        "STENO_MAX_AUDIO_CHUNKS_PER_SECOND": "1000",
    }
    with running(folder, **settings) as machine:
        yield machine


def numbers(first: int, last: int) -> list[bytes]:
    """Give speech of these numbers, cut as a client does."""
    pieces = [silence(1_600)]
    for number in range(first, last + 1, 5):
        pieces += [phrase(range(number, min(number + 5, last + 1))), silence(16_000)]
    pcm = np.concatenate(pieces).astype("<i2").tobytes()
    return [pcm[at : at + CHUNK] for at in range(0, len(pcm), CHUNK)]


def counted(first: int, last: int) -> list[str]:
    return [str(number) for number in range(first, last + 1)]


def words(messages: list[dict[str, Any]], field: str) -> list[str]:
    return " ".join(each[field] for each in messages).split()


async def saved(http: aiohttp.ClientSession, path: str) -> Any:
    """Wait until a transcript is saved."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            async with http.get(path) as answer:
                if answer.status == 200 and (found := await answer.json()):
                    return found
            await asyncio.sleep(0.1)


async def test_r4_a_client_gets_its_words_and_one_that_leaves_has_them_saved(
    machine: Machine,
) -> None:
    async with aiohttp.ClientSession(machine.url) as http, asyncio.timeout(PATIENCE_SECONDS):
        async with http.get("/status") as answer:
            status = await answer.json()
            assert (status["status"], status["engine_ready"]) == ("ok", True)
        async with http.get("/api/transcripts") as answer:
            before = len((await answer.json())["transcripts"])
        async with http.ws_connect("/ws") as ws:
            for chunk in numbers(1, 12):
                await ws.send_bytes(chunk)
            await ws.send_json({"type": "stop"})
            heard = [message.json() async for message in ws]
            assert ws.close_code == 1000
        assert {each["type"] for each in heard} == {"transcription"}
        assert words(heard, "text") == counted(1, 12)
        async with http.ws_connect("/ws") as ws:
            for chunk in numbers(21, 34):
                await ws.send_bytes(chunk)
        while True:
            found = (await saved(http, "/api/transcripts"))["transcripts"]
            if len(found) == before + 2:
                break
            await asyncio.sleep(0.1)
        transcript = await saved(http, f"/api/transcripts/{found[0]['id']}")
        assert transcript["text"].split() == counted(21, 34)


async def send(ws: aiohttp.ClientWebSocketResponse, name: str, chunks: list[bytes]) -> None:
    """Send chunks at ten a second."""
    clock = asyncio.get_running_loop().time
    began = clock()
    for number, chunk in enumerate(chunks, 1):
        data = base64.b64encode(chunk).decode()
        await ws.send_json({"action": "sendAudio", "sessionId": name, "audioData": data})
        await asyncio.sleep(max(0.0, began + number * 0.1 - clock()))


async def test_r3_a_session_goes_on_from_socket_to_socket_to_the_word(machine: Machine) -> None:
    name = "golden-eagle-427"
    said = numbers(100, 119)
    async with aiohttp.ClientSession(machine.url) as http, asyncio.timeout(PATIENCE_SECONDS):
        finals: list[dict[str, Any]] = []
        cuts = [0, 17, 43, 60, len(said)]
        for begin, end in itertools.pairwise(cuts):
            async with http.ws_connect("/sendAudio") as ws:
                await send(ws, name, said[begin:end])
                if end == len(said):
                    await ws.send_json({"action": "endSession", "sessionId": name})
                else:
                    await ws.close()
                heard = [json.loads(message.data) async for message in _until_ended(ws)]
                finals += [each for each in heard if each.get("isPartial") is False]
        assert heard[-1]["type"] == "sessionEnded"
        assert heard[-1]["transcriptText"].split() == counted(100, 119)
        async with http.get(f"/api/transcripts/{heard[-1]['id']}") as answer:
            assert (await answer.json())["text"].split() == counted(100, 119)
        assert {each["stabilityScore"] for each in finals} == {1.0}


async def _until_ended(ws: aiohttp.ClientWebSocketResponse) -> Any:
    async for message in ws:
        yield message
        if json.loads(message.data)["type"] == "sessionEnded":
            return


async def test_r4_a_clean_shutdown_closes_every_socket(machine: Machine) -> None:
    async with (
        aiohttp.ClientSession(machine.url) as http,
        asyncio.timeout(PATIENCE_SECONDS),
        http.ws_connect("/ws") as live,
        http.ws_connect("/st") as watcher,
        http.ws_connect("/sendAudio") as named,
    ):
        await live.send_bytes(bytes(3_200))
        await send(named, "eagle", [bytes(3_200)])
        assert (await watcher.receive_json())["status"]["engine_ready"] is True
        gateway = machine.pid("gateway")
        assert gateway is not None
        os.kill(gateway, signal.SIGTERM)
        for ws in (live, watcher, named):
            async for _ in ws:
                pass
            assert ws.close_code == 1012
    await asyncio.to_thread(machine.wait_ready)
