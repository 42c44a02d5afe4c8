"""Whatever a network does between the parts, the transcript is the same, and nothing is doubled."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio
from bench.installation import SERVICES
from bench.network.proxy import OPEN, Proxy, Way
from tests.faults.network_support import Stage, speak, staged

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEED = 11


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with staged(tmp_path_factory.mktemp("network")) as stage:
        yield stage


async def silent_for_3_s(network: Proxy) -> None:
    await asyncio.sleep(1.0)
    network.both(Way(hold=True))
    await asyncio.sleep(3.0)


async def swallowed(network: Proxy) -> None:
    await asyncio.sleep(1.0)
    network.both(Way(swallow=True))
    await asyncio.sleep(3.0)


async def never_heard(network: Proxy) -> None:
    await asyncio.sleep(1.0)
    network.up = Way(swallow=True)
    await asyncio.sleep(1.0)


async def never_answered(network: Proxy) -> None:
    await asyncio.sleep(1.0)
    network.down = Way(swallow=True)
    await asyncio.sleep(1.0)


async def reset_at_any_moment(network: Proxy) -> None:
    moments = random.Random(SEED)
    for _ in range(12):
        await asyncio.sleep(moments.uniform(0.1, 0.8))
        network.reset()


async def cut_at_any_moment(network: Proxy) -> None:
    moments = random.Random(SEED + 1)
    network.both(Way(delay=0.05))
    for _ in range(12):
        await asyncio.sleep(moments.uniform(0.1, 0.8))
        network.cut()


async def trickling(network: Proxy) -> None:
    await asyncio.sleep(0.5)
    network.both(Way(rate=2_000))
    await asyncio.sleep(3.0)


async def half_closed(network: Proxy) -> None:
    await asyncio.sleep(1.0)
    network.half_close("up")
    await asyncio.sleep(1.5)
    network.half_close("down")
    await asyncio.sleep(1.0)


async def far_away(network: Proxy) -> None:
    network.both(Way(delay=0.2))
    await asyncio.sleep(6.0)


async def refused(network: Proxy) -> None:
    await asyncio.sleep(1.0)
    network.refuse()
    network.reset()
    await asyncio.sleep(2.0)
    await network.accept()


DISTURBANCES = {
    silent_for_3_s: 2, swallowed: 2, never_heard: 2, never_answered: 2, reset_at_any_moment: 8,
    cut_at_any_moment: 8, trickling: 2, half_closed: 2, far_away: 1, refused: 2,
}  # fmt: skip
"""With the connections that it takes at least: none of them may pass unnoticed."""


async def test_nothing_between_client_and_gateway_changes_what_is_heard(stage: Stage) -> None:
    async def hold(disturb: Callable[[Proxy], Awaitable[None]], mime_type: str) -> None:
        async with stage.front() as network:
            heard = await stage.disturbed(5.0, network, disturb, mime_type)
            try:
                stage.check(heard)
                assert network.accepted >= DISTURBANCES[disturb]
            except AssertionError as error:
                error.add_note(f"{disturb.__name__}, {mime_type}")
                raise

    async with asyncio.TaskGroup() as sessions:
        for disturb in DISTURBANCES:
            sessions.create_task(hold(disturb, "audio/pcm"))
        sessions.create_task(hold(reset_at_any_moment, "audio/flac"))


@pytest.mark.parametrize("service", SERVICES)
async def test_nothing_between_a_service_and_redis_changes_what_is_heard(
    stage: Stage, service: str
) -> None:
    moments, network = random.Random(SERVICES.index(service)), stage.back[service]
    before = network.accepted

    async def disturb() -> None:
        await asyncio.sleep(0.5)
        network.both(Way(hold=True))
        await asyncio.sleep(3.0)
        network.both(OPEN)
        await asyncio.sleep(0.3)
        network.up = Way(swallow=True)
        await asyncio.sleep(1.0)
        network.up, network.down = OPEN, Way(swallow=True)
        await asyncio.sleep(1.0)
        network.both(OPEN)
        await asyncio.sleep(0.3)
        for _ in range(5):
            network.reset()
            await asyncio.sleep(moments.uniform(0.05, 0.4))

    async with asyncio.TaskGroup() as tasks:
        session = tasks.create_task(speak(stage.steno.url, 8.0))
        await disturb()
    stage.check(session.result())
    assert network.accepted > before + 5


async def test_a_redis_that_is_far_away_changes_nothing(stage: Stage) -> None:
    for network in stage.back.values():
        network.both(Way(delay=0.02))
    heard = await speak(stage.steno.url, 3.0)
    for network in stage.back.values():
        network.both(OPEN)
    stage.check(heard)
