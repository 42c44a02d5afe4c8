"""A session on its socket: words out, acknowledgements, states, markers, reconnection."""

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.gateway_support import Gateway, cut, noise, running, until
from tests.redis_servers import RedisServer

from steno_common.messages import Warned
from steno_gateway.telling import ACK_SECONDS

SECOND = noise(1)
CHUNKS = cut(SECOND, 3_200)


@pytest.fixture
async def gateway(redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[Gateway]:
    async with running(redis_server, tmp_path) as gateway:
        yield gateway


async def test_audio_goes_in_and_words_come_out(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        assert client.greeting == {
            "type": "server:session_created", "session_id": session_id, "status": "connected",
            "epoch": client.greeting["epoch"], "sequence_number": 0, "done": 0, "credit": 64,
            "last_event": 1, "resend_from": 1, "container": False, "checkpoints": False,
        }  # fmt: skip
        await client.chunks(CHUNKS)
        await client.hear_stored(10)
        assert await gateway.pcm(session_id) == SECOND
        await gateway.commit(session_id, "hello")
        final = await client.hear("transcription_final")
        assert (final["text_content"], final["end_time"], final["sequence_number"]) == (
            "hello", 1.0, 10,
        )  # fmt: skip
        await client.hear_done(10)
        await client.act("stop")
        await gateway.finish(session_id, "world")
        completed = await client.hear("session_completed")
        assert completed["text"] == "world"
        assert completed["downloads"]["srt"] == f"/api/transcripts/{session_id}.srt"
        assert await client.hear_end() == 1000
    statuses = [message["status"] for message in client.told("status")]
    assert statuses == ["connected", "recording", "finalizing", "completed"]
    numbers = [message["event"] for message in client.heard if "event" in message]
    assert numbers == list(range(1, len(numbers) + 1))


async def test_json_chunks_are_the_same_as_binary_ones(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        for number, data in enumerate(CHUNKS, 1):
            text = base64.b64encode(data).decode()
            await client.say("audio_chunk", sequence_number=number, audio_data=text,
                             timestamp=1.5, mime_type="audio/pcm", chunk_id="c")  # fmt: skip
        await client.hear_stored(10)
        entries = await gateway.entries(session_id)
    assert [(entry.sequence, entry.pcm) for entry in entries] == list(enumerate(CHUNKS, 1))


async def test_acknowledgements_are_cumulative_and_few(gateway: Gateway) -> None:
    async with gateway.recording() as (_, client):
        began = time.monotonic()
        await client.chunks(cut(SECOND, 640))
        await client.hear_stored(50)
        seconds = time.monotonic() - began
    acks = [ack["sequence_number"] for ack in client.told("ack")]
    assert acks == sorted(set(acks))
    assert len(acks) <= 2 + seconds / ACK_SECONDS


async def test_a_duplicate_is_acknowledged_again_and_stored_once(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS[:2])
        await client.hear_stored(2)
        await client.chunks(CHUNKS[:2])
        assert (await client.hear("ack"))["sequence_number"] == 2
        assert await gateway.pcm(session_id) == b"".join(CHUNKS[:2])


async def test_a_ping_is_answered_with_its_own_time(gateway: Gateway) -> None:
    async with gateway.recording() as (_, client):
        await client.say("ping", timestamp="noon")
        assert await client.hear("pong") == {"type": "server:pong", "timestamp": "noon"}


async def test_credit_is_what_may_still_wait(redis_server: RedisServer, tmp_path: Path) -> None:
    limits = {"backlog_seconds": 2.0}
    async with (
        running(redis_server, tmp_path, limits) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS)
        assert (await client.hear_stored(10))["credit"] == 10
        await client.chunks(CHUNKS, first=11)
        assert (await client.hear_stored(20))["credit"] == 0
        await client.chunks([CHUNKS[0]], first=21)
        error = await client.hear("error")
        assert (error["code"], error["resend_from"], error["retryable"]) == (
            "backlog_full", 21, True,
        )  # fmt: skip
        await gateway.commit(session_id)
        assert (await client.hear("ack", done=20))["credit"] == 20
        await client.chunks([CHUNKS[0]], first=21)
        await client.hear_stored(21)


async def test_markers_stand_where_the_client_put_them(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.act("start")
        await client.chunks(CHUNKS[:2])
        await client.act("finalize")
        await client.chunks(CHUNKS[2:4], first=3)
        await client.act("pause")
        await client.chunks([CHUNKS[4]], first=5)
        error = await client.hear("error")
        assert (error["code"], error["resend_from"]) == ("illegal_transition", 5)
        await client.act("resume")
        await client.chunks(CHUNKS[4:6], first=5)
        await client.act("stop")
        await gateway.marked(session_id)
        assert await gateway.marks(session_id) == [
            ("2-1", "finalize"), ("4-1", "finalize"), ("6-1", "end"),
        ]  # fmt: skip
        assert await gateway.pcm(session_id) == b"".join(CHUNKS[:6])
        await client.hear("status", status="finalizing")
    statuses = [message["status"] for message in client.told("status")]
    assert statuses == ["connected", "recording", "paused", "recording", "finalizing"]


async def test_an_action_whose_result_holds_changes_nothing(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.act("start", "start")
        await client.chunks([CHUNKS[0]])
        await client.act("resume", "pause", "pause", "stop", "stop")
        await client.hear("status", status="finalizing")
        await client.say("ping")
        await client.hear("pong")
        assert client.told("error") == []
        assert await gateway.marks(session_id) == [("1-1", "finalize"), ("1-2", "end")]


@pytest.mark.parametrize(
    ("before", "action"),
    [([], "pause"), ([], "resume"), ([], "finalize"), (["start", "pause"], "start"),
     (["start", "stop"], "pause"), (["start", "stop"], "finalize")],
)  # fmt: skip
async def test_an_illegal_action_is_refused_and_the_session_goes_on(
    gateway: Gateway, before: list[str], action: str
) -> None:
    async with gateway.recording() as (_, client):
        await client.act(*before, action)
        error = await client.hear("error")
        assert (error["code"], error["retryable"]) == ("illegal_transition", False)
        await client.say("ping")
        await client.hear("pong")


async def test_stop_and_close_at_once_still_stores_everything(gateway: Gateway) -> None:
    for _ in range(10):
        async with gateway.recording() as (session_id, client):
            await client.chunks(cut(SECOND, 640))
            await client.act("stop")
            await client.ws.close()
        await gateway.marked(session_id)
        assert await gateway.pcm(session_id) == SECOND
        assert await gateway.status(session_id) == "finalizing"


async def test_what_came_before_a_lost_connection_is_stored(gateway: Gateway) -> None:
    for _ in range(10):
        async with gateway.recording() as (session_id, client):
            await client.chunks(cut(SECOND, 640))
            await asyncio.sleep(0)
            client.ws._conn.transport.close()  # type: ignore[union-attr]
        await gateway.became(session_id, "reconnecting")
        assert await gateway.pcm(session_id) == SECOND


async def test_a_reconnected_client_sees_what_it_missed(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS[:3])
        await client.hear_stored(3)
        await gateway.commit(session_id, "one")
        seen = (await client.hear("transcription_final"))["event"]
    await gateway.became(session_id, "reconnecting")
    await gateway.commit(session_id, "two", "three", events=[Warned("segment_skipped", "x")])
    async with gateway.joined(session_id, seen) as client:
        assert client.greeting["status"] == "recording"
        assert client.greeting["resend_from"] == 4
        assert client.greeting["done"] == 3
        assert (await client.hear("transcription_final"))["text_content"] == "two"
        assert (await client.hear("transcription_final"))["text_content"] == "three"
        await client.hear("status", status="recording")
    assert [message["event"] for message in client.heard if "event" in message] == list(
        range(seen + 1, seen + 7)
    )


async def test_a_paused_session_comes_back_paused(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks([CHUNKS[0]])
        await client.act("pause")
        await client.hear("status", status="paused")
    await gateway.became(session_id, "reconnecting")
    async with gateway.joined(session_id) as client:
        assert client.greeting["status"] == "paused"
        await client.act("resume")
        await client.chunks([CHUNKS[1]], first=2)
        await client.hear_stored(2)


async def test_the_newer_connection_holds_the_session(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, old):
        await old.chunks(CHUNKS[:2])
        await old.hear_stored(2)
        async with gateway.joined(session_id) as new:
            assert new.greeting["resend_from"] == 3
            await old.chunks([CHUNKS[9]], first=3)
            assert await old.hear_end() == 4409
            assert old.told("error")[-1]["code"] == "connection_superseded"
            await new.chunks(CHUNKS[2:4], first=3)
            await new.hear_stored(4)
            assert await gateway.pcm(session_id) == b"".join(CHUNKS[:4])
            assert await gateway.status(session_id) == "recording"


async def test_a_quiet_old_connection_learns_of_the_newer_one(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, old), gateway.joined(session_id):
        assert await old.hear_end() == 4409


async def test_a_completed_session_ends_every_later_connection(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS)
        await client.act("stop")
        await gateway.finish(session_id, "all")
        last = (await client.hear("session_completed"))["event"]
    for seen in (0, last, 10**9):
        async with gateway.joined(session_id, seen) as client:
            assert client.greeting["status"] == "completed"
            assert await client.hear_end() == 1000
            assert client.heard[-1]["type"] == "server:session_completed"


async def test_audio_for_a_session_that_has_ended_is_refused(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS[:2])
        await client.act("stop")
        await client.chunks([CHUNKS[2]], first=3)
        error = await client.hear("error")
        assert (error["code"], error["retryable"]) == ("session_finished", False)
        await gateway.finish(session_id, "two")
        assert await client.hear_end() == 1000


async def test_a_removed_session_closes_its_connection(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS[:2])
        await client.hear_stored(2)
        async with gateway.http.delete(f"/api/streaming/sessions/{session_id}") as answer:
            assert answer.status == 204
        assert await client.hear_end() == 4404
        assert [error["code"] for error in client.told("error")] == ["session_not_found"]
        assert min(ack["done"] for ack in client.told("ack")) == 0


async def test_a_silent_client_is_marked_once(redis_server: RedisServer, tmp_path: Path) -> None:
    limits = {"silence_seconds": 2.0}
    async with (
        running(redis_server, tmp_path, limits) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS[:3])
        await gateway.marked(session_id, "idle")
        await asyncio.sleep(2.6)
        await client.chunks(CHUNKS[3:4], first=4)
        await client.act("stop")
        await gateway.marked(session_id)
        assert await gateway.marks(session_id) == [("3-1", "idle"), ("4-1", "end")]


async def test_a_client_without_credit_is_not_silent(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    limits = {"silence_seconds": 1.0, "backlog_seconds": 1.0}
    async with (
        running(redis_server, tmp_path, limits) as gateway,
        gateway.recording() as (session_id, client),
    ):
        await client.chunks(CHUNKS)
        assert (await client.hear_stored(10))["credit"] == 0
        await asyncio.sleep(2.1)
        assert await gateway.marks(session_id) == []
        await gateway.commit(session_id)
        await gateway.marked(session_id, "idle")


async def test_words_come_without_any_doorbell_and_partials_with_one(gateway: Gateway) -> None:
    async with gateway.recording() as (session_id, client):
        await client.chunks(CHUNKS)
        await client.hear_stored(10)

        async def heard() -> bool:
            return await gateway.partial(session_id, "hel") == 1

        await until(heard)
        partial = await client.hear("transcription_partial")
        assert (partial["text_content"], partial["stability"]) == ("hel", 0.5)
        assert "event" not in partial
        await gateway.commit(session_id, "hello", silent=True)
        await client.hear("transcription_final")
        await gateway.partial(session_id, "late", commit=0)
        await gateway.partial(session_id, "next", commit=1)
        assert (await client.hear("transcription_partial"))["text_content"] == "next"
