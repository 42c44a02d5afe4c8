"""The map of an installation: each shard has one place."""

from hypothesis import given
from hypothesis import strategies as st
from redis.crc import key_slot

from steno_common.keys import ShardKeys
from steno_common.store.topology import Slots, Spread, sites

LAST = 16_383


@st.composite
def clusters(draw: st.DrawFn) -> Slots:
    """Give all slots, cut into ranges of up to five masters."""
    cuts = sorted(draw(st.sets(st.integers(1, LAST), max_size=9)))
    bounds = zip([0, *cuts], [*(cut - 1 for cut in cuts), LAST], strict=True)
    return Slots(tuple((a, b, f"redis://{draw(st.integers(1, 5))}") for a, b in bounds))


@given(clusters(), st.integers(0, 1000))
def test_a_shard_lives_with_the_master_of_its_slot(topology: Slots, shard: int) -> None:
    slot = key_slot(f"steno:{{s{shard}}}:waiting".encode())
    (holder,) = (url for first, last, url in topology.ranges if first <= slot <= last)
    assert topology.url(shard) == holder
    assert holder in topology.urls


def test_a_slot_that_nobody_holds_is_asked_of_somebody() -> None:
    topology = Slots(((0, 5, "redis://a"),))
    assert {topology.url(shard) for shard in range(50)} == {"redis://a"}


def test_shards_are_dealt_out_one_after_the_other() -> None:
    topology = Spread(("a", "b", "c"))
    assert [topology.url(shard) for shard in range(7)] == ["a", "b", "c", "a", "b", "c", "a"]
    assert sites(topology, range(7)) == [(0, 3, 6), (1, 4), (2, 5)]
    assert sites(topology, range(7), one_command=True) == [(0, 3, 6), (1, 4), (2, 5)]


@given(clusters(), st.integers(1, 64))
def test_every_shard_is_at_one_site(topology: Slots, shards: int) -> None:
    found = sites(topology, range(shards))
    assert sorted(shard for site in found for shard in site) == list(range(shards))
    assert all(len({topology.url(shard) for shard in site}) == 1 for site in found)
    assert len(found) == len({topology.url(shard) for shard in range(shards)})
    assert sites(topology, range(shards), one_command=True) == [(n,) for n in range(shards)]


def test_all_keys_of_a_shard_have_one_slot() -> None:
    keys = ShardKeys(7).session("sid")
    names = {keys.meta, keys.audio, keys.log, keys.waiting, keys.leases, keys.fences, keys.tries,
             keys.due, keys.sessions, keys.events, keys.workers, keys.seal}  # fmt: skip
    assert len({key_slot(name.encode()) for name in names}) == 1
