"""The bench of what measuring costs measures all of it, in one table."""

import pytest
from bench.emotion import Cost, babble, costs


def test_every_meter_is_measured_on_every_chunk_beside_the_segmenter() -> None:
    found = costs(babble(1.05))
    assert [cost.name for cost in found] == [
        "segmenter with its detector", "emotion, each chunk", "emotion, once a second",
        "audio quality",
    ]  # fmt: skip
    assert {len(cost.each) for cost in found} == {11}
    assert all(cost.mean > 0 for cost in found)


def test_a_row_has_median_p99_mean_and_the_share_of_what_it_is_compared_with() -> None:
    cost = Cost("c", [float(n) for n in range(1, 201)])
    assert cost.mean == pytest.approx(100.5)
    assert cost.row(201.0) == "| c | 100 | 199 | 100 | 50 % |"


def test_the_noise_comes_and_goes() -> None:
    audio = babble(4.0)
    assert len(audio) == 64_000
    assert not audio[52_000:].any()
    assert audio[:1_600].any()
