"""A client of the fake that hides no frame."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from amazon_transcribe.auth import Credentials
from amazon_transcribe.request import Request
from amazon_transcribe.signer import SigV4RequestSigner
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import Event
from h2.settings import SettingCodes
from tests.fake_transcribe.server import FakeTranscribe
from tests.fake_transcribe.signing import DEFAULT

PATH = "/stream-transcription"
PLAIN = {
    "x-amzn-transcribe-language-code": "en-US",
    "x-amzn-transcribe-sample-rate": "16000",
    "x-amzn-transcribe-media-encoding": "pcm",
}


class Raw:
    """A connection whose every event can be read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._reader = reader
        self._writer = writer
        self._events: list[Event] = []

    async def flush(self) -> None:
        self._writer.write(self.h2.data_to_send())
        await self._writer.drain()

    async def ask(self, path: str = PATH, method: str = "POST", window: int | None = None) -> int:
        """Open a stream, signed; gives its id."""
        if window is not None:
            self.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
            await self.flush()
        asked = Request("https://localhost", path, method, {"host": "localhost", **PLAIN}).prepare()
        theirs = Credentials(DEFAULT.key_id, DEFAULT.secret)
        signed = SigV4RequestSigner("transcribe", "eu-central-1").sign(asked, theirs)
        headers = [(name.lower(), value) for name, value in signed.headers.as_list()]
        stream_id = self.h2.get_next_available_stream_id()
        pseudo = [(":method", method), (":path", path), (":scheme", "https")]
        plain = [(name, value) for name, value in headers if name != "host"]
        self.h2.send_headers(stream_id, [*pseudo, (":authority", "localhost"), *plain])
        await self.flush()
        return stream_id

    async def end(self, stream_id: int) -> None:
        self.h2.end_stream(stream_id)
        await self.flush()

    async def until(self, kind: type[Event]) -> list[Any]:
        """Give the events up to the first one of a kind."""
        seen: list[Any] = []
        async with asyncio.timeout(60):
            while True:
                for place, event in enumerate(self._events, 1):
                    seen.append(event)
                    if isinstance(event, kind):
                        del self._events[:place]
                        return seen
                data = await self._reader.read(65_536)
                assert data, f"closed without a {kind.__name__}"
                self._events = self.h2.receive_data(data)
                await self.flush()


@asynccontextmanager
async def connected(fake: FakeTranscribe) -> AsyncIterator[Raw]:
    context = ssl.create_default_context(cafile=fake.ca_file)
    context.set_alpn_protocols(["h2"])
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", fake.port, ssl=context, server_hostname="localhost"
    )
    raw = Raw(reader, writer)
    assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "h2"
    raw.h2.initiate_connection()
    await raw.flush()
    try:
        yield raw
    finally:
        writer.transport.abort()
