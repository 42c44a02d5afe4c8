"""What holds of every session whatever happens, said of what was read back alone."""

from dataclasses import dataclass, field

from tests.contract.machine.state import AudioEntry, Seen, State

from steno_common.messages import (
    Completed,
    Ended,
    Event,
    Final,
    Idle,
    Translation,
    Utterance,
    Warned,
)
from steno_common.saved import Saved
from steno_common.units import SAMPLE_BYTES
from steno_common.utterances import join_text, parted

SPAN = "span"


def pcm(sequence: int) -> bytes:
    """Give the audio of a chunk: its number decides all of it."""
    return sequence.to_bytes(SAMPLE_BYTES, "little") * (
        2 + sequence * 5 % 12 + 30 * (sequence % 5 == 4)
    )


def span_event(token: int, number: int, start: int, end: int) -> Warned:
    """Give an event that says who committed what."""
    return Warned(SPAN, f"{token} {number} {start} {end}")


def groups(events: list[Event], silence: int) -> list[list[int]]:
    """Give the numbers of the finals of each utterance, in order."""
    found: list[list[int]] = []
    last: Final | None = None
    for number, event in enumerate(events, 1):
        if isinstance(event, Idle):
            last = None
        if isinstance(event, Final):
            if last is None or parted(last, event, silence):
                found.append([])
            found[-1].append(number)
            last = event
    return found


def closable(events: list[Event], open_from: int, heard: int, silence: int) -> list[list[int]]:
    """Give the utterances that nothing can add to any more."""
    if not open_from:
        return []
    found = [group for group in groups(events, silence) if group[0] >= open_from]
    final = events[found[-1][-1] - 1]
    assert isinstance(final, Final)
    over = any(isinstance(event, Idle | Ended) for event in events[found[-1][-1] :])
    return found if over or heard - final.end >= silence else found[:-1]


@dataclass
class Promises:
    """The history of one session as its Redis showed it."""

    silence: int
    last: State = field(default_factory=State)
    entries: dict[str, AudioEntry] = field(default_factory=dict)

    def check(self, seen: Seen) -> None:
        """Compare what is there now with all that was there before."""
        state = seen.state
        if state.exists:
            assert not seen.immortal
            assert seen.numbers == [f"{n}-0" for n in range(1, len(state.events) + 1)]
            self._chunks_are_stored_once_in_order(state)
            self._commits_follow_each_other(state)
            self._utterances_tile_the_finals(state)
            self._nothing_goes_back(state)
            self._nobody_is_forgotten(state)
        self.last = state

    def from_chunk(self, saved: Saved) -> "Promises":
        """Give the history of a session that goes on where its client has kept it."""
        kept = {name: entry for name, entry in self.entries.items()
                if _order(name) <= _order(saved.consumed)}  # fmt: skip
        return Promises(self.silence, State(), kept)

    def _chunks_are_stored_once_in_order(self, state: State) -> None:
        for entry in state.audio:
            # When it came and what its chunk left in the decoder is not part of the promise.
            known = self.entries.setdefault(entry[0], entry)
            assert known[:3] == entry[:3]
        assert list(self.entries) == sorted(self.entries, key=_order)
        chunks = [entry for entry in self.entries.values() if not entry[1]]
        assert [entry[2] for entry in chunks] == [pcm(n) for n in range(1, state.next)]
        samples = sum(len(entry[2]) // SAMPLE_BYTES for entry in self.entries.values())
        assert state.received == samples
        if not state.finished:
            left = [name for name in self.entries if _order(name) > _order(state.consumed)]
            assert [entry[0] for entry in state.audio] == left

    def _commits_follow_each_other(self, state: State) -> None:
        said = [event.message.split() for event in state.events
                if isinstance(event, Warned) and event.code == SPAN]  # fmt: skip
        spans = [tuple(map(int, words)) for words in said]
        assert [number for _, number, _, _ in spans] == list(range(1, len(spans) + 1))
        owners = [token for token, _, _, _ in spans]
        assert owners == sorted(owners)
        borders = [0, *(end for _, _, _, end in spans)]
        assert [start for _, _, start, _ in spans] == borders[:-1]
        assert state.border == borders[-1] == state.transcribed + state.silence

    def _utterances_tile_the_finals(self, state: State) -> None:
        closed = [event for event in state.events if isinstance(event, Utterance)]
        all_groups = groups(state.events, self.silence)
        assert [(u.index, u.first_event, u.last_event, u.text) for u in closed] == [
            (index, group[0], group[-1], _text(state.events, group))
            for index, group in enumerate(all_groups[: len(closed)])
        ]
        still_open = all_groups[len(closed) :]
        assert state.open_from == (still_open[0][0] if still_open else 0)

    def _nothing_goes_back(self, state: State) -> None:
        was = self.last
        assert state.conn >= was.conn
        assert state.next >= was.next
        assert state.commits >= was.commits
        assert state.border >= was.border
        assert state.done >= was.done
        assert state.heard >= was.heard
        assert _order(state.consumed) >= _order(was.consumed)
        assert state.events[: len(was.events)] == was.events
        assert was.status not in {"completed"} or state.status == was.status

    def _nobody_is_forgotten(self, state: State) -> None:
        if state.finished:
            assert not state.indexed
            assert not state.audio
            last, *after = state.events[state.finished - 1 :]
            assert isinstance(last, Completed)
            assert all(isinstance(event, Translation) for event in after)
            assert state.received == state.transcribed + state.silence
            return
        assert not state.audio or {state.waiting, state.lined, state.lease} != {None}
        if state.lined is not None:
            assert state.lines.keys() == {choice.engine for choice in state.choices}
        due = closable(state.events, state.open_from, state.heard, self.silence)
        assert not due or state.due is not None


def _order(entry_id: str) -> tuple[int, ...]:
    return tuple(map(int, entry_id.split("-")))


def _text(events: list[Event], group: list[int]) -> str:
    return join_text(e.text for e in (events[number - 1] for number in group)
                     if isinstance(e, Final))  # fmt: skip
