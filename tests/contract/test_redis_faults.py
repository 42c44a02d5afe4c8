"""A Redis that is full, frozen, killed, or has forgotten the scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import pytest
from tests.contract.stores import LIMITS, SID, Stores, chunk, final, frozen, session, span
from tests.redis_servers import RedisServer

from steno_common.errors import StoreError, StoreUnavailableError
from steno_common.store import link as link_module
from steno_common.store import scripts as scripts_module
from steno_common.store.link import open_link, patiently
from steno_common.store.scripts import source
from steno_common.store.sessions import Outcome

ANSWER_SECONDS = 1.0


@asynccontextmanager
async def limited(server: RedisServer, seconds: float = ANSWER_SECONDS) -> AsyncIterator[Stores]:
    """Open the stores with a limit on every answer, a short one unless told otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(link_module, "ANSWER_SECONDS", seconds)
        async with open_link(server.url) as link:
            yield Stores(server, link, LIMITS)


@asynccontextmanager
async def full(stores: Stores) -> AsyncIterator[None]:
    """Let the memory of a Redis be used up."""
    (before,) = (await stores.everywhere("CONFIG", "GET", "maxmemory"))[1:]
    await stores.everywhere("CONFIG", "SET", "maxmemory-policy", "noeviction")
    await stores.everywhere("CONFIG", "SET", "maxmemory", 1)
    try:
        yield
    finally:
        await stores.everywhere("CONFIG", "SET", "maxmemory", before)


async def test_a_full_redis_refuses_audio_for_now_but_takes_commits(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1, 2)
    claim = await stores.claim()
    async with full(stores):
        with pytest.raises(StoreUnavailableError):
            await stores.sessions.append(SID, conn, [chunk(3)])
        with pytest.raises(StoreUnavailableError):
            await stores.sessions.create(session("other"), "epoch")
        with pytest.raises(StoreUnavailableError):
            await stores.sessions.mark(SID, conn, "end")
        commit = span(1, "1-0", 100, speech=100, events=[final(0, 100)])
        assert await stores.work.commit(claim, commit)
        # One that trims nothing goes through as well.
        assert await stores.work.commit(claim, span(2, "1-0", 150, events=[final(100, 150)]))
    state = await stores.look()
    assert (state.commits, state.finals, state.next) == (2, 2, 3)
    assert [entry[0] for entry in state.audio] == ["2-0"]
    answers = await stores.sessions.append(SID, conn, [chunk(3)])
    assert answers[0].outcome is Outcome.DONE


async def test_a_full_redis_can_be_worked_off(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.store(1, 2)
    async with full(stores):
        claim = await stores.claim()
        assert await stores.work.renew([claim]) == set()
        await stores.work.release(claim)
        claim = await stores.claim()
        assert await stores.work.commit(claim, span(1, "2-0", 200, silence=200))
        (polled,) = await stores.sessions.poll([(SID, conn)])
        assert (polled.outcome, polled.done) == (Outcome.DONE, 2)
        await stores.windows.postpone(SID)
        assert await stores.sessions.remove(SID)


async def test_a_commit_that_trimmed_last_would_be_refused(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    trim, last = "redis.call('XTRIM', AUDIO, 'MINID', ARGV[5])\n", "live(ARGV[16])\n"
    right = source("commit")
    wrong = right.replace(trim, "").replace(last, trim + last)
    monkeypatch.setattr(
        scripts_module, "source", lambda script: wrong if script == "commit" else source(script)
    )
    await stores.connect()
    await stores.store(1)
    claim = await stores.claim()
    async with full(stores):
        with pytest.raises(StoreUnavailableError):
            await stores.work.commit(claim, span(1, "1-0", 100))
    assert right.count(trim) == right.count(last) == 1


async def test_forgotten_scripts_are_loaded_again(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.everywhere("SCRIPT", "FLUSH")
    answers = await stores.sessions.append(SID, conn, [chunk(1), chunk(2)])
    assert [answer.outcome for answer in answers] == [Outcome.DONE, Outcome.DONE]
    await stores.everywhere("SCRIPT", "FLUSH")
    claim = await stores.claim()
    await stores.everywhere("SCRIPT", "FLUSH")
    assert await stores.work.commit(claim, span(1, "1-0", 100))


async def test_scripts_forgotten_at_any_moment_store_every_chunk_once(stores: Stores) -> None:
    conn = await stores.connect()

    async def forget() -> None:
        for _ in range(100):
            await stores.everywhere("SCRIPT", "FLUSH")

    async with asyncio.TaskGroup() as group:
        group.create_task(forget())
        for first in range(1, 200, 4):
            chunks = [chunk(n, 1) for n in range(first, first + 4)]
            await patiently(partial(stores.sessions.append, SID, conn, chunks))
    assert [entry[0] for entry in (await stores.look()).audio] == [f"{n}-0" for n in range(1, 201)]


async def test_an_append_to_a_frozen_redis_is_stored_once(each_form: RedisServer) -> None:
    async with limited(each_form) as stores:
        conn = await stores.connect()
        with frozen(each_form):
            async with asyncio.timeout(60):
                with pytest.raises(StoreUnavailableError):
                    await stores.sessions.append(SID, conn, [chunk(1)])
        again = await patiently(partial(stores.sessions.append, SID, conn, [chunk(1)]), 60)
        assert again[0].next == 2
        assert [entry[0] for entry in (await stores.look()).audio] == ["1-0"]


async def test_whoever_waits_for_a_frozen_redis_goes_on_once_it_thaws(
    each_form: RedisServer,
) -> None:
    async with limited(each_form) as stores:
        conn = await stores.connect()
        chunks = [chunk(n) for n in range(1, 9)]
        with frozen(each_form):
            appends = [
                asyncio.create_task(patiently(partial(stores.sessions.append, SID, conn, [each])))
                for each in chunks
            ]
            await asyncio.wait(appends, timeout=2 * ANSWER_SECONDS)
            assert not any(append.done() for append in appends)
            assert not await stores.link.ping(seconds=0.05)
        async with asyncio.timeout(60):
            await asyncio.gather(*appends)
            await patiently(partial(stores.sessions.append, SID, conn, chunks))
        audio = (await stores.look()).audio
        assert [entry[0] for entry in audio] == [f"{n}-0" for n in range(1, 9)]


async def test_a_claim_whose_answer_was_lost_is_claimed_again_after_its_lease(
    each_form: RedisServer,
) -> None:
    async with limited(each_form) as stores:
        await stores.connect()
        await stores.store(1)
        with frozen(each_form), pytest.raises(StoreUnavailableError):
            await stores.claim()
        await patiently(partial(stores.redis, "PING"))
        await stores.expire_lease()
        claim = await stores.claim()
        assert await stores.work.commit(claim, span(1, "1-0", 100))


async def test_a_killed_redis_is_named_at_once_then_used_again(each_form: RedisServer) -> None:
    async with limited(each_form, 600) as stores:  # so no answer is waited for in vain
        conn = await stores.connect()
        await stores.store(1)
        stores.server.kill()
        async with asyncio.timeout(60):
            with pytest.raises(StoreUnavailableError):
                await stores.sessions.append(SID, conn, [chunk(2)])
            with pytest.raises(StoreUnavailableError):
                await stores.windows.due()
            with pytest.raises(StoreUnavailableError):
                await stores.doorbell.read([0], block_ms=10)
            assert not await stores.link.ping()
        stores.server.start()
        answers = await stores.sessions.append(SID, conn, [chunk(1), chunk(2)])
        assert [answer.outcome for answer in answers] == [Outcome.NOTHING, Outcome.DONE]
        assert await stores.link.ping()


async def test_connections_that_died_unused_are_replaced_silently(stores: Stores) -> None:
    conn = await stores.connect()
    await stores.doorbell.prepare()
    polls = [stores.sessions.poll([(SID, conn)]) for _ in range(8)]
    reads = [stores.doorbell.read([0], block_ms=20) for _ in range(3)]
    await asyncio.gather(*polls, *reads)
    stores.server.restart()
    for _ in range(2):  # the loop hears of the closed connections
        await asyncio.sleep(0)
    answers = await asyncio.gather(*[stores.sessions.poll([(SID, conn)]) for _ in range(8)])
    assert {answer[0].outcome for answer in answers} == {Outcome.DONE}
    assert (
        await asyncio.gather(*[stores.doorbell.read([0], block_ms=20) for _ in range(3)])
        == [[]] * 3
    )


async def test_no_more_callers_than_connections_wait_for_ever(each_form: RedisServer) -> None:
    async with limited(each_form) as stores:
        await stores.connect()
        with frozen(each_form):
            calls = [stores.windows.window(SID) for _ in range(100)]
            async with asyncio.timeout(60):
                failures = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(failure) for failure in failures} == {StoreUnavailableError}


async def test_a_fault_of_a_script_is_no_reason_to_try_again(stores: Stores) -> None:
    await stores.connect()
    await stores.redis("SET", stores.keys().audio, "no stream")
    with pytest.raises(StoreError) as raised:
        await stores.store(1)
    assert not raised.value.retryable


async def test_a_failure_quotes_nothing_that_was_sent(stores: Stores) -> None:
    def two_commands(pipe: Any) -> None:
        pipe.hget(stores.keys().meta, "fine")
        pipe.lpush(stores.keys().meta, "canary")

    await stores.connect()
    with pytest.raises(StoreError) as raised:
        await stores.link.ask(stores.keys().shard, two_commands)
    assert str(raised.value) == "Redis refused: WRONGTYPE"
