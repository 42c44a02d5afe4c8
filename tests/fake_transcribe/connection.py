"""One HTTP/2 connection: frames in and out, with credit for both sides."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.errors import ErrorCodes
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    RequestReceived,
    StreamEnded,
    StreamReset,
    WindowUpdated,
)
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes
from hyperframe.frame import GoAwayFrame
from tests.fake_transcribe.errors import ServiceError
from tests.fake_transcribe.signing import Request

_READ_BYTES: Final = 65_536
_CONNECTION_WINDOW: Final = 1 << 24
"""So large that a stream whose audio is not taken stops no other stream."""


class Exchange:
    """A request with its answer."""

    def __init__(self, connection: "Connection", stream_id: int, request: Request) -> None:
        self.request = request
        self.stream_id = stream_id
        self.inbox: asyncio.Queue[tuple[bytes, int] | ServiceError | None] = asyncio.Queue()
        """Bytes with the credit they took; bounded by the window."""
        self._connection = connection
        self._owed = 0

    @property
    def connection(self) -> int:
        """Number of its connection."""
        return self._connection.number

    async def receive(self) -> bytes | None:
        """Give the next bytes of the request, None at its end; those before are paid for.

        Raises the ServiceError that it is terminated with.
        """
        self.pay()
        item = await self.inbox.get()
        if isinstance(item, ServiceError):
            raise item
        if item is None:
            return None
        data, self._owed = item
        return data

    def terminate(self, error: ServiceError) -> None:
        """Let the next `receive` raise an error, behind what was received before."""
        self.inbox.put_nowait(error)

    def pay(self) -> None:
        """Give the credit for the bytes received last."""
        self._connection.credit(self.stream_id, self._owed)
        self._owed = 0

    async def answer(
        self, status: int, headers: Sequence[tuple[str, str]], *, body: bytes | None = None
    ) -> None:
        """Send headers; with a body the answer is complete."""
        await self._connection.send_headers(
            self.stream_id, [(":status", str(status)), *headers], body
        )

    async def send(self, data: bytes, frame_bytes: int | None = None) -> None:
        """Send bytes of the answer, as credit allows, in frames of a given size at most."""
        await self._connection.send_data(self.stream_id, data, frame_bytes)

    async def end(self) -> None:
        """End the answer."""
        await self._connection.end_stream(self.stream_id)

    def reset(self) -> None:
        """Break the stream off."""
        self._connection.reset(self.stream_id)

    def go_away(self, *, drain: bool) -> None:
        """Take no more streams; without `drain` not even this one."""
        self._connection.go_away(self.stream_id if drain else 0)

    def drop(self) -> None:
        """Cut the connection off."""
        self._connection.abort()


Serve = Callable[[Exchange], Awaitable[None]]
"""Answers a request."""


class Connection:
    """Speaks with one client until either side closes; its streams run side by side."""

    def __init__(
        self, number: int, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], window: int
    ) -> None:
        self.number = number
        self._reader, self._writer = streams
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._window = window
        self._room = asyncio.Event()
        self._running: dict[int, tuple[Exchange, asyncio.Task[None]]] = {}

    async def run(self, serve: Serve) -> None:
        """Answer requests until the connection ends."""
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: self._window})
        self._h2.increment_flow_control_window(_CONNECTION_WINDOW)
        self._flush()
        try:
            async with asyncio.TaskGroup() as group:
                try:
                    while data := await self._reader.read(_READ_BYTES):
                        for event in self._h2.receive_data(data):
                            self._handle(event, serve, group)
                        self._flush()
                except (OSError, ProtocolError):
                    self._flush()
                for _, task in self._running.values():
                    task.cancel()
        finally:
            self.abort()

    def _handle(self, event: Event, serve: Serve, group: asyncio.TaskGroup) -> None:
        match event:
            case RequestReceived(stream_id=int(stream_id), headers=headers):
                exchange = Exchange(self, stream_id, Request.of(headers or ()))
                name = f"stream {stream_id} of connection {self.number}"
                task = group.create_task(self._serve(exchange, serve), name=name)
                self._running[stream_id] = exchange, task
            case DataReceived(stream_id=int(stream_id), data=data):
                credit = event.flow_controlled_length or 0
                if stream_id in self._running:
                    exchange, _ = self._running[stream_id]
                    exchange.inbox.put_nowait((bytes(data or b""), credit))
                else:
                    self.credit(stream_id, credit)
            case StreamEnded(stream_id=int(stream_id)) if stream_id in self._running:
                self._running[stream_id][0].inbox.put_nowait(None)
            case StreamReset(stream_id=int(stream_id)) if stream_id in self._running:
                self._running[stream_id][1].cancel()
            case WindowUpdated() | RemoteSettingsChanged():
                self._room.set()

    async def _serve(self, exchange: Exchange, serve: Serve) -> None:
        try:
            await serve(exchange)
        except* (OSError, ProtocolError):
            pass  # the client went away in the middle of an answer
        finally:
            del self._running[exchange.stream_id]
            exchange.pay()
            while not exchange.inbox.empty():
                if isinstance(item := exchange.inbox.get_nowait(), tuple):
                    self.credit(exchange.stream_id, item[1])

    def credit(self, stream_id: int, length: int) -> None:
        """Let the client send so many more bytes."""
        if length and not self._writer.is_closing():
            try:
                self._h2.acknowledge_received_data(length, stream_id)
            except ProtocolError:
                return  # the connection ends
            self._flush()

    async def send_headers(
        self, stream_id: int, headers: Sequence[tuple[str, str]], body: bytes | None
    ) -> None:
        """Send headers, with the whole body if there is one."""
        self._h2.send_headers(stream_id, headers)
        self._flush()
        if body is not None:
            await self.send_data(stream_id, body, None)
            await self.end_stream(stream_id)

    async def send_data(self, stream_id: int, data: bytes, frame_bytes: int | None) -> None:
        """Send bytes as the client gives credit."""
        place = 0
        while place < len(data):
            room = self._h2.local_flow_control_window(stream_id)
            room = min(room, self._h2.max_outbound_frame_size, frame_bytes or len(data))
            if room <= 0:
                self._room.clear()
                await self._room.wait()
                continue
            self._h2.send_data(stream_id, data[place : place + room])
            place += room
            self._flush()
            await self._writer.drain()

    async def end_stream(self, stream_id: int) -> None:
        """End an answer."""
        self._h2.end_stream(stream_id)
        self._flush()
        await self._writer.drain()

    def reset(self, stream_id: int) -> None:
        """Break a stream off."""
        self._h2.reset_stream(stream_id, ErrorCodes.INTERNAL_ERROR)
        self._flush()

    def go_away(self, last_stream: int) -> None:
        """Say which stream is the last one; if it is none, close."""
        frame = GoAwayFrame(0, last_stream_id=last_stream, error_code=ErrorCodes.NO_ERROR)
        self._writer.write(frame.serialize())
        if not last_stream:
            self._writer.close()

    def abort(self) -> None:
        """Close without a word."""
        self._writer.transport.abort()

    def _flush(self) -> None:
        data = self._h2.data_to_send()
        if data and not self._writer.is_closing():
            self._writer.write(data)
