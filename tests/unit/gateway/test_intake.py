"""Chunks are taken once, in order, within bounds; whoever is refused is told where to go on."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import MAX_CHUNK_BYTES, Bucket, Intake, credit


def make(expected: int = 1, limit: int = 100, queued: int = 1000, rate: float = 1e9) -> Intake:
    return Intake(expected, limit, queued, Bucket(rate, rate))


def refused(intake: Intake, sequence: int, size: int = 1, now: float = 0.0) -> ClientError:
    with pytest.raises(ClientError) as caught:
        intake.offer(sequence, size, now)
    return caught.value


def test_chunks_in_order_are_taken() -> None:
    intake = make()
    assert [intake.offer(n, 10, 0.0) for n in (1, 2, 3)] == [True, True, True]
    assert (intake.expected, intake.queued_bytes) == (4, 30)


def test_a_duplicate_is_not_taken_and_not_refused() -> None:
    intake = make(expected=5)
    assert intake.offer(4, 10, 0.0) is False
    assert intake.expected == 5


def test_a_gap_names_the_number_to_resend_from() -> None:
    error = refused(make(expected=5), 7)
    assert (error.code, error.retryable, error.details) == (
        "sequence_gap", True, {"resend_from": 5},
    )  # fmt: skip


def test_a_gap_is_told_once_however_many_chunks_follow() -> None:
    intake = make(expected=5)
    refused(intake, 7)
    assert [intake.offer(n, 1, 0.0) for n in (8, 9, 6)] == [False, False, False]


def test_a_second_gap_behind_the_first_is_told_again() -> None:
    intake = make(expected=5)
    refused(intake, 7)
    assert intake.offer(5, 1, 0.0)
    assert refused(intake, 7).details == {"resend_from": 6}


def test_a_higher_limit_does_not_make_an_old_gap_news() -> None:
    intake = make(expected=5)
    refused(intake, 7)
    intake.limit += 10
    assert intake.offer(8, 1, 0.0) is False


def test_more_than_the_credit_is_refused_and_taken_once_there_is_room() -> None:
    intake = make(limit=2)
    assert intake.offer(1, 1, 0.0)
    assert intake.offer(2, 1, 0.0)
    assert (error := refused(intake, 3)).code == "backlog_full"
    assert error.details == {"resend_from": 3}
    assert intake.offer(4, 1, 0.0) is False
    intake.limit = 3
    assert intake.offer(3, 1, 0.0)


def test_a_chunk_that_is_sent_again_too_early_is_refused_again() -> None:
    intake = make(limit=0)
    assert refused(intake, 1).code == refused(intake, 1).code == "backlog_full"


def test_bytes_that_wait_for_the_store_count_against_the_bound() -> None:
    intake = make(queued=100)
    assert intake.offer(1, 100, 0.0)
    assert refused(intake, 2).code == "backlog_full"
    intake.stored(100)
    assert intake.offer(2, 100, 0.0)


def test_too_many_chunks_a_second_are_told_how_long_to_wait() -> None:
    intake = Intake(1, 100, 1000, Bucket(rate=10, burst=2))
    assert intake.offer(1, 1, 0.0)
    assert intake.offer(2, 1, 0.0)
    error = refused(intake, 3)
    assert error.code == "rate_limited"
    assert error.details == {"resend_from": 3, "retry_after_ms": 101}
    assert intake.offer(3, 1, 0.101)


@pytest.mark.parametrize(
    ("sequence", "size", "code"),
    [
        (0, 1, "invalid_sequence"),
        (-4, 1, "invalid_sequence"),
        (1, 0, "empty_chunk"),
        (1, MAX_CHUNK_BYTES + 1, "chunk_too_large"),
    ],
)
def test_what_no_session_takes_is_refused(sequence: int, size: int, code: str) -> None:
    intake = Intake(1, 100, 1 << 30, Bucket(1e9, 1e9))
    error = refused(intake, sequence, size)
    assert (error.code, error.retryable, intake.expected) == (code, False, 1)


def test_the_largest_chunk_is_taken() -> None:
    assert Intake(1, 1, MAX_CHUNK_BYTES, Bucket(1, 1)).offer(1, MAX_CHUNK_BYTES, 0.0)


def test_a_session_has_at_most_180_000_chunks() -> None:
    intake = make(expected=180_000, limit=1_000_000)
    assert intake.offer(180_000, 1, 0.0)
    assert refused(intake, 180_001).code == "too_many_chunks"


def test_a_number_far_ahead_is_a_gap_and_does_not_end_the_session() -> None:
    assert refused(make(), 4_294_967_295).code == "sequence_gap"


@dataclass
class Model:
    """What a client and an onlooker can say of an intake without looking into it."""

    taken: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    told: int | None = None


offers = st.tuples(st.integers(1, 12), st.integers(1, 5))
steps = st.lists(
    st.one_of(
        offers.map(lambda offer: ("offer", *offer)),
        st.tuples(st.just("limit"), st.integers(0, 12), st.just(0)),
        st.just(("store", 0, 0)),
        st.just(("wait", 0, 0)),
    ),
    max_size=60,
)


@given(steps)
def test_any_order_of_offers_takes_each_number_once_in_order(
    steps: list[tuple[str, int, int]],
) -> None:
    intake, model, now = Intake(1, 3, 12, Bucket(1.0, 4.0)), Model(), 0.0
    for step, number, size in steps:
        match step:
            case "limit":
                intake.limit = number
            case "store" if model.waiting:
                intake.stored(model.waiting.pop(0))
            case "wait":
                now += 1.5
            case "offer":
                offer(intake, model, (number, size), now)
        assert model.taken == list(range(1, len(model.taken) + 1))
        assert intake.queued_bytes == sum(model.waiting) <= 12


def offer(intake: Intake, model: Model, chunk: tuple[int, int], now: float) -> None:
    number, size = chunk
    expected = len(model.taken) + 1
    try:
        accepted = intake.offer(number, size, now)
    except ClientError as error:
        check_refusal(model, number, error)
        return
    if accepted:
        assert number == expected
        assert number <= intake.limit
        model.taken.append(number)
        model.waiting.append(size)
    else:
        assert number < expected or (number > expected and model.told == expected)


def check_refusal(model: Model, number: int, error: ClientError) -> None:
    expected = len(model.taken) + 1
    assert error.details["resend_from"] == expected
    assert number >= expected
    assert number == expected or model.told != expected, "a gap is told once"
    model.told = expected


@given(st.floats(0.1, 100), st.floats(1, 100), st.lists(st.floats(0, 10), min_size=1, max_size=50))
def test_a_bucket_never_gives_more_than_its_burst_and_rate(
    rate: float, burst: float, pauses: list[float]
) -> None:
    bucket, now, given_out = Bucket(rate, burst), 0.0, 0
    for pause in pauses:
        now += pause
        given_out += bucket.take(now) == 0.0
        assert given_out <= burst + now * rate + 1e-6


@given(st.floats(0.1, 100), st.floats(1, 100))
def test_after_the_wait_that_a_bucket_tells_there_is_a_token(rate: float, burst: float) -> None:
    bucket = Bucket(rate, burst)
    while not (wait := bucket.take(0.0)):
        pass
    assert bucket.take(wait + 1e-6) == 0.0


@pytest.mark.parametrize(
    ("backlog", "received", "chunks", "expected"),
    [
        (0, 0, 0, 64),
        (960_000, 0, 0, 0),
        (0, 8_000, 1, 64),
        (0, 1_600 * 10, 10, 600),
        (480_000, 1_600 * 400, 400, 300),
        (960_000, 960_000, 600, 0),
        (2_000_000, 2_000_000, 20, 0),
        (0, 16 * 10, 10, 2_000),
    ],
)
def test_credit_is_the_room_in_chunks_of_the_usual_length(
    backlog: int, received: int, chunks: int, expected: int
) -> None:
    assert credit(960_000, backlog, received, chunks) == expected


@given(st.integers(0, 10**7), st.integers(0, 10**9), st.integers(0, 180_000))
def test_credit_is_never_negative_and_never_without_bound(
    backlog: int, received: int, chunks: int
) -> None:
    assert 0 <= credit(960_000, backlog, received, chunks) <= 2_000
