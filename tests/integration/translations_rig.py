"""Two gateways with a notifier on one Redis, and somebody who translates what is said."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.gateway_support import SESSIONS, Client, Gateway, Json, noise, running
from tests.redis_servers import RedisServer

from steno_common.messages import Final
from steno_notifier.worker import fan_out

CHUNK = noise(0.1)


@dataclass
class Installation:
    """What a session lives in."""

    one: Gateway
    other: Gateway

    async def say(self, session_id: str, client: Client, text: str) -> int:
        """Speak one chunk that is understood as a text; gives the number of its final."""
        first = (await self.one.snapshot(session_id)).chunks + 1
        await client.chunks([CHUNK], first=first)
        await client.hear_stored(first)
        await self.one.commit(session_id, text)
        final = await client.hear("transcription_final", text_content=text)
        number: int = final["event"]
        return number

    async def end(self, session_id: str, client: Client) -> None:
        """End the input, and complete the session."""
        await client.act("stop")
        await self.one.finish(session_id)


async def translate(gateway: Gateway, session_id: str, language: str, text: str, event: int = 0,
                    **options: Any) -> tuple[int, Json]:  # fmt: skip
    """Give a translation back; gives the status and the body of the answer."""
    body = {"language": language, "text": text, "event": event}
    path = f"{SESSIONS}/{session_id}/translations"
    async with gateway.http.post(path, json=body, **options) as answer:
        return answer.status, await answer.json()


async def translate_all(gateway: Gateway, session_id: str, language: str) -> int:
    """Translate every final to its text in capitals behind the language; gives how many."""
    finals = [each for each in await gateway.store.events(session_id)
              if isinstance(each.event, Final)]  # fmt: skip
    for each in finals:
        assert isinstance(each.event, Final)
        text = f"{language} {each.event.text.upper()}"
        status, answer = await translate(gateway, session_id, language, text, each.number)
        assert status == 201, answer
    return len(finals)


@asynccontextmanager
async def installed(server: RedisServer, folder: Path, **settings: Any
                    ) -> AsyncIterator[Installation]:  # fmt: skip
    """Run two gateways and a notifier."""
    async with running(server, folder, **settings) as one:
        await one.doorbells.prepare()
        notifier = asyncio.create_task(fan_out(one.doorbells), name="notifier")
        try:
            async with running(server, folder, **settings) as other:
                yield Installation(one, other)
        finally:
            notifier.cancel()
            await asyncio.wait({notifier})


def texts(client: Client, kind: str) -> list[str]:
    """Give the texts of a kind that were heard, in order."""
    return [message["text_content"] for message in client.told(kind)]


def kinds(client: Client) -> set[str]:
    """Name the kinds of messages that were heard."""
    return {message["type"].removeprefix("server:") for message in client.heard}
