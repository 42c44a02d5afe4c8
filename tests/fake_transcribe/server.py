"""A fake of Amazon Transcribe streaming that listens on this machine.

async with (
    local_engine(RecognitionSettings(engine="numbered")) as listen,
    serve(Service(listen=listen), Authority(tmp_path / "ca.pem")) as fake,
):
    client = client_of(fake)  # or anything that speaks to fake.endpoint and trusts fake.ca_file
    fake.service.rules = [nth(2, Behaviour(failure=Failure(How.DROP, at=1.5)))]
    ...
    fake.journal.streams[0].audio_seconds
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from tests.fake_transcribe import accepting
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.connection import Connection
from tests.fake_transcribe.journal import Journal
from tests.fake_transcribe.service import Service


class FakeTranscribe:
    """The service while it listens."""

    def __init__(self, service: Service, authority: Authority, context: ssl.SSLContext) -> None:
        self.service = service
        self.port = 0
        self._authority = authority
        self._context = context

    @property
    def endpoint(self) -> str:
        """Its address."""
        return f"https://localhost:{self.port}"

    @property
    def ca_file(self) -> str:
        """What a client must trust, in PEM form."""
        return str(self._authority.ca_file)

    @property
    def journal(self) -> Journal:
        """What happened so far."""
        return self.service.journal

    def show_certificate(self, *, trusted: bool) -> None:
        """From the next connection on, show one that clients trust or one that they do not."""
        self._authority.show(self._context, trusted=trusted)


@asynccontextmanager
async def serve(
    service: Service, authority: Authority, port: int = 0
) -> AsyncIterator[FakeTranscribe]:
    """Listen on 127.0.0.1, port 0 for any; at the end all connections are cut off."""
    context = authority.context()
    fake = FakeTranscribe(service, authority, context)
    async with asyncio.TaskGroup() as group:
        tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            service.journal.connections += 1
            number = service.journal.connections
            connection = Connection(number, (reader, writer), service.limits.window_bytes)
            run = connection.run(partial(accepting.serve, service=service))
            task = group.create_task(run, name=f"connection {number}")
            tasks.add(task)
            service.journal.open_connections += 1
            task.add_done_callback(lambda done: _left(done, tasks, service))

        server = await asyncio.start_server(connected, "127.0.0.1", port, ssl=context)
        fake.port = server.sockets[0].getsockname()[1]
        try:
            yield fake
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await server.wait_closed()


def _left(task: asyncio.Task[None], tasks: set[asyncio.Task[None]], service: Service) -> None:
    tasks.discard(task)
    service.journal.open_connections -= 1
