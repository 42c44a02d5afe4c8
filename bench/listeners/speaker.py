"""The one session that all listen to."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from bench.listeners.listener import KEPT
from bench.pipeline import stream


@dataclass
class Spoken:
    """What was sent, and what the speaker was told."""

    sent: dict[int, float] = field(default_factory=dict)
    """Chunk -> monotonic time (s)."""
    told: list[tuple[int, str]] = field(default_factory=list)
    """Events with their kinds: what every listener must hear too."""


async def create(http: aiohttp.ClientSession, url: str) -> str:
    """Create a session; gives its id."""
    asked = {"mime_type": "audio/pcm"}
    async with http.post(f"{url}/api/streaming/sessions", json=asked) as made:
        made.raise_for_status()
        session_id: str = (await made.json())["session_id"]
        return session_id


async def speak(http: aiohttp.ClientSession, url: str, session_id: str, audio: bytes) -> Spoken:
    """Stream a recording at the pace of real time, to the end of the session."""
    spoken = Spoken()
    async with http.ws_connect(f"{url}/api/streaming/sessions/{session_id}/ws") as ws:
        sending = asyncio.create_task(stream(ws, audio, spoken.sent), name="speaker")
        async for message in ws:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            answer: dict[str, Any] = json.loads(message.data)
            if kind := KEPT.get(answer["type"]):
                spoken.told.append((answer["event"], kind))
        await sending
    return spoken
