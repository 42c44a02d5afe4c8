"""Planted secrets and what was said are in no log line and no metric of any service."""

import asyncio
import json
import urllib.request
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from tests.e2e.machine import SAMPLES, Machine, running

import steno_client

KEY, TOKEN_SECRET = "canary-of-the-api-keys", "canary-of-the-tokens-secret-which-is-long"
PROMPT, HOTWORD, WRONG = "canary in the prompt", "canary-hotword", "canary-that-is-no-key"
ACCESS = steno_client.Access(api_key=KEY)


def pages(machine: Machine) -> str:
    """Give the metrics of all services."""
    host, _, port = machine.url.rpartition(":")
    found = ""
    for offset in range(4):
        request = urllib.request.Request(f"{host}:{int(port) + offset}/metrics")
        request.add_header("X-Api-Key", KEY)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found += answer.read().decode()
    return found


async def misuse(url: str, session_id: str, token: str) -> None:
    """Bring every secret to every place where it does not belong."""
    path = f"{url}/api/streaming/sessions/{session_id}"
    wrong = {"Authorization": f"Bearer {WRONG}"}
    async with aiohttp.ClientSession() as http:
        for address in (f"{path}?token={token}&key={KEY}", f"{path}/events?token={KEY}",
                        f"{url}/{KEY}", f"{path}/{token}"):  # fmt: skip
            for headers in (wrong, {"X-Api-Key": KEY, "Content-Encoding": "gzip"}):
                async with http.get(address, headers=headers) as answer:
                    await answer.read()
        async with http.post(f"{url}/api/transcriptions?prompt={PROMPT}", data=b"x" * 99,
                             headers={"X-Api-Key": KEY}) as answer:  # fmt: skip
            assert answer.status == 422
        for offer in ((f"steno.token.{token}",), ("steno.v1", f"steno.key.{WRONG}")):
            async with http.ws_connect(f"{path}/ws", protocols=offer) as ws:
                await ws.send_str(json.dumps({"type": TOKEN_SECRET, "prompt": PROMPT}))
                await ws.receive()
    reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
    writer.write(f"GET /{token} {KEY}\r\nAuthorization {KEY}\r\n{WRONG}\r\n\r\n".encode())
    await reader.read(-1)
    writer.close()


async def test_no_secret_and_no_word_is_logged_or_counted(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "STENO_API_KEYS": f"ann:{KEY}", "STENO_TOKEN_SECRET": TOKEN_SECRET,
        "STENO_LOG_LEVEL": "DEBUG",
    }  # fmt: skip
    with running(tmp_path, **settings) as machine:
        with pytest.raises(steno_client.SessionError, match="key"):
            await steno_client.list_transcripts(machine.url)
        async with steno_client.connect(
            machine.url, access=ACCESS, prompt=PROMPT, hotwords=[HOTWORD], sample_rate=16_000
        ) as session:
            await session.send((SAMPLES / "hello.wav").read_bytes()[44:])
            completed = await session.finish()
            token = session._conversation.token
        assert token is not None
        assert "thank you" in completed.text
        await misuse(machine.url, session.id, token)
        metrics = pages(machine)
    logs = (tmp_path / "steno.log").read_text()
    assert "API keys are needed" in logs
    assert "steno_gateway_errors_total" in metrics
    heard = [" ".join(completed.text.split()[at : at + 3]) for at in range(0, 9, 3)]
    for secret in (KEY, TOKEN_SECRET, token, token.rpartition(".")[2], PROMPT, "canary", HOTWORD,
                   WRONG, session.id, *heard):  # fmt: skip
        assert secret not in logs, secret
        assert secret not in metrics, secret
