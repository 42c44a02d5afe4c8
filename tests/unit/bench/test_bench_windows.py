import numpy as np
import pytest
from bench.recognition.pages import Page
from bench.recognition.windows import (
    Group,
    groups_of,
    order,
    parse_groups,
    prefixes,
    segments,
    windows_for,
)  # fmt: skip
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.bench.clips import clip

TWO = clip("h2", 9.0, ("one", 1.0, 2.0), ("two", 2.2, 4.0), ("three", 6.0, 8.0))


def test_groups_are_shares_of_the_windows_that_were_decoded() -> None:
    page = Page(
        [
            'steno_transcriber_windows_total{kind="final",seconds="6"} 1.0\n'
            'steno_transcriber_windows_total{kind="partial",seconds="4"} 3.0\n'
            'steno_transcriber_windows_total{kind="partial",seconds="8"} 0.0\n'
        ]
    )
    assert groups_of(page) == [Group("final", 6.0, 0.25), Group("partial", 4.0, 0.75)]


def test_windows_of_unknown_length_are_full_ones() -> None:
    page = Page(['steno_transcriber_window_wait_seconds_count{kind="final"} 2.0\n'])
    assert groups_of(page) == [Group("final", 30.0, 1.0)]
    assert groups_of(Page([])) == []


def test_a_mix_is_read_from_the_command_line() -> None:
    assert parse_groups("final:6=1,partial:4.5=3") == [
        Group("final", 6.0, 0.25),
        Group("partial", 4.5, 0.75),
    ]
    for wrong in ("final", "last:6=1", "final:6=0", "final:x=1"):
        with pytest.raises(ValueError, match=r".+"):
            parse_groups(wrong)


def test_segments_are_cut_at_pauses_with_a_pad_on_either_side() -> None:
    found = list(segments([TWO]))
    assert [len(each) / 16_000 for each in found] == [3.8, 2.8]
    assert found[1][0] == TWO.audio[round(5.6 * 16_000)]


def test_partials_see_half_a_second_more_each_time() -> None:
    segment = next(segments([TWO]))
    lengths = [len(each) / 16_000 for each in prefixes(segment)]
    assert lengths == pytest.approx([0.9, 1.4, 1.9, 2.4, 2.9, 3.4])


def test_windows_fill_the_padded_length_as_well_as_there_are_some() -> None:
    found = windows_for(Group("final", 6.0, 1.0), [TWO], 3)
    assert [len(each) / 16_000 for each in found] == [3.8, 2.8, 3.8]
    short = windows_for(Group("partial", 4.0, 1.0), [TWO], 2)
    assert [len(each) / 16_000 for each in short] == [1.4, 1.4]


def test_a_length_that_no_window_fits_in_gets_one_that_is_cut() -> None:
    found = windows_for(Group("final", 1.0, 1.0), [TWO], 2)
    assert [len(each) for each in found] == [16_000, 16_000]
    assert np.array_equal(found[0], TWO.audio[:16_000])


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_each_group_keeps_to_its_share_at_any_time(weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    turns = order(shares, 40)
    for length in range(1, 41):
        for index, share in enumerate(shares):
            assert abs(turns[:length].count(index) - share * length) < len(shares)
