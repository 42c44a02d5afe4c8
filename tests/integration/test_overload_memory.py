"""A gateway short of memory, its own or Redis's: who is refused, who goes on, what is kept."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.contract.stores import frozen
from tests.integration.gateway_support import (
    SESSIONS,
    Gateway,
    cut,
    noise,
    running,
    until,
)
from tests.redis_servers import RedisServer

from steno_gateway.domain.pressure import Memory

GIB = 1 << 30
CHUNKS = cut(noise(2), 3_200)
UPLOAD = {"params": {"mime_type": "audio/pcm"}, "data": noise(0.5)}


class Machine:
    """A machine whose memory a test takes away."""

    def __init__(self) -> None:
        self.free = 8 * GIB

    def __call__(self) -> Memory:
        return Memory(self.free, 16 * GIB)


@pytest.fixture(autouse=True)
def quick_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steno_gateway.memory.LOOK_SECONDS", 0.02)


@contextmanager
def filled(server: RedisServer, ratio: float) -> Iterator[None]:
    """Let a Redis use this share of its bound."""
    with server.client() as client:
        before = client.config_get("maxmemory")["maxmemory"]
        info = client.info("memory")
        used = info["used_memory"] - info["mem_not_counted_for_evict"]
        client.config_set("maxmemory", round(used / ratio))
    try:
        yield
    finally:
        with server.client() as client:
            client.config_set("maxmemory", before)


async def refusal(gateway: Gateway, path: str, **request: object) -> tuple[int, str, str | None]:
    async with gateway.http.post(path, **request) as answer:  # type: ignore[arg-type]
        code = (await answer.json()).get("code", "")
        return answer.status, code, answer.headers.get("Retry-After")


async def test_a_redis_that_fills_up_gets_no_new_session_and_those_that_are_there_go_on(
    each_redis: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(each_redis, tmp_path, machine=Machine()) as gateway,
        gateway.recording() as (session_id, client),
    ):
        waiting = await gateway.create()
        with filled(each_redis, 0.8):
            await until(lambda: asyncio.sleep(0, gateway.services.memory.pressure.refusing))
            for path, request in ((SESSIONS, {}), ("/api/transcriptions", UPLOAD)):
                assert await refusal(gateway, path, **request) == (503, "overloaded", "5")
            await client.chunks(CHUNKS)
            await client.hear_stored(len(CHUNKS))
            async with gateway.joined(waiting) as other:
                assert other.greeting["credit"] > 0
        await until(lambda: asyncio.sleep(0, not gateway.services.memory.pressure.refusing))
        await gateway.create()
        assert await gateway.pcm(session_id) == b"".join(CHUNKS)


async def test_a_redis_that_is_nearly_full_stores_nothing_until_it_has_room(
    each_redis: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(each_redis, tmp_path, machine=Machine()) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:4])
        assert (await client.hear_stored(4))["credit"] > 0
        with filled(each_redis, 0.95):
            await until(lambda: asyncio.sleep(0, gateway.services.memory.inflow.stopped))
            # Sent on the credit that was there: it is refused, or taken and kept here.
            await client.chunks(CHUNKS[4:6], first=5)
            assert (await client.hear("ack", credit=0))["sequence_number"] == 4
            await client.say("ping", timestamp=1)
            await client.hear("pong")
            assert len(await gateway.pcm(session_id)) == 4 * 3_200
        ack = await client.hear("ack")
        while not ack["credit"]:
            ack = await client.hear("ack")
        await client.chunks(CHUNKS[ack["sequence_number"] :], first=ack["sequence_number"] + 1)
        await client.hear_stored(len(CHUNKS))
        assert await gateway.pcm(session_id) == b"".join(CHUNKS)


async def test_chunks_that_were_taken_before_redis_was_full_wait_here_and_are_stored(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        gateway.recording() as (session_id, client),
    ):
        inflow = gateway.services.memory.inflow
        with frozen(redis_server):
            await client.chunks(CHUNKS)
            await client.say("ping")
            await client.hear("pong")
            inflow.storing.clear()
        # The state changes behind what was taken: Redis answers again, and has room for that.
        await client.hear("status", status="recording")
        assert inflow.waiting_bytes == sum(len(chunk) for chunk in CHUNKS)
        assert await gateway.pcm(session_id) == b""
        inflow.storing.set()
        await client.hear_stored(len(CHUNKS))
        assert await gateway.pcm(session_id) == b"".join(CHUNKS)
        assert client.told("error") == []


async def test_a_client_that_leaves_takes_what_waited_of_it_with_it(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steno_gateway.receiving.LEAVE_SECONDS", 0.1)
    async with running(redis_server, tmp_path) as gateway:
        inflow = gateway.services.memory.inflow
        async with gateway.recording() as (_, client):
            with frozen(redis_server):
                await client.chunks(CHUNKS)
                await client.say("ping")
                await client.hear("pong")
                inflow.storing.clear()
            await client.hear("status", status="recording")
            assert inflow.waiting_bytes == sum(len(chunk) for chunk in CHUNKS)
        await until(lambda: asyncio.sleep(0, inflow.waiting_bytes == 0))


async def test_a_machine_that_is_short_of_memory_warns_once_and_begins_nothing(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    machine = Machine()
    async with (
        running(redis_server, tmp_path, machine=machine) as gateway,
        gateway.recording() as (session_id, client),
    ):
        machine.free = GIB // 2
        assert (await client.hear("warning"))["code"] == "low_memory"
        for path, request in ((SESSIONS, {}), ("/api/transcriptions", UPLOAD)):
            assert await refusal(gateway, path, **request) == (503, "overloaded", "5")
        machine.free = 4 * GIB
        await until(lambda: asyncio.sleep(0, not gateway.services.memory.low.is_set()))
        machine.free = GIB // 2
        await until(lambda: asyncio.sleep(0, gateway.services.memory.low.is_set()))
        await client.chunks(CHUNKS)
        await client.hear_stored(len(CHUNKS))
        told = [warning["code"] for warning in client.told("warning")]
        assert told.count("low_memory") == 1
        assert await gateway.pcm(session_id) == b"".join(CHUNKS)


async def test_a_machine_without_memory_ends_sessions_with_all_that_was_acknowledged(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    machine = Machine()
    async with (
        running(redis_server, tmp_path, machine=machine) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS)
        # A gap is to be sent again: the end does not wait for what this client may never send.
        await client.chunks(CHUNKS[:1], first=len(CHUNKS) + 2)
        await client.hear_stored(len(CHUNKS))
        machine.free = GIB // 8
        error = await client.hear("error", code="memory_exhausted")
        assert error["retryable"] is False
        await client.hear("status", status="finalizing")
        await client.chunks(CHUNKS[:1], first=len(CHUNKS) + 1)
        assert (await client.hear("error"))["code"] == "session_finished"
        assert await gateway.pcm(session_id) == b"".join(CHUNKS)
        await gateway.finish(session_id, "all that was said")
        completed = await client.hear("session_completed")
        assert completed["text"] == "all that was said"
        assert await client.hear_end() == 1000


async def test_an_upload_that_comes_in_when_memory_is_gone_is_to_be_sent_again(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    machine = Machine()
    async with running(redis_server, tmp_path, machine=machine) as gateway:
        body: asyncio.Queue[bytes] = asyncio.Queue()

        async def pieces() -> AsyncIterator[bytes]:
            while piece := await body.get():
                yield piece

        async with asyncio.TaskGroup() as tasks:
            answer = tasks.create_task(
                refusal(gateway, "/api/transcriptions", params={"mime_type": "audio/pcm"},
                        data=pieces())
            )  # fmt: skip
            body.put_nowait(noise(1))
            await until(lambda: asyncio.sleep(0, gateway.services.admission.sessions == 1))
            machine.free = GIB // 8
            await until(lambda: asyncio.sleep(0, gateway.services.memory.exhausted.is_set()))
            body.put_nowait(noise(1))
            body.put_nowait(b"")
        assert answer.result() == (503, "overloaded", "5")
        with redis_server.client() as client:
            assert client.keys("*:session:*") == []


async def test_what_waits_of_all_sessions_has_a_bound(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    total, chunk = 100_000, bytes(3_200)
    async with (
        running(redis_server, tmp_path, max_queued_bytes=60_000,
                max_queued_bytes_total=total) as gateway,
        gateway.recording() as (_, one),
        gateway.recording() as (_, two),
        gateway.recording() as (session_id, three),
    ):  # fmt: skip
        inflow, most = gateway.services.memory.inflow, 0
        with frozen(redis_server):
            for client in (one, two, three):
                await client.chunks(18 * [chunk])
                await client.say("ping")
                await client.hear("pong")
                most = max(most, inflow.waiting_bytes)
        # One's audio that is under way is there twice: as it came, and decoded.
        assert total <= most < total + 2 * len(chunk)
        assert one.told("error") == []
        errors = [client.told("error")[0] for client in (two, three)]
        assert [error["code"] for error in errors] == ["backlog_full", "backlog_full"]
        assert errors[1]["resend_from"] == 1
        while not (await three.hear("ack"))["credit"]:
            pass
        await three.chunks(18 * [chunk])
        await three.hear_stored(18)
        assert await gateway.pcm(session_id) == 18 * chunk
