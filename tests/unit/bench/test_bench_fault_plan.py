"""Plans of faults and speech follow from their seeds."""

from itertools import islice, pairwise

import pytest
from bench.faults.clips import MODEL, clips, sentences
from bench.faults.expected import expect
from bench.faults.load import Wanted, drawn
from bench.faults.plan import CRASHES, ROLES, deck, plan
from bench.faults.speech import speech
from hypothesis import given, settings
from hypothesis import strategies as st

from steno_common.store.scripts import source
from steno_transcriber.domain.samples import from_bytes
from steno_transcriber.engines.numbers import read
from steno_transcriber.settings import RecognitionSettings


def test_the_same_seed_gives_the_same_faults() -> None:
    assert list(islice(plan(7, 0.5), 200)) == list(islice(plan(7, 0.5), 200))
    assert list(islice(plan(7, 0.5), 200)) != list(islice(plan(8, 0.5), 200))


def test_each_deck_holds_every_class_whatever_the_seed() -> None:
    classes = sorted(fault.label for fault in deck())
    assert sorted(fault.label for fault in islice(plan(3, 0.5), len(classes))) == classes


def test_redis_is_only_emptied_when_asked_for() -> None:
    assert "flush" not in {fault.label for fault in deck()}
    assert "flush" in {fault.label for fault in deck(flush=True)}


def test_a_plan_may_hold_some_classes_only() -> None:
    found = {fault.label for fault in islice(plan(1, 0.5, only=["kill redis", "stop"]), 50)}
    assert found == {"kill redis", "stop redis", *(f"stop {role}" for role in ROLES)}
    with pytest.raises(ValueError, match="no fault begins with"):
        next(plan(1, 0.5, only=["flood"]))


def test_every_crash_point_but_the_save_is_a_script() -> None:
    steps = {step for steps in CRASHES.values() for step in steps}
    assert all(source(step) for step in steps - {"save"})


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 100), st.integers(0, 3_000), st.floats(0.5, 15))
def test_speech_holds_its_numbers_in_order(seed: int, session: int, seconds: float) -> None:
    said = speech(seed, session, seconds, (0.02, 0.5))
    numbers = [burst.number for burst in read(from_bytes(said.audio))]
    assert numbers == list(map(int, said.text.split()))
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert said == speech(seed, session, seconds, (0.02, 0.5))
    assert all(640 <= len(chunk) <= 16_000 for chunk in said.chunks[:-1])


def test_sessions_say_different_numbers() -> None:
    first, second = (speech(1, session, 300, (0.1, 0.1)) for session in (0, 1))
    assert set(first.text.split()).isdisjoint(second.text.split())


async def test_the_recogniser_alone_hears_every_word() -> None:
    said = speech(2, 5, 20, (0.1, 0.2))
    (expected,) = await expect({5: [said]}, silence_seconds=3.0)
    heard = " ".join(final.text for final in expected.finals)
    assert heard == said.text
    assert heard == " ".join(utterance.text for utterance in expected.utterances)
    assert len(expected.finals) > len(expected.utterances) >= 1


def test_sentences_follow_from_the_seed_and_none_follows_itself() -> None:
    said, again = (list(islice(sentences(clips(), 1, 2, (0.1, 0.3)), 60)) for _ in range(2))
    assert said == again
    assert {each.text for each in said} == {clip.text for clip in clips()}
    assert all(first.text != second.text for first, second in pairwise(said))


async def test_whisper_alone_hears_every_sentence() -> None:
    said = {
        session: list(islice(sentences(clips(), 3, session, (0.1, 0.3)), 15)) for session in (1, 2)
    }
    whisper = RecognitionSettings(engine="whisper", whisper_model=str(MODEL))
    for expected in await expect(said, silence_seconds=3.0, alone=whisper):
        assert [final.text for final in expected.finals] == [
            each.text for each in said[expected.session]
        ]


def test_visitors_are_the_same_for_the_same_seed_and_the_first_is_listened_to() -> None:
    wanted = Wanted(seed=4, sessions=2, pace=2.0)
    assert drawn(wanted, 9) == drawn(wanted, 9)
    first = drawn(wanted, 0)
    assert (first.manner, first.listeners) == ("whole", 1)
    manners = {drawn(wanted, session).manner for session in range(60)}
    assert manners == {"whole", "leaving", "absent"}


def test_only_with_several_engines_all_transcribers_of_one_die() -> None:
    assert [card.label for card in deck(engines=True)].count("engine transcriber") == 2
    assert "engine transcriber" not in {card.label for card in deck(flush=True)}
