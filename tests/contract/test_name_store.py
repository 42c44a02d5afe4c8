"""Names of sessions: one owner's name stands for one session, whoever comes first."""

import asyncio

import pytest
from tests.contract.stores import Stores

from steno_common.store import scripts
from steno_common.store.names import NameStore

A, B, C = (f"{digit * 8}-1111-4111-8111-111111111111" for digit in "abc")
NAME = "golden-eagle-427"


def _names(stores: Stores) -> NameStore:
    return NameStore(stores.link, stores.limits)


async def _register(names: NameStore) -> None:
    """Walk through what the register promises."""
    assert await names.find("me", NAME) is None
    assert await names.bind("me", NAME, A) == A
    assert await names.bind("me", NAME, A) == A
    assert await names.bind("me", NAME, B) == A
    assert await names.find("me", NAME) == A
    assert await names.bind("me", NAME, B, instead_of=C) == A
    assert await names.bind("me", NAME, B, instead_of=A) == B
    assert await names.bind("me", NAME, C, instead_of=A) == B
    assert await names.bind("me", NAME, B, instead_of=B) == B
    assert await names.find("me", NAME) == B


async def _lifetime(names: NameStore, stores: Stores) -> None:
    key = names.space.name("me", NAME).key
    await names.bind("me", NAME, A)
    assert 0 < await stores.redis("PTTL", key) <= stores.limits.idle_ms
    await stores.redis("PEXPIRE", key, 1_000)
    await names.bind("me", NAME, A, instead_of=A)
    assert await stores.redis("PTTL", key) > 1_000


async def _promises(names: NameStore, stores: Stores) -> None:
    await _register(names)
    await _lifetime(names, stores)


async def test_a_name_stands_for_the_session_that_came_first_until_it_is_replaced(
    stores: Stores,
) -> None:
    await _register(_names(stores))


async def test_a_name_is_forgotten_unless_it_is_said_again(stores: Stores) -> None:
    await _lifetime(_names(stores), stores)


async def test_what_one_owner_names_no_other_reaches(stores: Stores) -> None:
    names = _names(stores)
    await names.bind("me", NAME, A)
    assert await names.find("you", NAME) is None
    assert await names.find("", NAME) is None
    assert await names.bind("you", NAME, B) == B
    assert await names.find("me", NAME) == A
    await names.bind("a", "b:c", A)
    assert await names.find("a:b", "c") == A  # which is why the name of a key holds no colon


async def test_of_many_who_come_at_once_one_is_first(stores: Stores) -> None:
    names = _names(stores)
    ids = [f"{number:08}-1111-4111-8111-111111111111" for number in range(20)]
    found = set(await asyncio.gather(*(names.bind("me", NAME, each) for each in ids)))
    assert len(found) == 1
    assert found <= set(ids)
    assert {await names.find("me", NAME)} == found


MUTANTS = {
    "takes a name that stands for another": ("if held and held ~= ARGV[2] then", "if false then"),
    "never takes a name again": ("if held and held ~= ARGV[2] then", "if held then"),
    "says what was asked": ("then return held end", "then return ARGV[1] end"),
    "keeps a name for ever": (", 'PX', ARGV[3])", ")"),
    "binds nothing": ("redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[3])", "do end"),
}


@pytest.mark.parametrize("mutant", MUTANTS)
async def test_these_tests_find_the_mutant(
    mutant: str, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    right, wrong = MUTANTS[mutant]
    text = scripts.source("bind")
    assert text.count(right) == 1
    monkeypatch.setattr(scripts, "source", lambda _: text.replace(right, wrong))
    with pytest.raises(AssertionError):
        await _promises(_names(stores), stores)
