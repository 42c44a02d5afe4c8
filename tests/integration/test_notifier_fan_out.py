"""The notifier on a real Redis: what rings in a shard rings on the channel of its session."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio.client import PubSub
from tests.integration.aggregator_rig import Stage, open_stage
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_common.messages import Partial
from steno_common.store.doorbell import DoorbellStore, heard
from steno_notifier.worker import fan_out

Heard = tuple[str, Partial | None]


@pytest.fixture
async def stage(redis_server: RedisServer) -> AsyncIterator[Stage]:
    async with open_stage(redis_server.url) as opened:
        yield opened


@pytest.fixture
async def notifier(stage: Stage) -> AsyncIterator[None]:
    store = DoorbellStore(stage.link, stage.limits)
    await store.prepare()
    task = asyncio.create_task(fan_out(store), name="notifier")
    yield
    assert not task.done()
    task.cancel()
    await asyncio.wait({task})


def partial(text: str) -> Partial:
    return Partial(text, (), 0, 16_000, 0.5, 0.5, sequence_number=1, commit=0)


@asynccontextmanager
async def listening(stage: Stage, session_id: str) -> AsyncIterator[PubSub]:
    keys = stage.windows.keys(session_id)
    async with stage.link.pubsub(keys.shard) as pubsub:
        await pubsub.subscribe(keys.live)
        yield pubsub


async def first(pubsub: PubSub, wanted: object) -> None:
    """Wait until a partial with a text, or a bell where None is wanted, is heard."""
    async with asyncio.timeout(60):
        while True:
            async for _, ring in heard(pubsub, 0.1):
                if (ring and ring.text) == wanted:
                    return


async def test_a_bell_and_a_partial_reach_those_who_listen(stage: Stage, notifier: None) -> None:
    played = await stage.play()
    async with listening(stage, played.session_id) as pubsub:
        await played.say("one")
        await first(pubsub, None)
        await stage.work.publish(played.session_id, partial("tw"))
        await first(pubsub, "tw")


async def test_a_session_hears_nothing_of_others(stage: Stage, notifier: None) -> None:
    mine, other = await stage.play(), await stage.play()
    async with listening(stage, mine.session_id) as pubsub:
        await other.say("secret")
        await stage.work.publish(other.session_id, partial("secret"))
        await stage.work.publish(mine.session_id, partial("mine"))
        async with asyncio.timeout(60):
            rings: list[Heard] = []
            while not any(ring for _, ring in rings):
                rings += [ring async for ring in heard(pubsub, 0.1)]

    assert {session_id for session_id, _ in rings} == {mine.session_id}


async def test_two_notifiers_share_the_rings(stage: Stage, notifier: None) -> None:
    task = asyncio.create_task(fan_out(DoorbellStore(stage.link, stage.limits)), name="second")
    played = await stage.play()
    async with listening(stage, played.session_id) as pubsub:
        texts = [f"{number}" for number in range(50)]
        for text in texts:
            await stage.work.publish(played.session_id, partial(text))
            await first(pubsub, text)
    task.cancel()
    await asyncio.wait({task})

    for shard in stage.windows.space.all_shards():
        ((group,),) = await stage.link.ask(
            shard.shard, lambda pipe, shard=shard: pipe.xinfo_groups(shard.events)
        )
        assert (group["consumers"] <= 1, group["pending"]) == (True, 0)


async def test_it_goes_on_after_redis_lost_everything(stage: Stage, notifier: None) -> None:
    await stage.link.everywhere(lambda pipe: pipe.flushall())
    played = await stage.play()
    async with listening(stage, played.session_id) as pubsub:
        await _until_heard(stage, pubsub, played.session_id)


async def test_it_goes_on_after_redis_was_killed(
    redis_server: RedisServer, stage: Stage, notifier: None
) -> None:
    played = await stage.play()
    redis_server.restart()
    await until(stage.link.ping)
    async with listening(stage, played.session_id) as pubsub:
        await _until_heard(stage, pubsub, played.session_id)


async def _until_heard(stage: Stage, pubsub: PubSub, session_id: str) -> None:
    """Ring until it is heard: what rings while the notifier finds its way back is lost."""

    async def ring() -> None:
        while True:
            await stage.work.publish(session_id, partial("again"))
            await asyncio.sleep(0.05)

    ringing = asyncio.create_task(ring(), name="ringing")
    try:
        await first(pubsub, "again")
    finally:
        ringing.cancel()
        await asyncio.wait({ringing})
