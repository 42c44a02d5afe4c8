"""Readers of one session share what they read of its log, each at its own pace."""

import pytest

from steno_common.messages import (
    Completed,
    Event,
    Final,
    Partial,
    Statistics,
    Status,
    Translation,
)
from steno_common.store.base import Numbered
from steno_common.store.sessions import Outcome, Polled
from steno_gateway import session_log
from steno_gateway.domain.choice import EVERYTHING_SAID, Choice
from steno_gateway.session_log import PAGE, RECENT, SUMMARIES, SessionLog
from steno_gateway.subscription import Subscription


class Counted:
    """A log in memory that counts how often it is asked."""

    def __init__(self, last: int, **events: Event) -> None:
        self.last = last
        self.reads = 0
        self._others = {int(number.strip("_")): event for number, event in events.items()}

    async def events(self, session_id: str, after: int, count: int) -> list[Numbered]:
        self.reads += 1
        numbers = range(after + 1, min(after + count, self.last) + 1)
        return [Numbered(n, self._others.get(n, Status(f"s{n}"))) for n in numbers]


def shared(store: Counted, readers: int, choice: Choice = EVERYTHING_SAID) -> list[Subscription]:
    log = SessionLog(store, "sid", readers=readers)  # type: ignore[arg-type]
    made = [
        Subscription("sid", 0, store, choice=choice, patience_seconds=0.05)  # type: ignore[arg-type]
        for _ in range(readers)
    ]
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


COMPLETED = Completed("", Statistics(0, 0, 0, 0, 0, 0, 0), ())
SPANISH = Choice(("es",))


def a_translated_session() -> Counted:
    """Give a log of 100 events: a final, the end, then its translation."""
    final = Final("one", (), 0, 16_000, 1.0, 1, 1)
    return Counted(100, _40=final, _98=COMPLETED, _100=Translation("es", "uno", 40))


async def all_of(subscription: Subscription, event: int) -> list[int | None]:
    subscription.polled(polled(event), subscription.cursor)
    return [told.number async for told in subscription.told()]


async def test_a_reader_without_a_language_is_through_with_the_end() -> None:
    (reader,) = shared(a_translated_session(), 1)
    assert await all_of(reader, 100) == list(range(1, 99))


async def test_a_reader_of_a_language_is_through_once_all_is_translated() -> None:
    (reader,) = shared(a_translated_session(), 1, SPANISH)
    assert await all_of(reader, 100) == list(range(1, 101))


async def test_a_reader_of_a_language_that_comes_late_waits_no_longer_than_it_may() -> None:
    (reader,) = shared(a_translated_session(), 1, Choice(("fr",)))
    reader.cursor = 99
    assert await all_of(reader, 100) == []


async def test_what_readers_of_a_language_know_is_read_once_for_all_of_them() -> None:
    store = a_translated_session()
    readers = shared(store, 50, SPANISH)
    for reader in readers:
        reader.cursor = 95
        assert await all_of(reader, 100) == [96, 97, 98, 99, 100]
    assert store.reads == 1
    (told,) = {each for each in readers[0].log._recent if each.number == 100}
    assert told.message is not None
    assert (told.message["start_time"], told.message["end_time"]) == (0.0, 1.0)


async def test_nothing_is_remembered_for_those_who_chose_no_language() -> None:
    readers = shared(a_translated_session(), 2)
    for reader in readers:
        await all_of(reader, 100)
    assert readers[0].log._story.through == 0


async def test_all_who_join_at_one_event_are_given_the_same_summary() -> None:
    store = a_translated_session()
    first, second = shared(store, 2, SPANISH)
    one = await first.summary("epoch", 90)
    assert await second.summary("epoch", 90) is one
    assert (one.number, first.cursor, second.cursor) == (97, 97, 97)
    assert store.reads == 1


async def test_of_many_choices_the_newest_summaries_are_kept() -> None:
    first, *others = (Choice((f"en-{number:04}",)) for number in range(SUMMARIES + 1))
    store = a_translated_session()
    (reader,) = shared(store, 1, first)
    await reader.summary("epoch", 90)
    made = [reader.log.summary("epoch", choice) for choice in others]
    assert list(reader.log._summaries) == others
    assert [reader.log.summary("epoch", choice) for choice in others] == made


async def test_summaries_of_a_session_take_so_much_room_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choices = [Choice((f"en-{number:04}",)) for number in range(5)]
    (reader,) = shared(a_translated_session(), 1, choices[0])
    length = len((await reader.summary("epoch", 90)).encoded)
    monkeypatch.setattr(session_log, "SUMMARY_BYTES", 3 * length)
    for choice in choices:
        assert len(reader.log.summary("epoch", choice).encoded) == length
    assert list(reader.log._summaries) == choices[2:]
    monkeypatch.setattr(session_log, "SUMMARY_BYTES", 1)
    made = reader.log.summary("epoch", SPANISH)
    assert list(reader.log._summaries) == [SPANISH]
    assert reader.log.summary("epoch", SPANISH) is made


async def test_a_log_that_lost_events_tells_another_story() -> None:
    store = Counted(10, _3=Final("one", (), 0, 16_000, 1.0, 1, 1))
    (reader,) = shared(store, 1, SPANISH)
    assert (await reader.log.story(10)).text == "one"
    reader.polled(polled(4), 0)
    store.last, store._others = 4, {}
    assert (await reader.log.story(4)).text == ""


async def test_a_partial_without_words_says_what_was_heard_and_is_told_to_nobody() -> None:
    (reader,) = shared(Counted(last=1), 1)
    reader.partial(Partial("words", (), 0, 8_000, 1.0, 0.5, 1, 0))
    reader.partial(Partial("", (), 0, 16_000, 0.0, 0.0, 1, 0))
    reader.partial(Partial("", (), 0, 12_000, 0.0, 0.0, 1, 0))
    assert reader.heard == 16_000
    told = await anext(reader.told())
    assert isinstance(told.item, Partial)
    assert told.item.text == "words"
