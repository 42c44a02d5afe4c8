"""What happens in sessions reaches their destinations: in order, at least once, under one id."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from tests.integration.aggregator_rig import Stage, open_stage
from tests.integration.delivery_rig import QUICK, Delivering, Receiver, delivering, receiving
from tests.redis_servers import RedisServer
from tests.waiting import until

from steno_aggregator.closing import close_windows
from steno_common.destinations import DestinationSettings
from steno_common.letters import Letter
from steno_common.messages import Destination, Partial
from steno_common.store.deliveries import Place
from steno_common.store.letters import Wanted
from steno_notifier import courier, lanes, resending


@pytest.fixture
async def stage(redis_server: RedisServer) -> AsyncIterator[Stage]:
    async with open_stage(redis_server.url) as opened:
        yield opened


def partial(text: str) -> Partial:
    return Partial(text, (), 0, 16_000, 0.5, 0.5, sequence_number=1, commit=0)


async def taken(receiver: Receiver, count: int) -> None:
    async def enough() -> bool:
        return len(receiver.once()) >= count

    await until(enough)


async def idle(stage: Stage) -> None:
    """Wait until nothing is to be delivered any more."""

    async def nothing() -> bool:
        for keys in stage.windows.space.all_shards():
            (left,) = await stage.link.ask(keys.shard, lambda pipe, k=keys: pipe.zcard(k.outgoing))
            if left:
                return False
        return True

    await until(nothing)


async def letters(notifier: Delivering, wanted: Wanted | None = None) -> list[Letter]:
    return [letter async for _, letter in notifier.letters.find(wanted or Wanted())]


async def test_every_event_that_is_wanted_arrives_once_in_order(stage: Stage) -> None:
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(receiver.to())
        for word in ("one", "two", "three"):
            await played.say(word)
        await played.stop()
        await idle(stage)
    assert [(body["kind"], body["text"]) for body in receiver.taken] == [
        ("status", ""), ("final", "one"), ("final", "two"), ("final", "three"), ("status", ""),
    ]  # fmt: skip
    assert [body["id"] for body in receiver.taken][:2] == [
        f"{played.session_id}-epoch-1", f"{played.session_id}-final-0",
    ]  # fmt: skip


async def test_a_final_is_delivered_when_its_bell_rings(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: from a result to the pipeline in less than 100 ms: no sweep is waited for."""
    monkeypatch.setattr(courier, "SWEEP_SECONDS", 600.0)
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(receiver.to(events=("final",)))
        for number in range(10):
            await played.say(f"{number}")
            await taken(receiver, number + 1)


async def test_what_no_bell_says_is_found_by_the_sweep(stage: Stage) -> None:
    async with receiving() as receiver, delivering(stage, deaf=True):
        played = await stage.play(receiver.to(events=("final",)))
        await played.say("unheard")
        await taken(receiver, 1)
    assert receiver.told() == ["unheard"]


async def test_bells_of_one_session_do_not_keep_the_others_from_being_looked_at(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "SWEEP_SECONDS", 0.3)
    settings = DestinationSettings(webhook_retries=(0.4,) * 9)
    once = receiving(lambda number: 503 if number == 1 else 204)
    async with once as receiver, delivering(stage, settings):
        late, loud = await stage.play(receiver.to(events=("final",))), await stage.play()
        while (
            stage.windows.keys(loud.session_id).shard == stage.windows.keys(late.session_id).shard
        ):
            loud = await stage.play()
        await late.say("word")
        while not receiver.taken:  # a bell more often than there is a sweep
            await stage.sessions.transition(
                loud.session_id, loud.conn, "paused", ["connected", "recording"]
            )
            await stage.sessions.transition(loud.session_id, loud.conn, "recording", ["paused"])
            await asyncio.sleep(0.05)
        assert receiver.told() == ["word"]


async def test_a_place_of_no_destination_is_let_go(stage: Stage) -> None:
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(receiver.to(events=("final",)))
        keys = stage.windows.keys(played.session_id)
        member = Place(played.session_id, "nobody").member
        await stage.link.ask(keys.shard, lambda pipe: pipe.zadd(keys.outgoing, {member: 1}))
        await played.say("word")
        await taken(receiver, 1)
        await idle(stage)


async def test_what_happened_without_a_notifier_is_delivered_later(stage: Stage) -> None:
    async with receiving() as receiver:
        played = await stage.play(receiver.to(events=("final",)))
        await played.say("before")
        async with delivering(stage):
            await taken(receiver, 1)
    assert receiver.told() == ["before"]


async def test_a_receiver_that_fails_every_third_call_gets_everything_in_order(
    stage: Stage,
) -> None:
    """R3: more than 99 % delivered; here all of it, nothing twice after dedupe by id."""
    async with receiving(lambda number: 503 if number % 3 == 0 else 204) as receiver:
        async with delivering(stage):
            sessions = [await stage.play(receiver.to(events=("final",))) for _ in range(10)]
            for word in range(20):
                for played in sessions:
                    await played.say(f"{word}")
            await idle(stage)
        for played in sessions:
            numbers = receiver.by_session()[played.session_id]
            assert numbers == sorted(numbers)
            assert len(numbers) == 20
    assert len(receiver.taken) == len(receiver.once()) == 200


async def test_an_utterance_brings_its_finals(stage: Stage) -> None:
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(Destination("relay-1", "relay", receiver.url))
        await played.say("one")
        await played.say("two", pause=4)
        await close_windows(stage.windows, played.session_id)
        await taken(receiver, 1)
    assert receiver.taken[0]["finals"] == ["one", "two"]


async def test_a_dead_destination_delays_no_other(stage: Stage) -> None:
    async with receiving() as dead, receiving() as alive, delivering(stage, seconds=600):
        dead.hanging = asyncio.Event()
        for _ in range(2 * lanes.WIDTH):
            await (await stage.play(dead.to())).say("nobody hears this")
        played = await stage.play(dead.to(), alive.to("hook-2", ("final",)))
        await played.say("heard")
        await taken(alive, 1)
        assert dead.taken == []
        dead.hanging.set()


async def test_a_full_lane_leaves_the_rest_in_redis(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "LENGTH", 3)
    async with receiving() as receiver, delivering(stage):
        receiver.hanging = asyncio.Event()
        everybody = [await stage.play(receiver.to(events=("final",))) for _ in range(8)]
        await idle(stage)
        await asyncio.gather(*(played.say("word") for played in everybody))

        async def three() -> bool:
            return receiver.requests == 3

        await until(three)
        await asyncio.sleep(0.6)  # a sweep later there are no more
        assert receiver.requests == 3
        receiver.hanging.set()
        await taken(receiver, 8)
        await idle(stage)


async def test_a_notifier_takes_no_more_than_it_can_hold(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(courier, "MOST", 2)
    async with receiving() as receiver, delivering(stage):
        receiver.hanging = asyncio.Event()
        for _ in range(6):
            await (await stage.play(receiver.to(events=("final",)))).say("word")

        async def two() -> bool:
            return receiver.requests == 2

        await until(two)
        await asyncio.sleep(0.6)  # a sweep later there are no more
        assert receiver.requests == 2
        receiver.hanging.set()
        await taken(receiver, 6)
        await idle(stage)


async def test_a_destination_that_is_gone_gets_nothing_more_and_nothing_is_lost(
    stage: Stage,
) -> None:
    async with receiving(lambda _: 410) as receiver, delivering(stage) as notifier:
        played = await stage.play(receiver.to(events=("final",)))
        for word in ("one", "two", "three"):
            await played.say(word)
        await idle(stage)
        found = await letters(notifier)
    assert receiver.requests == 1
    assert [(letter.event.text, letter.reason, letter.tries) for letter in found] == [  # type: ignore[union-attr]
        ("one", "gone", 1), ("two", "gone", 0), ("three", "gone", 0),
    ]  # fmt: skip


async def test_the_wait_that_a_receiver_asks_for_is_kept(stage: Stage) -> None:
    once = receiving(lambda number: 429 if number == 1 else 204, Retry_After="1")
    async with once as receiver, delivering(stage):
        played = await stage.play(receiver.to(events=("final",)))
        began = time.monotonic()
        await played.say("word")
        await taken(receiver, 1)
    assert time.monotonic() - began >= 1
    assert receiver.taken[0]["tries"] == 1


async def test_what_is_refused_for_good_is_a_letter_and_the_rest_goes_on(stage: Stage) -> None:
    once = receiving(lambda number: 400 if number == 1 else 204)
    async with once as receiver, delivering(stage) as notifier:
        played = await stage.play(receiver.to(events=("final",)))
        await played.say("refused")
        await played.say("taken")
        await idle(stage)
        (letter,) = await letters(notifier)
    assert receiver.told() == ["taken"]
    assert letter.id == f"{played.session_id}-final-0"
    assert (letter.reason, letter.tries, letter.destination.name) == ("http_400", 1, "hook-1")


async def test_after_the_last_try_of_the_plan_an_event_is_a_letter(stage: Stage) -> None:
    settings = DestinationSettings(webhook_retries=(0.01, 0.01))
    async with receiving(lambda _: 500) as receiver, delivering(stage, settings) as notifier:
        played = await stage.play(receiver.to(events=("final",)))
        await played.say("word")
        await idle(stage)
        (letter,) = await letters(notifier)
    assert receiver.requests == 3
    assert (letter.reason, letter.tries) == ("http_500", 3)


async def test_letters_are_sent_again_in_order_when_asked_for(stage: Stage) -> None:
    settings = DestinationSettings(webhook_retries=())
    async with receiving(lambda _: 500) as receiver, delivering(stage, settings) as notifier:
        played = await stage.play(receiver.to(events=("final",)))
        for word in ("one", "two", "three"):
            await played.say(word)
        await idle(stage)
        receiver.answer = lambda _: 204
        there = [entry async for entry in notifier.letters.find(Wanted())]
        assert await notifier.letters.resend(there) == 3
        await taken(receiver, 3)

        async def none() -> bool:
            return not await letters(notifier)

        await until(none)
    assert receiver.told() == ["one", "two", "three"]


async def test_letters_keep_their_order_though_one_has_failed_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resending, "COUNT", 2)
    settings = DestinationSettings(webhook_retries=())
    words = ["one", "two", "three", "four", "five"]
    async with receiving(lambda _: 500) as receiver, delivering(stage, settings) as notifier:
        played = await stage.play(receiver.to(events=("final",)))
        for word in words:
            await played.say(word)
        await idle(stage)
        first, *_ = [entry async for entry in notifier.letters.find(Wanted())]
        await notifier.letters.resend([first])

        async def failed_again() -> bool:
            return [each.tries for each in await letters(notifier)] == [1, 1, 1, 1, 2]

        await until(failed_again)
        receiver.answer = lambda _: 204
        await notifier.letters.resend([entry async for entry in notifier.letters.find(Wanted())])
        await taken(receiver, len(words))
    assert receiver.told() == words


async def test_a_letter_that_fails_again_stays_with_its_reason(stage: Stage) -> None:
    settings = DestinationSettings(webhook_retries=())
    async with receiving(lambda _: 500) as receiver, delivering(stage, settings) as notifier:
        played = await stage.play(receiver.to(events=("final",)))
        for word in ("one", "two"):
            await played.say(word)
        await idle(stage)
        receiver.answer = lambda _: 400
        await notifier.letters.resend([entry async for entry in notifier.letters.find(Wanted())])

        async def tried() -> bool:
            return {letter.reason for letter in await letters(notifier)} == {"http_500", "http_400"}

        await until(tried)
        found = await letters(notifier)
    # One try tells that the destination still fails: the letters behind it are left alone.
    assert receiver.requests == 3
    assert sorted((letter.event.text, letter.reason, letter.tries) for letter in found) == [  # type: ignore[union-attr]
        ("one", "http_400", 2), ("two", "http_500", 1),
    ]  # fmt: skip


async def test_a_removed_session_is_delivered_no_further(stage: Stage) -> None:
    async with receiving(lambda _: 503) as receiver:
        settings = DestinationSettings(webhook_retries=(0.3,) * 20)
        async with delivering(stage, settings) as notifier:
            played = await stage.play(receiver.to(events=("final",)))
            await played.say("word")

            async def tried() -> bool:
                return receiver.requests > 0

            await until(tried)
            await stage.sessions.remove(played.session_id)
            await idle(stage)
            assert await letters(notifier) == []


async def test_a_session_whose_keys_expired_leaves_nothing_due(stage: Stage) -> None:
    async with receiving() as receiver:
        played = await stage.play(receiver.to())
        await played.say("word")
        keys = stage.windows.keys(played.session_id)
        await stage.link.ask(keys.shard, lambda pipe: pipe.unlink(keys.meta, keys.log))
        async with delivering(stage):
            await idle(stage)
    assert receiver.requests == 0


async def test_a_drained_notifier_finishes_what_is_on_its_way_and_gives_back_the_rest(
    stage: Stage,
) -> None:
    async with receiving() as receiver:
        receiver.hanging = asyncio.Event()
        async with delivering(stage) as notifier:
            played = await stage.play(receiver.to(events=("final",)))
            await played.say("one")
            await played.say("two")

            async def begun() -> bool:
                return receiver.requests == 1

            await until(begun)
            notifier.draining.set()
            receiver.hanging.set()
        assert receiver.told() == ["one"]
        place = Place(played.session_id, "hook-1")
        assert await notifier.store.take(notifier.store.shards, 10) == [place]


async def test_a_long_try_is_held_by_its_notifier(stage: Stage) -> None:
    async with receiving() as receiver:
        receiver.hanging = asyncio.Event()
        async with delivering(stage), delivering(stage):
            played = await stage.play(receiver.to(events=("final",)))
            await played.say("word")
            await asyncio.sleep(7)  # longer than a lease
            assert receiver.requests == 1
            receiver.hanging.set()
            await idle(stage)
    assert len(receiver.taken) == 1


async def test_live_partials_go_to_a_pipeline_the_newest_of_them(stage: Stage) -> None:
    """R3: each transcript goes to the pipeline, partial ones too."""
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(Destination("pipeline-1", "pipeline", receiver.url))
        await stage.work.publish(played.session_id, partial("so far"))
        await taken(receiver, 1)
        await played.say("so far so good")
        await taken(receiver, 2)
    assert sorted((body["kind"], body["text"]) for body in receiver.once()) == [
        ("final", "so far so good"), ("partial", "so far"),
    ]  # fmt: skip


async def test_partials_go_to_no_other_destination(stage: Stage) -> None:
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(receiver.to(events=("final",)))
        await stage.work.publish(played.session_id, partial("so far"))
        await played.say("so far so good")
        await taken(receiver, 1)
        await idle(stage)
    assert receiver.told() == ["so far so good"]


async def test_the_destinations_of_the_installation_are_where_the_settings_say(
    stage: Stage,
) -> None:
    async with receiving() as receiver:
        settings = DestinationSettings(webhook_url=receiver.url, webhook_events=("final",),
                                       webhook_retries=QUICK.webhook_retries)  # fmt: skip
        async with delivering(stage, settings):
            played = await stage.play(*settings.destinations)
            await played.say("word")
            await idle(stage)
    assert receiver.told() == ["word"]


async def test_deliveries_go_on_after_redis_was_killed(
    redis_server: RedisServer, stage: Stage
) -> None:
    async with receiving() as receiver, delivering(stage):
        played = await stage.play(receiver.to(events=("final",)))
        await played.say("before")
        await taken(receiver, 1)
        redis_server.restart()
        await until(stage.link.ping)
        await played.say("after")
        await taken(receiver, 2)
    assert receiver.told() == ["before", "after"]
