"""The session against a gateway on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.client.fake_gateway import SESSION, FakeGateway, Plan

from steno_client import (
    Completed,
    Event,
    Final,
    Policy,
    Session,
    SessionError,
    Status,
    Translation,
    Utterance,
    Warned,
    connect,
    listen,
)

QUICK = Policy(
    delays=(0.01,) * 5,
    connect_seconds=10.0,
    ping_seconds=0.2,
    dead_seconds=3.0,
    stall_seconds=2.0,
    retry_seconds=0.02,
    patience_seconds=1.0,
)
CHUNKS = [b"%02d" % number for number in range(1, 9)]
WHOLE = b"".join(CHUNKS)


async def speak(session: Session) -> Completed:
    for chunk in CHUNKS:
        await session.send(chunk)
    return await session.finish()


async def transcript(gateway: FakeGateway, **options: Any) -> tuple[Completed, list[Event]]:
    """A whole session with all its events."""
    async with asyncio.timeout(60), connect(gateway.url, policy=QUICK, **options) as session:
        completed = await speak(session)
        return completed, [event async for event in session.events()]


def numbered(events: list[Event]) -> list[int]:
    return [
        event.event
        for event in events
        if isinstance(event, Final | Utterance | Translation | Completed)
    ]


async def assert_undisturbed(gateway: FakeGateway, **options: Any) -> list[Event]:
    """Whatever happened, the result is that of a session without faults."""
    completed, events = await transcript(gateway, **options)
    assert gateway.audio == WHOLE
    assert completed.text == "word1 word2 word3 word4 word5 word6 word7 word8"
    assert [u.text for u in completed.utterances] == [
        "word1 word2",
        "word3 word4",
        "word5 word6",
        "word7 word8",
    ]
    assert completed.statistics.audio_chunks == 8
    assert numbered(events) == list(range(1, 14))
    return events


async def test_a_session_gives_its_events_in_order_with_the_transcript(
    gateway: FakeGateway,
) -> None:
    await assert_undisturbed(gateway, sample_rate=16000, language="en")
    asked = {"mime_type": "audio/pcm", "sample_rate": 16000, "language": "en"}
    assert gateway.requests == [asked | {"checkpoints": True}]
    assert gateway.connections == 1


async def test_a_session_says_how_far_the_server_is(gateway: FakeGateway) -> None:
    async with asyncio.timeout(60), connect(gateway.url, policy=QUICK) as session:
        assert (session.stored, session.done) == (0, 0)
        await speak(session)
        assert (session.stored, session.done) == (8, 8)


async def test_a_large_piece_is_cut_into_chunks_of_a_second(gateway: FakeGateway) -> None:
    async with connect(gateway.url, policy=QUICK) as session:
        await session.send(bytes(80_000))
        await session.finish()
    assert [len(chunk) for chunk in gateway.chunks] == [32_000, 32_000, 16_000]


@pytest.mark.parametrize(
    ("plans", "connections"),
    [
        pytest.param([Plan(drop_after=3)], 2, id="dropped before the acknowledgement"),
        pytest.param([Plan(drop_after=n) for n in (1, 3, 5, 7)], 5, id="dropped again and again"),
        pytest.param([Plan(refuse=503)] * 3, 1, id="three handshakes refused"),
        pytest.param([Plan(close_after=(4, 1012))], 2, id="service restart"),
        pytest.param([Plan(close_after=(4, 1013))], 2, id="try again later"),
        pytest.param([Plan(mute=True)], 2, id="silent server"),
        pytest.param([Plan(ignore_chunks=True)], 2, id="server that only answers pings"),
        pytest.param([Plan(drop_before_completed=True)] * 2, 3, id="completed lost"),
        pytest.param([Plan(errors={3: {"code": "sequence_gap", "retryable": True}})], 1, id="gap"),
        pytest.param(
            [Plan(errors={3: {"code": "backlog_full", "retryable": True}})], 1, id="backlog full"
        ),
        pytest.param(
            [
                Plan(
                    errors={
                        3: {"code": "rate_limited", "retryable": True, "retry_after_ms": 5},
                        5: {"code": "store_unavailable", "retryable": True},
                        6: {"code": "illegal_transition", "retryable": False},
                    }
                )
            ],
            1,
            id="refusals",
        ),
        pytest.param(
            [Plan(stop_errors=({"code": "store_unavailable", "retryable": True},) * 2)],
            1,
            id="stop refused",
        ),
        pytest.param([Plan(credit=1)], 1, id="little credit"),
    ],
)
async def test_nothing_is_lost_or_told_twice(
    gateway: FakeGateway, plans: list[Plan], connections: int
) -> None:
    gateway.plans.extend(plans)
    await assert_undisturbed(gateway)
    assert gateway.connections == connections


async def test_a_container_is_sent_again_as_it_was_cut(gateway: FakeGateway) -> None:
    gateway.container = True
    gateway.plans.extend([Plan(drop_after=3), Plan(drop_after=6)])
    await assert_undisturbed(gateway, mime_type="audio/webm;codecs=opus")


async def test_a_reconnection_asks_for_unseen_events_only(gateway: FakeGateway) -> None:
    gateway.plans.append(Plan(close_after=(4, 1012)))
    events = await assert_undisturbed(gateway)
    assert gateway.last_events == [0, 4]
    assert Status("reconnecting") in events


async def test_the_session_is_created_again_and_again_while_the_gateway_starts(
    gateway: FakeGateway,
) -> None:
    gateway.creation_failures.extend([503, 503, 429])
    await assert_undisturbed(gateway)


async def test_a_server_that_is_not_there_is_said_so_in_time() -> None:
    policy = Policy(delays=(0.01,) * 5, creation_seconds=0.2)
    with pytest.raises(SessionError, match=r"no answer from http://127.0.0.1:9") as raised:
        async with connect("http://127.0.0.1:9", policy=policy):
            raise AssertionError("there is no session")
    assert raised.value.retryable


async def test_five_failed_tries_in_a_row_end_the_session(gateway: FakeGateway) -> None:
    gateway.plans.extend([Plan(drop_after=3)] + [Plan(refuse=503)] * 5)
    with pytest.raises(SessionError) as raised:
        await transcript(gateway)
    assert raised.value.code == "connection_lost"
    assert not gateway.plans


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (Plan(refuse=404), "session_not_found"),
        (Plan(close_after=(2, 4409)), "connection_superseded"),
        (Plan(errors={2: {"code": "undecodable_audio", "retryable": False}}), "undecodable_audio"),
    ],
)
async def test_what_cannot_be_repeated_ends_the_session_at_once(
    gateway: FakeGateway, plan: Plan, code: str
) -> None:
    gateway.plans.append(plan)
    with pytest.raises(SessionError) as raised:
        await transcript(gateway)
    assert raised.value.code == code
    assert not raised.value.retryable


async def test_a_session_that_an_own_late_try_took_over_is_taken_back(
    gateway: FakeGateway,
) -> None:
    gateway.plans.extend([Plan(refuse=504), Plan(close_after=(2, 4409))])
    await assert_undisturbed(gateway)


async def test_each_try_without_an_answer_excuses_one_takeover(gateway: FakeGateway) -> None:
    gateway.plans.extend(
        [Plan(refuse=504), Plan(close_after=(2, 4409)), Plan(close_after=(4, 4409))]
    )
    with pytest.raises(SessionError) as raised:
        await transcript(gateway)
    assert raised.value.code == "connection_superseded"


async def test_the_reader_of_events_gets_the_failure_too(gateway: FakeGateway) -> None:
    gateway.plans.append(Plan(refuse=404))
    async with connect(gateway.url, policy=QUICK) as session:
        with pytest.raises(SessionError, match="does not know the session"):
            [event async for event in session.events()]


async def test_a_store_that_stays_away_ends_the_session(gateway: FakeGateway) -> None:
    refusal = {"code": "store_unavailable", "retryable": True}
    gateway.plans.append(Plan(stop_errors=(refusal,) * 100))
    with pytest.raises(SessionError) as raised:
        await transcript(gateway)
    assert raised.value.code == "store_unavailable"


async def test_after_total_failure_the_kept_recording_is_sent(gateway: FakeGateway) -> None:
    gateway.plans.extend([Plan(drop_after=3)] + [Plan(refuse=503)] * 5)
    gateway.block_failures.append(503)
    completed, events = await transcript(gateway, block_mode=True)
    assert gateway.blocks == [("audio/pcm;rate=16000;channels=1", WHOLE)]
    assert completed.text == "the whole recording"
    assert completed.utterances[0].text == "the whole recording"
    assert events[-2:] == [Status("block_mode"), completed]


@pytest.mark.parametrize(
    ("asked", "query"),
    [
        ({}, []),
        ({"language": None, "hotwords": ()}, []),
        ({"engines": ["whisper", "aws"]}, [("engines", "whisper,aws")]),
        (
            {"language": "multi", "task": "translate", "prompt": "A & B?",
             "hotwords": ["C, D", "E"]},
            [("language", "multi"), ("task", "translate"), ("prompt", "A & B?"),
             ("hotwords", "C, D"), ("hotwords", "E")],
        ),
    ],
)  # fmt: skip
async def test_block_mode_asks_for_the_same_understanding(
    gateway: FakeGateway, asked: Any, query: list[tuple[str, str]]
) -> None:
    gateway.plans.append(Plan(errors={4: {"code": "session_not_found", "retryable": False}}))
    await transcript(gateway, block_mode=True, **asked)
    given = {name: value for name, value in asked.items() if value is not None}
    said = {"mime_type": "audio/pcm", "checkpoints": True} | json.loads(json.dumps(given))
    assert (gateway.requests, gateway.block_queries) == ([said], [query])


async def test_a_replayable_source_is_played_again(gateway: FakeGateway) -> None:
    async def replay() -> AsyncIterator[bytes]:
        for chunk in CHUNKS:
            yield chunk

    gateway.plans.append(Plan(errors={4: {"code": "too_many_reconnections", "retryable": False}}))
    gateway.block_failures.append(503)
    completed, _ = await transcript(gateway, replay=replay)
    assert gateway.blocks == [("audio/pcm;rate=16000;channels=1", WHOLE)]
    assert completed.session_id == "block"


async def test_block_mode_does_not_repeat_what_cannot_be_decoded(gateway: FakeGateway) -> None:
    gateway.plans.append(Plan(errors={2: {"code": "undecodable_audio", "retryable": False}}))
    with pytest.raises(SessionError) as raised:
        await transcript(gateway, block_mode=True)
    assert raised.value.code == "undecodable_audio"
    assert gateway.blocks == []


async def test_audio_beyond_the_limit_is_refused_and_the_rest_is_transcribed(
    gateway: FakeGateway,
) -> None:
    gateway.plans.append(Plan(errors={3: {"code": "duration_limit", "retryable": False}}))
    async with asyncio.timeout(60), connect(gateway.url, policy=QUICK) as session:
        for chunk in CHUNKS[:3]:
            await session.send(chunk)
        events = [event async for event in session.events()]
        assert Warned("duration_limit", "") in events
        with pytest.raises(SessionError, match="duration_limit"):
            await session.send(b"more")
        assert (await session.finish()).text == "word1 word2"


async def test_a_gateway_that_goes_away_is_left_when_it_said(gateway: FakeGateway) -> None:
    gateway.plans.append(Plan(goaway_after=4))
    policy = Policy(delays=(60.0,) * 5)
    async with asyncio.timeout(60), connect(gateway.url, policy=policy) as session:
        for chunk in CHUNKS[:4]:
            await session.send(chunk)
        async for event in session.events():
            if event == Status("reconnecting"):
                break
        for chunk in CHUNKS[4:]:
            await session.send(chunk)
        await session.finish()
    assert gateway.audio == WHOLE
    assert gateway.connections == 2


async def test_pause_and_resume_have_their_places(gateway: FakeGateway) -> None:
    async with asyncio.timeout(60), connect(gateway.url, policy=QUICK) as session:
        await session.send(b"01")
        await session.finalize()
        await session.pause()
        with pytest.raises(SessionError, match="pause"):
            await session.send(b"02")
        await session.resume()
        await session.send(b"02")
        await session.finish()
    assert gateway.audio == b"0102"
    assert gateway.controls in (
        ["pause", "resume", "stop"],
        ["finalize", "pause", "resume", "stop"],
    )


async def test_send_waits_while_too_much_is_not_done(gateway: FakeGateway) -> None:
    gateway.transcribing = False
    policy = Policy(buffer_seconds=2.0, ping_seconds=0.02)
    async with asyncio.timeout(60), connect(gateway.url, policy=policy) as session:
        await session.send(bytes(64_000))
        more = asyncio.create_task(session.send(b"01"))
        await gateway.stored(64_000)
        assert not more.done()
        gateway.transcribing = True
        await more
        await session.finish()
    assert len(gateway.audio) == 64_002


async def test_leaving_early_leaves_nothing_running(gateway: FakeGateway) -> None:
    before = asyncio.all_tasks()
    async with connect(gateway.url, policy=QUICK) as session:
        await session.send(b"01")
        events = session.events()
        await anext(events)
    mine = {task for task in asyncio.all_tasks() - before if "steno" in task.get_name()}
    assert mine == set()
    with pytest.raises(SessionError, match="left"):
        await session.finish()


async def test_an_error_of_the_user_comes_out_as_it_is(gateway: FakeGateway) -> None:
    with pytest.raises(KeyError):
        async with connect(gateway.url, policy=QUICK):
            raise KeyError


async def test_a_wrong_format_is_refused_without_a_server() -> None:
    with pytest.raises(SessionError) as raised:
        async with connect("http://127.0.0.1:9", mime_type="text/plain"):
            raise AssertionError("there is no session")
    assert raised.value.code == "unsupported_format"


async def test_a_transcript_is_downloaded_even_if_the_gateway_restarts(
    gateway: FakeGateway,
) -> None:
    gateway.download_failures.extend([503, 503])
    async with asyncio.timeout(60), connect(gateway.url, policy=QUICK) as session:
        await session.send(b"01")
        await session.finish()
        assert await session.download("vtt") == "WEBVTT\n"


async def test_a_listener_gets_every_event_once_over_lost_connections(
    gateway: FakeGateway,
) -> None:
    await transcript(gateway)
    gateway.last_events.clear()
    gateway.plans.extend([Plan(drop_after=3), Plan(refuse=503), Plan(drop_after=9)])
    events = [event async for event in listen(gateway.url, SESSION, policy=QUICK)]
    assert numbered(events) == list(range(1, 14))
    assert gateway.last_events == [0, 3, 9]


def translation(event: int, of: int, language: str = "es") -> dict[str, Any]:
    return {"type": "server:translation", "session_id": SESSION, "event": event, "of": of,
            "language": language, "text_content": f"t{of}", "start_time": float(of),
            "end_time": of + 0.5, "created_at": "2024-01-02T03:04:05.000Z"}  # fmt: skip


async def test_a_listener_of_a_language_stays_behind_the_end_until_the_server_closes(
    gateway: FakeGateway,
) -> None:
    await transcript(gateway)
    gateway.last_events.clear()
    gateway.events += [translation(14, 1), translation(15, 2)]
    gateway.plans.extend([Plan(drop_after=13), Plan(drop_after=14), Plan(refuse=503)])
    heard = listen(gateway.url, SESSION, languages=["es", "fr"], original=False, policy=QUICK)
    events = [event async for event in heard]
    assert numbered(events) == list(range(1, 16))
    assert events[-1] == Translation(15, "es", "t2", 2, 2.0, 2.5)
    assert gateway.last_events == [0, 13, 14]
    assert gateway.choices[-1] == ("es,fr", "false")


async def test_a_listener_of_no_language_is_through_with_the_end(gateway: FakeGateway) -> None:
    await transcript(gateway)
    gateway.events += [translation(14, 1)]
    events = [event async for event in listen(gateway.url, SESSION, policy=QUICK)]
    assert isinstance(events[-1], Completed)
    assert gateway.choices[-1] == (None, None)


async def test_a_translation_of_a_restored_session_comes_once(gateway: FakeGateway) -> None:
    await transcript(gateway)
    gateway.events[2:] = [translation(3, 1), translation(4, 1), translation(5, 1, "fr"),
                          translation(6, 0), translation(7, 0), *gateway.events[-1:]]  # fmt: skip
    gateway.events[-1] |= {"event": 8}
    for event in (6, 7):
        gateway.events[event - 1] |= {"start_time": None, "end_time": None}
    heard = listen(gateway.url, SESSION, languages=["es", "fr"], policy=QUICK)
    told = [event.event async for event in heard if isinstance(event, Translation)]
    assert told == [3, 5, 6, 7]


async def test_a_listener_of_nothing_is_told_so(gateway: FakeGateway) -> None:
    gateway.plans.append(Plan(refuse=404))
    with pytest.raises(SessionError) as raised:
        [event async for event in listen(gateway.url, "nobody/knows", policy=QUICK)]
    assert raised.value.code == "session_not_found"
