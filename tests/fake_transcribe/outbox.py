"""Messages on their way to the client, as late or as cut up as the behaviour wants."""

import asyncio
import json
from typing import Any, Final

from tests.fake_transcribe.behaviours import Behaviour
from tests.fake_transcribe.connection import Exchange
from tests.fake_transcribe.errors import ServiceError
from tests.fake_transcribe.eventstream import Message
from tests.fake_transcribe.journal import Sent, StreamRecord
from tests.fake_transcribe.results import event

_WAITING: Final = 1_000
"""Messages that wait at most."""

_Message = tuple[float, dict[str, Any]]
"""Seconds of audio when it came up, and its body."""


class Outbox:
    """Sends messages in order; `run` is its task."""

    def __init__(self, exchange: Exchange, record: StreamRecord) -> None:
        self.muted = False
        """Whether nothing that comes from now on is sent."""
        self.last_put = 0.0
        """Seconds of audio when something was last put in."""
        self._exchange = exchange
        self._record = record
        self._behaviour: Behaviour = record.behaviour
        self._clock = asyncio.get_running_loop().time
        self._queue: asyncio.Queue[tuple[float, _Message] | None] = asyncio.Queue(_WAITING)
        self._held: list[_Message] = []
        self._closed = False

    async def put(self, *results: dict[str, Any]) -> None:
        """Send an event with these results."""
        if self._closed or self.muted:
            return
        self.last_put = self._record.audio_seconds
        due = self._clock() + self._behaviour.results_delay
        if self._behaviour.empty_results and results:
            await self._queue.put((due, (self.last_put, event())))
        await self._queue.put((due, (self.last_put, event(*results))))

    async def close(self) -> None:
        """Take no more; `run` returns when everything is sent."""
        self._closed = True
        await self._queue.put(None)

    async def run(self) -> None:
        """Send what is put in, until it is closed."""
        while (item := await self._queue.get()) is not None:
            due, message = item
            await asyncio.sleep(max(0.0, due - self._clock()))
            self._held.append(message)
            if len(self._held) >= self._behaviour.events_per_frame:
                await self._send()
        await self._send()

    async def exception(self, error: ServiceError) -> None:
        """Send an exception behind everything else."""
        if self.muted:
            return
        now = self._record.audio_seconds
        self._held.append((now, {"exception": error.name, "Message": error.message}))
        if self._behaviour.results_after_end:
            self._held.append((now, self._record.sent[-1].body if self._record.sent else event()))
        await self._send()

    async def _send(self) -> None:
        messages, self._held = self._held, []
        if not messages:
            return
        now = self._clock()
        self._record.sent += [Sent(now, audio, body) for audio, body in messages]
        data = b"".join(_encoded(body) for _, body in messages)
        await self._exchange.send(data, self._behaviour.frame_bytes)


def _encoded(body: dict[str, Any]) -> bytes:
    if "exception" in body:
        headers = {":message-type": "exception", ":exception-type": body["exception"]}
        body = {"Message": body["Message"]}
    else:
        headers = {":message-type": "event", ":event-type": "TranscriptEvent"}
    headers[":content-type"] = "application/json"
    return Message(headers, json.dumps(body).encode()).encode()
