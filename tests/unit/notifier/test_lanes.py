"""How many tries there are at a time: to one destination, to all of them."""

import asyncio

import pytest

from steno_common.messages import Destination
from steno_notifier import lanes
from steno_notifier.lanes import Lane, Lanes


def to(ways: Lanes, host: str) -> Lane:
    return ways.to(Destination("hook-1", "webhook", f"https://{host}/in"))


async def holding(lane: Lane, over: asyncio.Event) -> None:
    async with lane.turn():
        await over.wait()


@pytest.mark.parametrize("hosts", [("a.example", "a.example"), ("a.example", "b.example")])
async def test_who_comes_when_there_is_no_room_waits_for_a_turn(
    hosts: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "WIDTH" if hosts[0] == hosts[1] else "TRIES", 1)
    ways, first_over, over = Lanes(), asyncio.Event(), asyncio.Event()
    over.set()
    first, second = (to(ways, host) for host in hosts)
    going = asyncio.create_task(holding(first, first_over))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(holding(second, over))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    first_over.set()
    await asyncio.gather(going, waiting)


async def test_what_lives_at_one_host_shares_a_lane() -> None:
    ways = Lanes()
    one = to(ways, "a.example")
    assert to(ways, "a.example") is one
    assert to(ways, "b.example") is not one
