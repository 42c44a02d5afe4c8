"""Readers of one session share what they read of its log, each at its own pace."""

from steno_common.messages import Status
from steno_common.store.base import Numbered
from steno_common.store.sessions import Outcome, Polled
from steno_gateway.session_log import PAGE, RECENT, SessionLog
from steno_gateway.subscription import Subscription


class Counted:
    """A log in memory that counts how often it is asked."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.reads = 0

    async def events(self, session_id: str, after: int, count: int) -> list[Numbered]:
        self.reads += 1
        numbers = range(after + 1, min(after + count, self.last) + 1)
        return [Numbered(number, Status(f"s{number}")) for number in numbers]


def shared(store: Counted, readers: int) -> list[Subscription]:
    log = SessionLog(store, "sid", readers=readers)  # type: ignore[arg-type]
    made = [Subscription("sid", 0, store) for _ in range(readers)]  # type: ignore[arg-type]
    for subscription in made:
        subscription.log = log
    return made


def polled(event: int) -> Polled:
    return Polled(Outcome.DONE, event, 0, 0, "recording", "epoch")


async def read(subscription: Subscription, through: int) -> list[int]:
    """Read until an event."""
    subscription.polled(polled(through), subscription.cursor)
    numbers = []
    async for told in subscription.told():
        assert told.number is not None
        numbers.append(told.number)
        if told.number == through:
            return numbers
    return numbers


async def test_many_readers_read_the_log_once() -> None:
    store = Counted(last=10)
    readers = shared(store, 50)
    for reader in readers:
        assert await read(reader, 10) == list(range(1, 11))
    store.last = 12
    for reader in readers:
        assert await read(reader, 12) == [11, 12]
    assert store.reads == 2


async def test_what_is_told_is_the_same_thing_for_all() -> None:
    store = Counted(last=1)
    first, second = shared(store, 2)
    for reader in (first, second):
        reader.polled(polled(1), 0)
    (one,) = [await anext(first.told())]
    (other,) = [await anext(second.told())]
    assert one is other
    assert one.encoded == b'{"type":"server:status","event":1,"status":"s1"}'


async def test_a_reader_far_behind_reads_everything_by_itself() -> None:
    last = RECENT + 3 * PAGE
    store = Counted(last)
    fast, slow = shared(store, 2)
    assert await read(fast, last) == list(range(1, last + 1))
    assert await read(slow, last) == list(range(1, last + 1))
    assert len(fast.log._recent) == RECENT


async def test_a_lone_reader_leaves_nothing_in_memory() -> None:
    store = Counted(last=100)
    (reader,) = shared(store, 1)
    assert await read(reader, 100) == list(range(1, 101))
    assert len(reader.log._recent) == 0


async def test_a_log_that_lost_events_is_not_served_from_memory() -> None:
    store = Counted(last=10)
    ahead, behind = shared(store, 2)
    await read(ahead, 10)
    behind.cursor = 4
    store.last = 6
    reads = store.reads
    assert await read(behind, 6) == [5, 6]
    assert store.reads == reads + 1
