"""R3: translations come back into the log of a session, for those who listen in a language."""

import pytest
from tests.contract.stores import SID, Stores, final, session, span

from steno_common.messages import Completed, Numbered, Statistics, Translation, encode
from steno_common.store.sessions import Outcome
from steno_common.store.translations import Stored, TranslationStore

COMPLETED = Completed("one", Statistics(0, 0, 0, 0, 0, 0, 0), ())
FINAL = 2
"""Number of the one final."""
HOLA = Translation("es", "hola", FINAL, 5)


def store(stores: Stores) -> TranslationStore:
    return TranslationStore(stores.link, stores.limits)


@pytest.fixture
async def spoken(stores: Stores) -> TranslationStore:
    """A session with one final."""
    await stores.connect()
    await stores.store(1)
    assert await stores.work.commit(
        await stores.claim(), span(1, "1-0", 100, events=[final(0, 100)])
    )
    return store(stores)


async def test_a_translation_is_an_event_of_the_session_and_rings(
    stores: Stores, spoken: TranslationStore
) -> None:
    await stores.rings()
    assert await spoken.translate(SID, HOLA) == Stored(Outcome.DONE, 3)
    assert await spoken.events(SID, FINAL) == [Numbered(3, HOLA)]
    assert await stores.rings() == [(SID, b"")]


async def test_a_final_has_one_translation_in_a_language_whoever_repeats_it(
    spoken: TranslationStore,
) -> None:
    await spoken.translate(SID, HOLA)
    for again in (HOLA, Translation("es", "buenos dias", FINAL, 9)):
        assert await spoken.translate(SID, again) == Stored(Outcome.NOTHING, 3)
    assert await spoken.translate(SID, Translation("fr", "salut", FINAL)) == Stored(Outcome.DONE, 4)
    assert [each.event for each in await spoken.events(SID, 2)] == [
        HOLA, Translation("fr", "salut", FINAL),
    ]  # fmt: skip


async def test_a_text_of_no_final_is_a_repeat_if_it_is_what_was_said_last(
    spoken: TranslationStore,
) -> None:
    said = [("es", "uno"), ("es", "uno"), ("es", "dos"), ("fr", "dos"), ("es", "uno")]
    outcomes = [
        (await spoken.translate(SID, Translation(language, text, 0))).outcome
        for language, text in said
    ]
    assert outcomes == [1, 0, 1, 1, 1]


@pytest.mark.parametrize("event", [1, 3, 10**15])
async def test_what_is_no_final_has_no_translation(spoken: TranslationStore, event: int) -> None:
    answer = await spoken.translate(SID, Translation("es", "hola", event))
    assert answer == Stored(Outcome.UNKNOWN, 0)


async def test_a_number_of_another_life_of_the_session_names_no_final(
    spoken: TranslationStore,
) -> None:
    assert await spoken.translate(SID, HOLA, "before") == Stored(Outcome.UNKNOWN, 0)
    assert await spoken.translate(SID, HOLA, "epoch") == Stored(Outcome.DONE, 3)


async def test_a_session_that_is_gone_takes_none(stores: Stores, spoken: TranslationStore) -> None:
    await stores.sessions.remove(SID)
    names = await stores.names()
    assert await spoken.translate(SID, HOLA) == Stored(Outcome.MISSING, 0)
    assert await stores.names() == names


async def test_translations_of_a_session_take_so_many_bytes_and_no_more(
    stores: Stores, spoken: TranslationStore
) -> None:
    salut = Translation("fr", "salut", FINAL)
    room = len(encode(HOLA)) + len(encode(salut))
    bounded = [TranslationStore(stores.link, stores.limits, most) for most in (room - 1, room)]
    assert await bounded[0].translate(SID, HOLA) == Stored(Outcome.DONE, 3)
    assert await bounded[0].translate(SID, salut) == Stored(Outcome.FULL, 0)
    assert await bounded[0].translate(SID, HOLA) == Stored(Outcome.NOTHING, 3)
    assert await bounded[1].translate(SID, salut) == Stored(Outcome.DONE, 4)
    assert await bounded[1].translate(SID, Translation("de", "", 0)) == Stored(Outcome.FULL, 0)


async def test_a_pipeline_may_lag_behind_the_end_and_prolongs_nothing(
    stores: Stores, spoken: TranslationStore
) -> None:
    late = stores.limited(retention_seconds=5.0)
    assert await late.windows.complete(SID, COMPLETED)
    assert await store(late).translate(SID, HOLA) == Stored(Outcome.DONE, 5)
    snapshot = await stores.sessions.snapshot(SID)
    assert snapshot is not None
    assert (snapshot.event, snapshot.finished) == (5, 4)
    for key in (stores.keys().meta, stores.keys().log):
        assert 0 < await stores.redis("PTTL", key) <= 5_000


async def test_a_log_that_begins_with_a_translation_expires_with_its_session(
    stores: Stores,
) -> None:
    await stores.sessions.create(session(), "epoch")
    assert await store(stores).translate(SID, Translation("es", "hola", 0)) == Stored(
        Outcome.DONE, 1
    )
    alive = [await stores.redis("PTTL", key) for key in (stores.keys().meta, stores.keys().log)]
    assert 0 < alive[1] <= alive[0] + 100
