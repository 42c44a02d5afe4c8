"""A client that means harm is told so or cut off, and nobody else feels it."""

import asyncio
import gzip
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import av
import numpy as np
import psutil
import pytest
from bench.installation import Part, ready, service
from tests.integration.gateway_support import (
    NOBODY,
    PATIENCE_SECONDS,
    SESSIONS,
    Gateway,
    cut,
    noise,
    running,
    until,
)
from tests.redis_servers import RedisServer

from steno_common.store.sessions import SessionStore
from steno_gateway.domain.client import MAX_TIMESTAMP
from steno_gateway.socket import MAX_FRAME_BYTES

CHUNK = noise(0.1)
ATTACKERS = 20
STRANGERS_MB = 1.2
"""Of memory for an abusive connection."""
HOLDERS_MB = 1.6
"""The same, of one that holds back the end of the largest frame: 1 MiB of audio in base64."""


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    """A gateway on which another client's session goes on through every test, unharmed."""
    limits = {"backlog_seconds": 1_000.0}
    async with running(redis_server, tmp_path, limits) as gateway:
        session_id = await gateway.create()
        yield gateway
        async with gateway.joined(session_id) as other:
            await other.chunks([CHUNK])
            await other.hear_stored(1)
            assert other.told("error") == []


@asynccontextmanager
async def wire(address: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Hold a connection without any protocol."""
    host, port = address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def handshake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str,
                    *extra: str) -> str:  # fmt: skip
    """Open a socket by hand; gives the head of the answer."""
    lines = [f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
             "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
             *extra, "", ""]  # fmt: skip
    writer.write("\r\n".join(lines).encode())
    async with asyncio.timeout(PATIENCE_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
    return head.decode()


def frame(first: int, payload: bytes, announced: int | None = None) -> bytes:
    """Give a masked frame; `first` is its first byte."""
    size = len(payload) if announced is None else announced
    return bytes([first, 0xFF]) + size.to_bytes(8) + bytes(4) + payload


async def closed(reader: asyncio.StreamReader) -> bytes:
    """Read until the server ends the connection."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            return await reader.read(-1)
        except ConnectionError:
            return b""


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    try:
        for byte in data:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.1)
    except ConnectionError:
        return


@pytest.mark.parametrize("head", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_headers_that_never_end_are_waited_for_no_longer_than_a_moment(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, head: bytes
) -> None:
    monkeypatch.setattr("steno_common.health.KEEPALIVE_SECONDS", 0.5)
    async with (
        running(redis_server, tmp_path) as gateway,
        wire(gateway.address) as (reader, writer),
    ):
        writer.write(head)
        # It drips for longer than the end is waited for.
        dripping = asyncio.create_task(drip(writer, 200 * b"X-A: b\r\n" if head else b""))
        await closed(reader)
        dripping.cancel()


async def test_a_body_that_never_ends_is_waited_for_no_longer_than_a_moment(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.api.BODY_SECONDS", 0.3)
    async with wire(gateway.address) as (reader, writer):
        writer.write(
            f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode()
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readuntil(b"}")
    assert head.startswith(b"HTTP/1.1 408")
    assert json.loads(body)["code"] == "request_timeout"


async def test_an_upload_that_trickles_is_given_up_and_leaves_nothing(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield bytes(4)
            await asyncio.sleep(0.05)

    path = "/api/transcriptions?mime_type=audio/pcm"
    async with running(redis_server, tmp_path, socket_idle_seconds=1.0) as gateway:
        async with gateway.http.post(path, data=trickle()) as answer:
            assert (answer.status, (await answer.json())["code"]) == (408, "request_timeout")
        assert gateway.services.admission.sessions == 0


async def test_a_socket_does_not_unpack_what_is_sent(gateway: Gateway) -> None:
    path = f"{SESSIONS}/{await gateway.create()}/ws"
    async with wire(gateway.address) as (reader, writer):
        offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"
        head = await handshake(reader, writer, path, offer)
        assert "101" in head
        assert "permessage-deflate" not in head
        writer.write(frame(0xC2, b"\x4a\x04\x00"))  # a compressed binary frame
        assert await closed(reader)


async def test_a_body_that_unpacks_to_much_is_refused(gateway: Gateway) -> None:
    bomb = gzip.compress(bytes(64 << 20))
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    async with gateway.http.post(SESSIONS, data=bomb, headers=headers) as answer:
        assert answer.status in (400, 413)


@pytest.mark.parametrize("path", [SESSIONS, "/api/transcriptions?mime_type=audio/wav"])
@pytest.mark.parametrize("packing", ["gzip", "deflate", "br"])
async def test_a_body_that_is_not_packed_as_it_says_is_refused(
    gateway: Gateway, path: str, packing: str
) -> None:
    headers = {"Content-Encoding": packing}
    async with gateway.http.post(path, data=b"not packed at all", headers=headers) as answer:
        assert answer.status == 400


async def test_the_key_of_a_handshake_may_be_no_text_at_all(gateway: Gateway) -> None:
    path = f"{SESSIONS}/{await gateway.create()}/ws"
    async with wire(gateway.address) as (reader, writer):
        head = "\r\n".join([f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket",
                            "Connection: Upgrade", "Sec-WebSocket-Version: 13",
                            "Sec-WebSocket-Key: "])  # fmt: skip
        writer.write(head.encode() + b"\xc3\xa9" * 12 + b"\r\n\r\n")
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("field", ["sample_rate", "channels"])
async def test_a_number_that_nothing_can_store_is_refused(gateway: Gateway, field: str) -> None:
    for number in (10**400, -(10**400), 1 << 64):
        body = json.dumps({"mime_type": "audio/webm", field: number})
        async with gateway.http.post(SESSIONS, data=body) as answer:
            assert (answer.status, (await answer.json())["code"]) == (400, "invalid_message")


@pytest.mark.parametrize(
    "text", ["[" * 1_400_000, '{"a":' * 200_000, '{"type":"' + "x" * 1_400_000, "9" * 1_400_000]
)
async def test_huge_json_is_refused_and_the_session_goes_on(gateway: Gateway, text: str) -> None:
    async with gateway.recording() as (_, client):
        await client.ws.send_str(text)
        assert (await client.hear("error"))["code"] in ("invalid_json", "invalid_message")
        await client.chunks([CHUNK])
        await client.hear_stored(1)


@pytest.mark.parametrize(
    "text", ['{"type":"client:ping"}', "{", '{"type":"client:control","action":"resume"}']
)
async def test_a_flood_of_small_messages_ends_the_socket(gateway: Gateway, text: str) -> None:
    async with gateway.recording() as (session_id, client):
        for _ in range(3_000):
            if client.ws.closed:
                break
            await client.ws.send_str(text)
        assert await client.hear_end() == 1008
        assert client.told("error")[-1]["code"] == "too_many_messages"
    await gateway.became(session_id, "reconnecting")


async def test_a_flood_of_fragments_holds_up_nobody(gateway: Gateway) -> None:
    path = f"{SESSIONS}/{await gateway.create()}/ws"
    async with gateway.recording() as (_, other), wire(gateway.address) as (reader, writer):
        await handshake(reader, writer, path)
        writer.write(bytes([0x02, 0x81]) + bytes(5))
        fragments = 20_000 * (bytes([0x00, 0x81]) + bytes(5))
        writer.write(fragments)
        await other.say("ping")
        await other.hear("pong")


async def test_a_listener_has_little_to_say(gateway: Gateway) -> None:
    path = f"{SESSIONS}/{await gateway.create()}/listen"
    async with gateway.socket(path) as client:
        await client.ws.send_bytes(bytes(5_000))
        assert await client.hear_end() == 1009
    async with gateway.socket(path) as client:
        for _ in range(3_000):
            if client.ws.closed:
                break
            await client.ws.send_str("hello")
        assert await client.hear_end() == 1008
        assert client.told("error")[-1]["code"] == "too_many_messages"


def silence(seconds: int) -> bytes:
    """Give so much silence as FLAC, of which an hour has a few thousand bytes."""
    file = io.BytesIO()
    with av.open(file, "w", format="flac") as container:
        stream = container.add_stream("flac", rate=16_000, layout="mono")
        for _ in range(seconds):
            samples = np.zeros((1, 16_000), np.int16)
            block = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            block.sample_rate = 16_000
            container.mux(stream.encode(block))
        container.mux(stream.encode(None))
    return file.getvalue()


async def test_a_chunk_that_unfolds_to_too_much_audio_is_refused(gateway: Gateway) -> None:
    bomb = await asyncio.to_thread(silence, 3_000)
    assert len(bomb) < 1 << 20
    async with gateway.recording("audio/flac", duration_limit=3_600) as (session_id, client):
        await client.chunks([bomb])
        await client.act("stop")
        assert await client.hear_end() == 1008
        assert client.told("error")[-1]["code"] == "undecodable_audio"
        assert await gateway.status(session_id) == "error"
        assert len(await gateway.pcm(session_id)) <= 610 * 32_000


async def test_a_batch_that_unfolds_to_much_is_stored_in_parts_that_do_not(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[int] = []
    append = SessionStore.append

    async def measured(store: SessionStore, session_id: str, conn: int, chunks: Any) -> Any:
        stored.append(sum(len(chunk.pcm) for chunk in chunks))
        return await append(store, session_id, conn, chunks)

    monkeypatch.setattr(SessionStore, "append", measured)
    chunks = cut(await asyncio.to_thread(silence, 900), 1_000)
    async with gateway.recording("audio/flac") as (_, client):
        await client.chunks(chunks[:60])
        await client.hear_stored(len(chunks[:60]))
    assert len(chunks) > 5
    longest = max(stored)
    assert longest < 120 * 32_000 + 100 * 32_000
    assert sum(stored) > longest


async def test_a_reader_that_is_mute_for_ever_leaves_no_connection_behind(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path, send_seconds=0.5) as gateway:
        session_id = await gateway.create()
        async with wire(gateway.address) as (reader, writer):
            head = f"GET {SESSIONS}/{session_id}/events HTTP/1.1\r\nHost: x\r\n\r\n"
            writer.write(head.encode())
            async with asyncio.timeout(PATIENCE_SECONDS):
                await reader.readuntil(b"session.started")
            writer.transport.pause_reading()  # type: ignore[attr-defined]

            async def gone() -> bool:
                await gateway.partial(session_id, "x" * 300_000)
                return not gateway.services.feed._subscriptions

            mine = writer.get_extra_info("sockname")[1]

            async def closed() -> bool:
                held = await asyncio.to_thread(psutil.Process().net_connections, "tcp")
                return not any(each.raddr and each.raddr.port == mine for each in held)

            await until(gone)
            await until(closed)


# Memory, of a gateway that is a process of its own.


async def settled_mb(gateway: Part) -> float:
    """Wait until the memory of a gateway has stopped growing; gives it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            before = gateway.resident_mb
            await asyncio.sleep(0.3)
            if (now := gateway.resident_mb) <= before:
                return now


Wire = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Attack = Callable[[Wire, str], Awaitable[None]]


async def half_headers(connection: Wire, _: str) -> None:
    connection[1].write(b"GET /" + 100_000 * b"a")
    await connection[1].drain()


async def half_body(connection: Wire, _: str) -> None:
    head = f"POST {SESSIONS} HTTP/1.1\r\nHost: x\r\nContent-Length: 262000\r\n\r\n"
    connection[1].write(head.encode() + 261_000 * b" ")
    await connection[1].drain()


async def half_upload(connection: Wire, _: str) -> None:
    head = "POST /api/transcriptions HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\n"
    connection[1].write(head.encode() + b"RIFF" + 60_000 * b" ")
    await connection[1].drain()


async def refused(connection: Wire, _: str) -> None:
    """Do not answer when the server closes."""
    await handshake(*connection, f"{SESSIONS}/{NOBODY}/ws")


async def flood(connection: Wire, session_id: str) -> None:
    await handshake(*connection, f"{SESSIONS}/{session_id}/ws")
    ping = b'{"type":"client:ping"}'
    connection[1].write(5_000 * (bytes([0x81, 0x80 | len(ping)]) + bytes(4) + ping))
    await connection[1].drain()


async def mute(connection: Wire, session_id: str) -> None:
    """Ask for more than is read: each ping, of either kind, is answered with what it holds."""
    reader, writer = connection
    await handshake(reader, writer, f"{SESSIONS}/{session_id}/ws")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    for size in (MAX_TIMESTAMP, 100_000):
        ping = json.dumps({"type": "client:ping", "timestamp": "x" * size}).encode()
        writer.write(100 * frame(0x81, ping))
    writer.write(80_000 * (bytes([0x89, 0x80 | 125]) + bytes(4) + bytes(125)))
    try:
        async with asyncio.timeout(1):
            await writer.drain()
    except TimeoutError:
        return


async def half_frame(connection: Wire, session_id: str) -> None:
    await handshake(*connection, f"{SESSIONS}/{session_id}/ws")
    largest = MAX_FRAME_BYTES - 1
    connection[1].write(frame(0x82, bytes(largest - 1), announced=largest))
    await connection[1].drain()


async def half_message(connection: Wire, session_id: str) -> None:
    await handshake(*connection, f"{SESSIONS}/{session_id}/ws")
    connection[1].write(frame(0x02, bytes(10)))
    for _ in range(MAX_FRAME_BYTES // 10_000 - 1):
        connection[1].write(frame(0x00, bytes(10_000)))
    await connection[1].drain()


@pytest.mark.parametrize(
    ("attack", "most"),
    [(half_headers, STRANGERS_MB), (half_body, STRANGERS_MB), (half_upload, STRANGERS_MB),
     (refused, STRANGERS_MB), (flood, STRANGERS_MB), (mute, STRANGERS_MB),
     (half_frame, HOLDERS_MB), (half_message, HOLDERS_MB)],
)  # fmt: skip
async def test_the_memory_of_an_abusive_connection_is_bounded(
    redis_server: RedisServer, tmp_path: Path, attack: Attack, most: float
) -> None:
    often = {"STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": "1000"}
    async with (
        service("gateway", tmp_path, redis_server.url, often) as gateway,
        AsyncExitStack() as held,
    ):
        await ready([gateway])
        address = gateway.address
        http = await held.enter_async_context(aiohttp.ClientSession(address))
        ids = []
        for _ in range(ATTACKERS + 1):
            async with http.post(SESSIONS, json={"mime_type": "audio/pcm"}) as answer:
                ids.append((await answer.json())["session_id"])
        async with wire(address) as first:  # what a first connection makes is there once
            await attack(first, ids.pop())
            await settled_mb(gateway)
        before = most_seen = await settled_mb(gateway)
        for session_id in ids:
            await attack(await held.enter_async_context(wire(address)), session_id)
            most_seen = max(most_seen, gateway.resident_mb)
        each = (max(most_seen, await settled_mb(gateway)) - before) / ATTACKERS
        print(f"{attack.__name__}: {each:.2f} MB")  # noqa: T201 - the figure of docs/security.md
        assert each <= most
