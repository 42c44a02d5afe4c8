"""The silence window parts a log into the same utterances, however it is looked at."""

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.aggregator.building import SILENCE, final, numbered, word

from steno_aggregator.domain.window import Verdict, judge, utterance
from steno_common.messages import Ended, Event, Final, Idle, Numbered, Status, Utterance, Warned
from steno_common.units import SAMPLE_RATE


def look(events: list[Event], heard: float = 0, open_from: int = 1) -> Verdict:
    position = round(heard * SAMPLE_RATE)
    return judge(numbered(events), open_from=open_from, silence=SILENCE, heard=position)


def groups(verdict: Verdict) -> list[list[int]]:
    return [[entry.number for entry in group] for group in verdict.closed]


def test_finals_less_than_the_silence_apart_stay_open_together() -> None:
    verdict = look([final(0, 1), final(3.999, 5)], heard=7.999)

    assert (groups(verdict), verdict.open_from, verdict.ended) == ([], 1, False)


def test_a_final_after_the_silence_closes_what_came_before_it() -> None:
    verdict = look([final(0, 1), final(1.5, 2), final(5, 6)])

    assert (groups(verdict), verdict.open_from) == ([[1, 2]], 3)


def test_silence_heard_up_to_the_window_closes_the_last_utterance() -> None:
    verdict = look([final(0, 1), final(2, 3)], heard=6)

    assert (groups(verdict), verdict.open_from) == ([[1, 2]], 0)


def test_an_idle_point_closes_what_came_before_it() -> None:
    verdict = look([final(0, 1), Idle(16_000), final(1.5, 2)])

    assert (groups(verdict), verdict.open_from) == ([[1]], 3)


def test_the_end_closes_everything_and_says_so() -> None:
    verdict = look([final(0, 1), Ended(32_000)])

    assert (groups(verdict), verdict.open_from, verdict.ended) == ([[1]], 0, True)


def test_an_idle_point_without_words_before_it_closes_nothing() -> None:
    verdict = look([Idle(0), Idle(16_000), Ended(16_000)])

    assert (groups(verdict), verdict.open_from, verdict.ended) == ([], 0, True)


def test_finals_of_closed_utterances_are_passed_over() -> None:
    events = [final(0, 1), Idle(16_000), final(1, 2), Ended(32_000)]

    assert groups(look(events, open_from=3)) == [[3]]
    assert groups(look(events, open_from=0)) == []
    assert look(events, open_from=0).ended


def test_other_events_do_not_part_an_utterance() -> None:
    verdict = look([final(0, 1), Status("paused"), Warned("latency", ""), final(1, 2)], heard=9)

    assert groups(verdict) == [[1, 4]]


def test_an_utterance_consolidates_its_finals() -> None:
    words = [word("three", 2, 2.2), word("more", 2.2, 2.5), word("words", 2.5, 3)]
    events: list[Event] = [final(0, 1, " One "), final(2, 3, "three more words", words)]
    (group,) = look([*events, Ended(0)]).closed

    assert utterance(4, group) == Utterance(
        index=4, text="One three more words", start=0, end=48_000, confidence=0.5,
        first_event=1, last_event=2, language="en",
    )  # fmt: skip


def test_confidence_weighs_every_word_alike() -> None:
    sure = Final("a", (word("a", 0, 1),), 0, 1, 1.0, sequence_number=1, commit=1)
    unsure = Final("b c d", tuple(word(t, 0, 1) for t in "bcd"), 1, 2, 0.2,
                   sequence_number=2, commit=2)  # fmt: skip
    (group,) = look([sure, unsure, Ended(2)]).closed

    assert utterance(0, group).confidence == 0.4


@dataclass
class SessionModel:
    """A session as the store holds it: what a transcriber commits, what aggregators close."""

    log: list[Numbered] = field(default_factory=list)
    open_from: int = 0
    heard: int = 0
    utterances: list[Utterance] = field(default_factory=list)

    def commit(self, event: Event, heard: int) -> None:
        self.log.append(Numbered(len(self.log) + 1, event))
        self.heard = heard
        if isinstance(event, Final) and not self.open_from:
            self.open_from = len(self.log)

    def look(self) -> tuple[int, int, list[Utterance], int]:
        """What an aggregator derives: the state it was derived from, what it wants to write."""
        verdict = judge(self.log, open_from=self.open_from, silence=SILENCE, heard=self.heard)
        new = [utterance(len(self.utterances) + n, group) for n, group in enumerate(verdict.closed)]
        return self.open_from, len(self.log), new, verdict.open_from

    def close(self, based_on: int, seen: int, new: list[Utterance], open_from: int) -> None:
        """The rule of close.lua."""
        if self.open_from != based_on or not new or (not open_from and seen != len(self.log)):
            return
        self.open_from = open_from
        self.utterances += new


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Event, int]]:
    """What a transcriber commits: each event with the position it has heard all before."""
    at, history = 0, []
    for _ in range(draw(st.integers(0, 12))):
        if draw(st.integers(0, 4)) == 0:
            history.append((Idle(at), at))
            continue
        start = at + draw(st.sampled_from([0, 1, SILENCE - 1, SILENCE, SILENCE + 1, 5 * SILENCE]))
        end = start + draw(st.integers(1, SILENCE))
        # A commit may come at once or after some silence, never beyond where the next one begins.
        event = final(0, 0)
        event = Final(f"w{start}", (), start, end, 0.5, sequence_number=1, commit=1)
        heard = end + draw(st.sampled_from([0, SILENCE // 2, SILENCE, 2 * SILENCE]))
        history.append((event, heard))
        at = draw(st.sampled_from([end, heard]))
        if at < heard:
            history[-1] = (event, at)
    return [*history, (Ended(at), at)]


def undisturbed(history: list[tuple[Event, int]]) -> list[Utterance]:
    model = SessionModel()
    for event, heard in history:
        model.commit(event, heard)
    model.close(*model.look())
    return model.utterances


@given(history=histories(), data=st.data())
def test_any_looks_by_two_aggregators_with_crashes_give_the_same_utterances(
    history: list[tuple[Event, int]], data: st.DataObject
) -> None:
    model = SessionModel()
    planned: dict[str, tuple[int, int, list[Utterance], int]] = {}
    steps = st.lists(st.sampled_from(["look a", "look b", "close a", "close b", "die a"]),
                     max_size=6)  # fmt: skip
    for event, heard in history:
        model.commit(event, heard)
        for step in data.draw(steps):
            action, who = step.split()
            if action == "look":
                planned[who] = model.look()
            elif action == "close" and who in planned:
                # Kept, so that it is repeated: as after a reply that was lost.
                model.close(*planned[who])
            elif action == "die":
                planned.pop(who, None)
    while model.look()[2]:
        model.close(*model.look())

    assert model.utterances == undisturbed(history)
    assert (model.open_from, model.look()[2]) == (0, [])


@given(history=histories())
def test_every_final_is_in_exactly_one_utterance(history: list[tuple[Event, int]]) -> None:
    finals = [n for n, (event, _) in enumerate(history, 1) if isinstance(event, Final)]
    log = numbered([event for event, _ in history])
    verdict = judge(log, open_from=1, silence=SILENCE, heard=0)

    assert [number for group in groups(verdict) for number in group] == finals


@given(history=histories())
def test_utterances_lie_at_least_the_silence_or_an_idle_point_apart(
    history: list[tuple[Event, int]],
) -> None:
    found = undisturbed(history)
    idles = {n for n, (event, _) in enumerate(history, 1) if isinstance(event, Idle)}
    for before, after in pairwise(found):
        parted_by_idle = any(before.last_event < idle < after.first_event for idle in idles)
        assert after.start - before.end >= SILENCE or parted_by_idle
