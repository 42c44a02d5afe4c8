"""The audio of a stream as it comes in: envelopes verified, events unpacked."""

import asyncio
from collections.abc import Iterator
from typing import Final

from tests.fake_transcribe import errors
from tests.fake_transcribe.connection import Exchange
from tests.fake_transcribe.errors import ServiceError, bad_request
from tests.fake_transcribe.eventstream import Decoder, FramingError, Message, decode_one
from tests.fake_transcribe.journal import EndOfAudio, StreamRecord
from tests.fake_transcribe.service import Service
from tests.fake_transcribe.signing import Chain

_AUDIO: Final = {":message-type": "event", ":event-type": "AudioEvent"}


class Incoming:
    """Gives the audio of one event after the other."""

    def __init__(
        self, exchange: Exchange, service: Service, record: StreamRecord, chain: Chain
    ) -> None:
        self._exchange = exchange
        self._service = service
        self._record = record
        self._chain = chain
        self._decoder = Decoder()
        self._messages: Iterator[Message] = iter(())

    async def audio(self) -> bytes | None:
        """Give the next event's audio, None behind the last.

        Raises ServiceError for what is not as it must be, or if nothing new comes for too long.
        """
        try:
            async with asyncio.timeout(self._service.limits.idle_seconds):
                envelope = await self._next()
        except TimeoutError:
            raise bad_request(errors.NO_NEW_AUDIO) from None
        if envelope is None:
            return self._end("stream")
        try:
            inner = self._chain.opened(envelope, self._service.clock())
        except ServiceError:
            self._service.journal.signature_failures += 1
            raise
        if not inner:
            return self._end("envelope")
        return self._unpacked(inner) or self._end("event")

    async def _next(self) -> Message | None:
        """Give the next envelope, None where the request ends."""
        while True:
            try:
                for envelope in self._messages:
                    return envelope
                data = await self._exchange.receive()
                if data is None:
                    return None
                self._messages = self._decoder.feed(data)
            except FramingError as error:
                raise bad_request(str(error)) from error

    def _unpacked(self, inner: bytes) -> bytes:
        try:
            event = decode_one(inner)
        except FramingError as error:
            raise bad_request(str(error)) from error
        if any(event.headers.get(name) != value for name, value in _AUDIO.items()):
            raise bad_request("The event is not an AudioEvent.")
        if len(event.payload) > self._service.limits.event_bytes:
            raise bad_request(errors.TOO_BIG)
        return event.payload

    def _end(self, how: EndOfAudio) -> bytes | None:
        self._record.end_of_audio = how
        return None
