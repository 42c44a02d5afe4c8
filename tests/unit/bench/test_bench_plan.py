from bench.recognition.fixture import Spoken
from bench.recognition.plan import Placed, Plan, chunk_bytes, plan_session, spoken_words
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.bench.clips import CLIPS

LENGTHS = [len(clip.audio) for clip in CLIPS]


def test_the_same_seed_and_session_say_the_same() -> None:
    assert plan_session(LENGTHS, 30, 1, 4) == plan_session(LENGTHS, 30, 1, 4)


def test_sessions_and_seeds_differ() -> None:
    plans = {plan_session(LENGTHS, 30, seed, session) for seed in (1, 2) for session in range(5)}
    assert len(plans) == 10


@given(
    st.lists(st.integers(1, 80_000), min_size=1, max_size=6),
    st.floats(1, 60),
    st.integers(0, 1_000),
)
def test_a_pause_lies_before_each_clip_and_after_the_last(
    lengths: list[int], seconds: float, session: int
) -> None:
    plan = plan_session(lengths, seconds, 7, session)
    ends = [0, *(place.start + lengths[place.clip] for place in plan.placed)]
    starts = [*(place.start for place in plan.placed), plan.samples]
    for end, start in zip(ends, starts, strict=True):
        assert 0.8 * 16_000 <= start - end <= 2.5 * 16_000
    assert plan.samples >= round(seconds * 16_000)


@given(st.integers(0, 1_000))
def test_every_clip_is_said_once_before_one_is_said_again(session: int) -> None:
    plan = plan_session([16_000] * 5, 60, 1, session)
    said = [place.clip for place in plan.placed]
    assert len(said) >= 10
    assert sorted(said[:5]) == sorted(said[5:10]) == [0, 1, 2, 3, 4]


def test_words_are_placed_in_the_session() -> None:
    plan = Plan((Placed(1, 16_000), Placed(0, 80_000)), 120_000)
    assert list(spoken_words(plan, CLIPS)) == [
        Spoken("blue", 24_000, 40_000),
        Spoken("red", 84_000, 88_000),
        Spoken("lamp", 88_000, 92_000),
    ]


def test_a_chunk_holds_its_part_of_a_clip_and_silence_around() -> None:
    plan = Plan((Placed(0, 100),), 20_000)
    assert chunk_bytes(plan, CLIPS, 98, 4) == bytes([0, 0, 0, 0, 1, 0, 2, 0])
    assert chunk_bytes(plan, CLIPS, 16_098, 3) == (15_999).to_bytes(2, "little") + (
        16_000
    ).to_bytes(2, "little") + bytes(2)


@given(st.integers(1, 9_000))
def test_chunks_of_any_size_make_the_same_audio(size: int) -> None:
    plan = plan_session(LENGTHS, 3, 1, 0)
    chunks = [chunk_bytes(plan, CLIPS, first, size) for first in range(0, plan.samples, size)]
    assert b"".join(chunks) == chunk_bytes(plan, CLIPS, 0, plan.samples)
    assert sum(map(len, chunks)) == 2 * plan.samples
