"""A transcriber without recognition: what it commits follows from the draws of a test."""

from dataclasses import dataclass, field
from typing import Any

from tests.contract.machine.promises import span_event

from steno_common.messages import Ended, Event, Final, Idle
from steno_common.store.work import Checkpoint, Claim, Commit, Entry
from steno_common.units import SAMPLE_BYTES


@dataclass(frozen=True)
class Cut:
    """How the next span is cut: entries to take, samples beyond them, samples without speech."""

    take: int
    beyond: int
    quiet: int
    speech: bool


@dataclass
class Worker:
    """One claim with its owner's knowledge of the session, right or stale."""

    claim: Claim
    commits: int
    consumed: str
    offset: int
    border: int
    done: int
    engine: str
    entries: list[Entry] = field(default_factory=list)
    """Read, not committed."""
    unanswered: Commit | None = None
    """Sent, but the reply was lost: nothing else may be sent before it is repeated."""

    @classmethod
    def start(cls, claim: Claim, point: Checkpoint, engine: str = "") -> "Worker":
        """Go on where the session's checkpoint says."""
        return cls(claim, point.commits, point.consumed, point.offset, point.border, point.done,
                   engine)  # fmt: skip

    def adopt(self, commit: Commit) -> None:
        """Take over what is committed."""
        self.entries = self.entries[[e.entry_id for e in self.entries].index(commit.consumed) + 1 :]
        self.commits, self.consumed, self.done = commit.number, commit.consumed, commit.done
        self.offset, self.border, self.unanswered = commit.offset, commit.border, None

    @property
    def read_through(self) -> str:
        """Id of the last entry that is read."""
        return self.entries[-1].entry_id if self.entries else self.consumed

    def compose(self, cut: Cut, now: int) -> Commit | None:
        """Cut the next span from what is read; None if there is nothing."""
        taken = self.entries[: cut.take]
        marker = next((n for n, entry in enumerate(taken, 1) if entry.marker), None)
        taken = taken[:marker]
        if not taken:
            return None
        offset = self.offset + sum(_samples(entry) for entry in taken)
        following = self.entries[len(taken) : len(taken) + 1]
        beyond = 0 if marker else sum(min(cut.beyond, _samples(entry)) for entry in following)
        border = max(self.border, offset + beyond)
        length = border - self.border
        speech = length - min(cut.quiet, length) if cut.speech else 0
        events = self._events(taken[-1], border, speech)
        return Commit(
            number=self.commits + 1, consumed=taken[-1].entry_id, done=taken[-1].sequence,
            offset=offset, border=border, context=str(border), heard=border, speech=speech,
            silence=length - speech, events=events, closing=bool(taken[-1].marker in _CLOSING),
            arrival_ms=now - 7, measured=b"" if border % 3 == 0 else b"at %d" % border,
            engine=self.engine,
        )  # fmt: skip

    def _events(self, last: Entry, border: int, speech: int) -> list[Event]:
        number = self.commits + 1
        said: Any = {"text": f"w{number}", "words": (), "confidence": 1.0, "commit": number}
        span = span_event(self.claim.token, number, self.border, border)
        final = Final(start=border - speech, end=border, sequence_number=last.sequence, **said)
        marked: dict[str, list[Event]] = {"idle": [Idle(border)], "end": [Ended(border)]}
        return [*([final] if speech else []), span, *marked.get(last.marker, [])]


_CLOSING = {"idle", "end"}


def _samples(entry: Entry) -> int:
    return len(entry.pcm) // SAMPLE_BYTES
