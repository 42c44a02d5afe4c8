import pytest
from bench.recognition.fixture import Spoken
from bench.recognition.latency import Latencies, Pace, measure_latencies, together
from bench.recognition.seen import SeenFinal, SeenPartial, SeenSession

PACE = Pace(1_600, (0.0, 60.0))


def spoken(*words: tuple[float, float]) -> list[Spoken]:
    return [Spoken("w", round(start * 16_000), round(end * 16_000)) for start, end in words]


def final(at: float, sequence: int, start: float, end: float) -> SeenFinal:
    return SeenFinal(at, sequence, sequence, start, end, "w", [])


def test_a_sample_is_sent_when_its_chunk_is_full() -> None:
    assert PACE.sent(1_600) == 0.1
    assert PACE.sent(1_601) == 0.2
    assert Pace(320, (0, 1)).sent(321) == 0.04


def test_all_latencies_of_one_segment() -> None:
    # Said from 1.0 to 2.24 s; heard from 0.96 to 2.3 s; its pause is over in chunk 28.
    seen = SeenSession(
        0,
        0.0,
        partials=[SeenPartial(1.75, 0.96, 1.5), SeenPartial(2.2, 0.96, 2.0)],
        finals=[final(3.0, 28, 0.96, 2.3)],
    )
    found = measure_latencies(seen, spoken((1.0, 1.6), (1.6, 2.24)), PACE)
    assert found.partial_after_start == pytest.approx([0.75])
    assert found.partial_after_half_second == pytest.approx([0.25])
    assert found.final_after_word == pytest.approx([0.7])
    assert found.final_after_pause == pytest.approx([0.1])
    assert found.final_after_segment == pytest.approx([0.2])
    assert (found.without_partial, found.invented) == (0, 0)


def test_where_no_partial_came_the_final_brought_the_first_words() -> None:
    seen = SeenSession(0, 0.0, finals=[final(3.0, 28, 1.0, 2.0)])
    found = measure_latencies(seen, spoken((1.0, 2.0)), PACE)
    assert found.partial_after_half_second == pytest.approx([1.5])
    assert found.without_partial == 1


def test_speech_shorter_than_half_a_second_waits_for_no_partial() -> None:
    seen = SeenSession(0, 0.0, finals=[final(3.0, 28, 1.0, 1.4)])
    found = measure_latencies(seen, spoken((1.0, 1.4)), PACE)
    assert found.partial_after_start == []
    assert found.final_after_word == pytest.approx([1.6])


def test_a_partial_belongs_to_the_segment_it_starts_in() -> None:
    seen = SeenSession(
        0,
        0.0,
        partials=[SeenPartial(1.7, 1.0, 1.5), SeenPartial(5.9, 5.0, 5.5)],
        finals=[final(3.0, 28, 1.0, 2.0), final(7.0, 68, 5.0, 6.0)],
    )
    found = measure_latencies(seen, spoken((1.0, 2.0), (5.0, 6.0)), PACE)
    assert found.partial_after_start == pytest.approx([0.7, 0.9])


def test_behind_a_cut_speech_begins_at_the_cut() -> None:
    seen = SeenSession(
        0,
        0.0,
        partials=[SeenPartial(1.6, 1.0, 1.5), SeenPartial(3.9, 3.0, 3.5)],
        finals=[final(3.2, 30, 1.0, 3.0), final(5.0, 48, 3.0, 4.0)],
    )
    found = measure_latencies(seen, spoken((1.0, 2.0), (2.5, 4.0)), PACE)
    assert found.partial_after_start == pytest.approx([0.6, 0.9])


def test_only_segments_that_end_in_the_counted_interval_count() -> None:
    seen = SeenSession(0, 0.0, finals=[final(3.0, 28, 1.0, 2.0), final(7.0, 68, 5.0, 6.0)])
    words = spoken((1.0, 2.0), (5.0, 6.0))
    assert measure_latencies(seen, words, Pace(1_600, (2.5, 6.0))).final_after_word == []
    late = measure_latencies(seen, words, Pace(1_600, (2.0, 6.1)))
    assert late.final_after_word == pytest.approx([1.0, 1.0])


def test_a_final_where_nobody_spoke_is_invented() -> None:
    seen = SeenSession(0, 0.0, finals=[final(3.0, 28, 1.0, 2.0)])
    found = measure_latencies(seen, spoken((4.0, 5.0)), PACE)
    assert (found.invented, found.final_after_word) == (1, [])


def test_values_of_many_sessions_are_joined() -> None:
    joined = together([Latencies(final_after_word=[1.0], invented=1), Latencies([2.0], [3.0])])
    assert joined == Latencies([2.0], [3.0], [1.0], invented=1)
