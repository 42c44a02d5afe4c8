from bench.recognition.ladder import climb
from hypothesis import given
from hypothesis import strategies as st


async def climbed(first: int, most: int, real: int) -> tuple[int, list[int]]:
    tried: list[int] = []

    async def serves(sessions: int) -> bool:
        tried.append(sessions)
        return sessions <= real

    return await climb(first, most, serves), tried


async def test_doubles_until_too_many_then_halves_in_between() -> None:
    assert await climbed(16, 4096, 100) == (96, [16, 32, 64, 128, 96, 112, 104])


async def test_goes_down_when_the_first_try_is_too_many() -> None:
    assert await climbed(64, 4096, 5) == (5, [64, 32, 16, 8, 4, 6, 5])


async def test_ends_at_the_most_that_is_asked_for() -> None:
    assert await climbed(16, 48, 1000) == (48, [16, 32, 48])


async def test_says_zero_if_not_even_one_is_served() -> None:
    assert await climbed(4, 64, 0) == (0, [4, 2, 1])


@given(st.integers(1, 64), st.integers(1, 500), st.integers(0, 600))
async def test_the_answer_was_tried_and_is_at_most_an_eighth_below_the_truth(
    first: int, most: int, real: int
) -> None:
    found, tried = await climbed(first, most, real)
    true = min(real, most)
    assert found <= true
    assert true - found <= max(0, found // 8)
    assert len(tried) == len(set(tried)) <= 20
    assert found == 0 or found in tried
