"""What is delivered, when again, under which id."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.destinations import EVENTS, FORMS, DestinationSettings
from steno_common.messages import (
    Completed,
    Destination,
    Ended,
    Event,
    Idle,
    Partial,
    Session,
    Statistics,
    Status,
    Translation,
    Utterance,
    Warned,
)
from steno_common.messages import Final as FinalEvent
from steno_notifier.domain.outgoing import (
    KINDS,
    NAMES,
    Parcel,
    Plan,
    identity,
    plans,
    repeating,
    wants,
)
from steno_notifier.domain.pipeline_form import pipeline_form
from steno_notifier.domain.relay_form import relay_form
from steno_notifier.domain.webhook_form import webhook_form

FINAL = FinalEvent("word", (), 1600, 3200, 0.5, 1, 1)
UTTERANCE = Utterance(7, "word", 1600, 3200, 0.5, 2, 2)
COMPLETED = Completed("word", Statistics(0, 0, 0, 0, 0, 0, 0), ())
ALL: list[Event] = [FINAL, Idle(1), Ended(1), Warned("c", "m"), Status("paused"), UTTERANCE,
                    Translation("de", "Wort", 1), COMPLETED]  # fmt: skip
delays = st.lists(st.floats(0.01, 1e5), max_size=8).map(tuple)


@given(delays, st.floats(0, 1, exclude_max=True), st.floats(0, 86_400), st.integers(1, 12))
def test_a_wait_is_at_least_the_plans_and_the_receivers_and_never_much_longer(
    delays: tuple[float, ...], chance: float, least: float, failed: int
) -> None:
    wait = Plan(delays, jitter=0.2).wait(failed, chance, least)
    if failed > len(delays):
        assert wait is None
    else:
        assert wait is not None
        assert max(delays[failed - 1], least) <= wait <= 1.2 * max(delays[failed - 1], least)


def test_no_receiver_is_waited_for_longer_than_a_day() -> None:
    assert Plan((1.0,)).wait(1, 0.0, 1e9) == 86_400


def test_a_webhook_is_tried_seven_times_in_eighteen_hours() -> None:
    plan, waits = KINDS["webhook"].plan, []
    while (wait := plan.wait(len(waits) + 1, 0.0)) is not None:
        waits.append(wait)
    assert waits == [5, 300, 1800, 7200, 18_000, 36_000]


def test_a_relay_is_tried_for_a_day() -> None:
    delays = KINDS["relay"].plan.delays
    assert delays[:7] == (1, 2, 5, 10, 30, 60, 60)
    assert 86_400 - 60 < sum(delays) <= 86_400


def test_a_pipeline_is_tried_twice_again_after_a_tenth_of_a_second() -> None:
    """R3: 2 retries, 100 ms."""
    assert KINDS["pipeline"].plan.delays == (0.1, 0.1)


@given(delays.filter(bool).filter(lambda d: d[-1] > 10), st.floats(0, 1e5))
def test_a_repeating_plan_fills_its_time(delays: tuple[float, ...], total: float) -> None:
    plan = repeating(delays, total)
    assert plan.delays[: len(delays)] == delays
    assert set(plan.delays[len(delays) :]) <= {delays[-1]}
    if sum(delays) <= total:
        assert total - delays[-1] - 1e-6 < sum(plan.delays) <= total + 1e-6


def test_the_settings_have_the_plans_that_the_kinds_have() -> None:
    settings = DestinationSettings()
    found = plans(settings.webhook_retries, settings.relay_retries, settings.relay_seconds)
    assert found == {name: kind.plan for name, kind in KINDS.items()}


def test_an_installation_says_when_its_own_are_tried_again() -> None:
    found = plans((1.0,), (2.0, 3.0), 11.0)
    assert found["webhook"].delays == (1,)
    assert found["relay"].delays == (2, 3, 3, 3)
    assert found["pipeline"].delays == (0.1, 0.1)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("webhook", ["final", "warning", "status", "utterance", "completed"]),
        ("relay", ["utterance"]),
        ("pipeline", ["final"]),
    ],
)
def test_each_kind_gets_what_it_usually_wants(kind: str, names: list[str]) -> None:
    destination = Destination("x", kind)  # type: ignore[arg-type]
    assert [NAMES[type(event)] for event in ALL if wants(destination, event)] == names


def test_a_destination_gets_what_it_names() -> None:
    destination = Destination("x", "webhook", events=("translation", "completed"))
    found = [event for event in ALL if wants(destination, event)]
    assert found == [Translation("de", "Wort", 1), COMPLETED]


@pytest.mark.parametrize(
    ("kind", "form"),
    [("webhook", webhook_form), ("relay", relay_form), ("pipeline", pipeline_form)],
)
def test_what_a_kind_may_be_asked_for_is_what_it_has_a_form_for(
    kind: str, form: Callable[[Parcel], bytes | None]
) -> None:
    session = Session("sid", 0, "audio/pcm")
    destination = Destination("x", kind)  # type: ignore[arg-type]
    has_form = {
        NAMES[type(event)]: form(Parcel(session, "epoch", destination, 9, event)) is not None
        for event in ALL
        if type(event) in NAMES
    }
    assert {name for name, there in has_form.items() if there} == set(FORMS[kind])
    assert set(has_form) == set(EVENTS)


def test_what_may_be_asked_for_is_what_has_a_name() -> None:
    assert set(NAMES.values()) == set(EVENTS)


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (FINAL, "sid-final-1600"),
        (UTTERANCE, "sid-utterance-7"),
        (COMPLETED, "sid-completed"),
        (Status("paused"), "sid-epoch-9"),
        (Warned("c", "m"), "sid-epoch-9"),
        (Translation("de", "Wort", 1), "sid-epoch-9"),
        (Partial("so", (), 0, 160, 0.5, 0.5, 1, 0), "sid-partial-0-160"),
    ],
)
def test_an_id_follows_from_what_is_delivered(event: Event | Partial, expected: str) -> None:
    assert identity("sid", "epoch", 9, event) == expected
    assert "." not in expected
    parcel = Parcel(Session("sid", 1, "audio/pcm"), "epoch", Destination("x", "webhook"), 9, event)
    assert parcel.id == expected


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 1000)), max_size=20))
def test_finals_and_utterances_keep_their_ids_in_another_life(spans: list[tuple[int, int]]) -> None:
    ends = [0]
    finals = []
    for gap, length in spans:
        start = ends[-1] + gap
        ends.append(start + length)
        finals.append(FinalEvent("w", (), start, ends[-1], 0.5, 1, 1))
    before = [identity("sid", "one", 3 * n, final) for n, final in enumerate(finals)]
    after = [identity("sid", "two", 5 * n + 1, final) for n, final in enumerate(finals)]
    assert before == after
    assert all(one != other for one, other in pairwise(before))
    assert len(set(before)) == len(before)
