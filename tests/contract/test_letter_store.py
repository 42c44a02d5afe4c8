"""Dead letters on every Redis found: listed over all shards, sent again, thrown away."""

import pytest
from msgspec.structs import replace
from tests.contract.stores import Stores, session

from steno_common.letters import ROOM_BYTES, Letter, encode_letter
from steno_common.messages import Destination, Status
from steno_common.store import letters as letters_module
from steno_common.store.deliveries import Place
from steno_common.store.letters import FIRST, LetterId, Wanted

TO = (Destination("hook-1", "webhook", "https://example.com/"), Destination("relay", "relay"))


async def write(stores: Stores, count: int) -> list[str]:
    """Write letters of sessions in all shards; gives their ids in order."""
    names = []
    for number in range(count):
        sid = f"session-{number % 5}"
        to = TO[number % 2]
        await stores.sessions.create(session(sid, *TO), "epoch")
        place = Place(sid, to.name)
        await stores.sessions.attach(sid)
        known = (await stores.deliveries.standing([place]))[place]
        assert known is not None
        letter = Letter(f"{number}", known.session, "epoch", to, known.cursor + 1, Status("x"))
        assert await stores.deliveries.give_up(place, known, letter, most=1000) > 0
        names.append(letter.id)
    return names


async def found(stores: Stores, wanted: Wanted | None = None, after: LetterId = FIRST) -> list[str]:
    return [each.id async for _, each in stores.letters.find(wanted or Wanted(), after)]


@pytest.mark.parametrize("page", [2, 3, 200])
async def test_letters_of_all_shards_come_in_the_order_of_their_time(
    stores: Stores, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters_module, "PAGE", page)
    names = await write(stores, 17)
    ids = [letter_id async for letter_id, _ in stores.letters.find(Wanted())]
    assert ids == sorted(ids)
    # Clocks of several Redis are not the same to the millisecond.
    assert sorted(await found(stores), key=int) == names
    assert await found(stores, after=ids[7]) == (await found(stores))[8:]


async def test_letters_are_found_by_destination_or_session(stores: Stores) -> None:
    await write(stores, 10)
    assert sorted(await found(stores, Wanted("relay")), key=int) == ["1", "3", "5", "7", "9"]
    assert await found(stores, Wanted(session_id="session-3")) == ["3", "8"]
    assert await found(stores, Wanted("relay", "session-3")) == ["3"]
    assert await found(stores, Wanted("nobody")) == []


async def test_a_letter_that_is_no_letter_is_passed_over(stores: Stores) -> None:
    await write(stores, 1)
    key = stores.keys("session-0").letters
    await stores.redis("XADD", key, "*", "p", b"\xc1")
    await stores.redis("XADD", key, "*", "q", b"")
    assert await found(stores) == ["0"]


async def test_letters_are_read_sent_again_and_thrown_away_one_by_one(stores: Stores) -> None:
    await write(stores, 6)
    there = [entry async for entry in stores.letters.find(Wanted())]
    ids = [letter_id for letter_id, _ in there]
    assert await stores.letters.resend(there[:3]) == 3
    assert await stores.letters.resend([(LetterId(1, 1, 0), there[0][1])]) == 0
    assert await stores.letters.take(stores.letters.shards, 10) == ids[:3]
    assert await stores.letters.take(stores.letters.shards, 10) == []
    await stores.letters.hold(ids[:3])
    first = await stores.letters.read(ids[0])
    assert first is not None
    assert await stores.letters.dispose(ids[:1]) == 1
    assert await stores.letters.dispose(ids[:1]) == 0
    assert await stores.letters.read(ids[0]) is None
    second = await stores.letters.read(ids[1])
    assert second is not None
    assert await stores.letters.renew(ids[1], second, most=100)
    assert not await stores.letters.renew(ids[1], second, most=100)
    await stores.letters.leave(ids[2:3])
    await stores.letters.leave([])
    left = [letter_id async for letter_id, _ in stores.letters.find(Wanted())]
    assert set(ids[2:]) < set(left)
    assert len(left) == 5
    for shard in stores.letters.shards:
        assert await stores.redis("ZCARD", f"steno:{{s{shard}}}:replay") == 0


async def test_letters_go_by_the_time_of_their_events_in_one_hand_at_a_time(
    stores: Stores,
) -> None:
    await write(stores, 15)
    there = [entry async for entry in stores.letters.find(Wanted(session_id="session-0"))]
    (first, letter), *_ = there
    assert await stores.letters.renew(first, replace(letter, created_ms=1), most=100)
    there = [entry async for entry in stores.letters.find(Wanted(session_id="session-0"))]
    ids = [letter_id for letter_id, _ in there]
    assert await stores.letters.resend(there) == 3
    assert await stores.letters.take(stores.letters.shards, 2) == [ids[0], ids[2]]
    assert await stores.letters.take(stores.letters.shards, 2) == []
    await stores.letters.dispose([ids[0]])
    assert await stores.letters.take(stores.letters.shards, 2) == []
    await stores.letters.leave([ids[2]])
    assert await stores.letters.take(stores.letters.shards, 2) == [ids[1]]


async def large(stores: Stores, count: int, most: int) -> list[str]:
    """Write letters of one session that take twice a letter's room; gives the ids of those kept."""
    await stores.sessions.create(session("one", TO[0]), "epoch")
    for number in range(count):
        place = Place("one", "hook-1")
        known = (await stores.deliveries.standing([place]))[place]
        assert known is not None
        letter = Letter(f"{number}", known.session, "epoch", TO[0], known.cursor + 1, Status("x"))
        length = 2 * ROOM_BYTES - len(encode_letter(replace(letter, reason="x" * 256))) + 256
        letter = replace(letter, reason="x" * length)
        assert len(encode_letter(letter)) == 2 * ROOM_BYTES
        assert await stores.deliveries.give_up(place, known, letter, most=most) > 0
    return await found(stores)


async def test_large_letters_take_the_room_of_several(stores: Stores) -> None:
    assert await large(stores, 9, 10) == ["4", "5", "6", "7", "8"]
    assert await large(stores, 1, 11) == ["5", "6", "7", "8", "0"]
    backlog = await stores.backlog.backlog()
    assert (backlog.letters, backlog.dropped) == (5, 5)


async def test_a_letter_that_takes_all_the_room_stays_alone(stores: Stores) -> None:
    assert await large(stores, 2, 1) == ["1"]


async def test_letters_that_nobody_counted_make_room_too(stores: Stores) -> None:
    await large(stores, 3, 100)
    letters, size = stores.keys("one").letters, stores.keys("one").letters_size
    await stores.redis("DEL", size)
    assert await large(stores, 1, 6) == ["1", "2", "0"]
    ((first, _), *_) = await stores.redis("XRANGE", letters, "-", "+", "COUNT", 1)
    await stores.redis("XDEL", letters, first)
    assert await large(stores, 1, 100) == ["2", "0", "0"]
    assert await stores.redis("HMGET", size, "letters", "bytes") == [b"3", b"6144"]


async def test_letters_that_go_leave_their_room(stores: Stores) -> None:
    await large(stores, 3, 6)
    (first, letter), (second, _), _ = [entry async for entry in stores.letters.find(Wanted())]
    await stores.letters.dispose([second])
    assert await large(stores, 1, 6) == ["0", "2", "0"]
    assert await stores.letters.renew(first, letter, most=6)
    assert await found(stores) == ["2", "0", "0"]
    await stores.backlog.expire_letters(-60)
    size = stores.keys("one").letters_size
    assert await stores.redis("HMGET", size, "letters", "bytes") == [b"0", b"0"]


@pytest.mark.parametrize(
    "text", ["", "1-2", "1-2-3-4", "a-1-1", "1-1-", "--", "1-99999999999999999999-0"]
)
def test_what_is_no_id_of_a_letter_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"letter|unpack"):
        LetterId.read(text)


def test_an_id_of_a_letter_is_read_as_it_was_written() -> None:
    assert LetterId.read(str(LetterId(1_700_000_000_000, 7, 3))) == LetterId(
        1_700_000_000_000, 7, 3
    )
