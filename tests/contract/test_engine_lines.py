"""Sessions with a policy: each engine finds those it may take, however many others wait."""

import asyncio
from dataclasses import replace

import pytest
from tests.contract.stores import SID, Stores, session, span

from steno_common.keys import SessionKeys
from steno_common.messages import Session
from steno_common.policy import Choice, pack

GRACE = 0.2
MANY = 10_000


def choosing(session_id: str, *engines: str) -> Session:
    plain = session(session_id)
    return Session(plain.session_id, plain.created_ms, plain.mime_type, engines=engines)


async def begun(stores: Stores, *engines: str, session_id: str = SID) -> None:
    """Store a chunk of a session with a policy."""
    await stores.sessions.create(choosing(session_id, *engines), "epoch")
    await stores.sessions.attach(session_id)
    await stores.store(1, session_id=session_id)


async def taken(stores: Stores, engine: str, count: int = 5) -> list[str]:
    """Claim as a worker of an engine; gives the ids."""
    claims = await stores.work.claim(stores.keys(), count, engine)
    return [claim.session_id for claim in claims]


async def named(stores: Stores, engine: str) -> set[str]:
    """Name the sessions that a worker of an engine sees waiting."""
    return {sid for shard in await stores.work.waiting(engine) for sid in shard.waits}


async def wall(stores: Stores, engine: str, count: int = MANY) -> None:
    """Let so many sessions wait that one engine alone may take, since long ago."""
    keys: SessionKeys = stores.keys()
    for first in range(0, count, 1_000):
        sids = [f"wall-{n:06}" for n in range(first, first + 1_000)]
        scores = [each for n, sid in enumerate(sids, first) for each in (n + 1, sid)]
        await stores.redis("ZADD", keys.lined, *scores)
        await stores.redis("ZADD", keys.line(engine), *scores)
        policies = [each for sid in sids for each in (sid, pack([engine], 0))]
        await stores.redis("HSET", keys.policies, *policies)


@pytest.fixture
def quick(stores: Stores) -> Stores:
    return stores.limited(engine_grace_seconds=GRACE)


async def test_the_first_choice_takes_at_once_what_others_are_left_only_later(
    quick: Stores,
) -> None:
    await begun(quick, "whisper", "aws")
    assert await named(quick, "aws") == set()
    assert await named(quick, "whisper") == {SID}
    assert await taken(quick, "aws") == []
    assert await taken(quick, "") == []
    assert await taken(quick, "other") == []
    await asyncio.sleep(GRACE)
    assert await named(quick, "aws") == {SID}
    assert await named(quick, "other") == set()
    assert await taken(quick, "aws") == [SID]
    assert await taken(quick, "whisper") == []


async def test_it_is_said_how_many_of_those_that_wait_are_in_the_line_of_one_engine(
    stores: Stores,
) -> None:
    async def counted(engine: str) -> tuple[int, int]:
        found = await stores.work.waiting(engine)
        return sum(shard.lined for shard in found), sum(len(shard.waits) for shard in found)

    await begun(stores, "whisper", "aws")
    await stores.connect("anybodys")
    await stores.store(1, session_id="anybodys")
    assert await counted("whisper") == (1, 2)
    assert await counted("other") == (0, 1)


async def test_a_session_without_a_policy_is_anybodys(quick: Stores) -> None:
    await quick.connect()
    await quick.store(1)
    assert await named(quick, "anything") == {SID}
    assert await taken(quick, "anything") == [SID]


async def test_audio_that_waits_for_certain_engines_is_seen_as_unclaimed(quick: Stores) -> None:
    await begun(quick, "whisper", "aws")
    (polled,) = await quick.sessions.poll([(SID, 1)])
    assert polled.unclaimed
    assert len(await quick.windows.unclaimed()) == 1
    await taken(quick, "whisper")
    (polled,) = await quick.sessions.poll([(SID, 1)])
    assert not polled.unclaimed
    assert await quick.windows.unclaimed() == []


async def test_after_the_lease_the_first_choice_goes_first_again(quick: Stores) -> None:
    await begun(quick, "whisper", "aws")
    await taken(quick, "whisper")
    await quick.expire_lease()
    assert await named(quick, "aws") == {SID}
    assert await taken(quick, "aws") == []
    assert await named(quick, "aws") == set()
    await asyncio.sleep(GRACE)
    assert await taken(quick, "aws") == [SID]


async def test_an_engine_that_failed_rests_and_the_next_takes_it_at_once(quick: Stores) -> None:
    await begun(quick, "whisper", "aws")
    (claim,) = await quick.work.claim(quick.keys(), 1, "whisper")
    await quick.work.release(claim, "whisper", GRACE)
    assert await taken(quick, "whisper") == []
    (claim,) = await quick.work.claim(quick.keys(), 1, "aws")
    checkpoint = await quick.work.checkpoint(SID)
    assert checkpoint is not None
    whisper, aws = checkpoint.choices
    assert (whisper.engine, aws) == ("whisper", Choice("aws"))
    assert whisper.rests_until_ms > checkpoint.session.created_ms
    await quick.work.release(claim, "aws", 60)
    assert await taken(quick, "aws") == []
    await asyncio.sleep(GRACE)
    assert await taken(quick, "whisper") == [SID]


async def test_a_session_stays_with_the_engine_that_it_was_with(quick: Stores) -> None:
    await begun(quick, "whisper", "aws")
    await asyncio.sleep(GRACE)
    (claim,) = await quick.work.claim(quick.keys(), 1, "aws")
    commit = replace(span(1, "1-0", 100, silence=100), engine="aws")
    assert await quick.work.commit(claim, commit)
    await quick.store(2)
    assert await taken(quick, "whisper") == []
    assert await taken(quick, "aws") == [SID]
    checkpoint = await quick.work.checkpoint(SID)
    snapshot = await quick.sessions.snapshot(SID)
    assert checkpoint is not None
    assert snapshot is not None
    assert checkpoint.engine == snapshot.engine == "aws"


async def test_ten_thousand_sessions_of_one_engine_hide_none_of_another(quick: Stores) -> None:
    await wall(quick, "whisper")
    await begun(quick, "whisper", "aws")
    other = next(
        sid for n in range(100)
        if quick.keys(sid := f"22222222-2222-4222-8222-{n:012}").shard == quick.keys().shard
    )  # fmt: skip
    await quick.connect(other)
    await quick.store(1, session_id=other)
    await asyncio.sleep(GRACE)
    assert await named(quick, "aws") == {SID, other}
    assert set(await taken(quick, "aws")) == {SID, other}
    assert await taken(quick, "aws") == []
    assert len(await named(quick, "whisper")) == 100


async def test_leases_that_ran_out_with_one_engine_hide_none_of_another(quick: Stores) -> None:
    await begun(quick, "aws")
    await taken(quick, "aws")
    await wall(quick, "whisper", 1_000)
    keys = quick.keys()
    sids = [f"wall-{n:06}" for n in range(1_000)]
    await quick.redis("DEL", keys.lined, keys.line("whisper"))
    await quick.redis("ZADD", keys.leases, *(each for sid in sids for each in (1, sid)))
    await quick.redis("ZADD", keys.leases, 2, SID)
    found = [await taken(quick, "aws", 1) for _ in range(11)]
    assert found == [[]] * 10 + [[SID]]
    assert await quick.redis("ZCARD", keys.line("whisper")) == 1_000


async def test_nothing_is_left_of_a_policy(quick: Stores) -> None:
    await begun(quick, "whisper", "aws")
    await quick.sessions.remove(SID)
    keys = quick.keys()
    left = {keys.lined, keys.policies, keys.line("whisper"), keys.line("aws")}
    assert not left & await quick.names()
