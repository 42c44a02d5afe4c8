"""What the scripts promise the gateway, in plain Python.

A method has the name and the arguments of the store's, and gives what the store must give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.contract.machine.state import State

from steno_common.keys import KeySpace
from steno_common.letters import Letter
from steno_common.messages import Session, Status
from steno_common.policy import Choice
from steno_common.store.limits import Limits
from steno_common.store.sessions import (
    NO_FIGURES,
    NOTHING_HANDED,
    Appended,
    Attached,
    Chunk,
    Marker,
    Outcome,
    Polled,
)
from steno_common.store.workers import Report
from steno_common.units import SAMPLE_BYTES, to_samples


@dataclass
class Book:
    """Sessions of all shards under a clock that only the test moves."""

    limits: Limits
    now: int = 1_000_000
    states: dict[str, State] = field(default_factory=dict)
    configs: dict[str, Session] = field(default_factory=dict)
    rings: dict[int, int] = field(default_factory=dict)
    beats: dict[str, tuple[int, Report]] = field(default_factory=dict)
    """When each transcriber spoke last, what it said."""
    letters: list[Letter] = field(default_factory=list)
    """Dead letters, in their order."""
    dropped: int = 0
    """Of these, those that had no room."""

    def state(self, sid: str) -> State:
        return self.states.setdefault(sid, State())

    def shard(self, sid: str) -> int:
        return KeySpace(self.limits.shards).session(sid).shard

    def ring(self, sid: str) -> None:
        shard = self.shard(sid)
        self.rings[shard] = self.rings.get(shard, 0) + 1
        if (state := self.state(sid)).exists:
            for destination in self.configs[sid].destinations:
                state.places.setdefault(destination.name, self.now)

    def set_status(self, sid: str, status: str) -> None:
        self.state(sid).status = status
        self.state(sid).events.append(Status(status))

    def newer(self, token: int | None) -> int:
        return max((token or 0) + 1, self.now)

    def want_worker(self, sid: str, since: int | None = None) -> None:
        state = self.state(sid)
        if state.lease is None and self.join(sid, self.now if since is None else since,
                                             state.engine):  # fmt: skip
            self.wake(sid)

    def join(self, sid: str, since: int, before: str = "") -> bool:
        """Let a session wait, with the engine that it was with before the others."""
        state = self.state(sid)
        if (state.lined if state.choices else state.waiting) is not None:
            return False
        if not state.choices:
            state.waiting = since
            return True
        state.lined = since
        resting = {c.engine: c.rests_until_ms for c in state.choices if c.rests_until_ms > self.now}
        awake = [c.engine for c in state.choices if c.engine not in resting]
        awake.sort(key=lambda engine: engine != before)
        later = {e: self.now + n * self.limits.engine_grace_ms for n, e in enumerate(awake)}
        state.lines = later | resting
        if awake:
            state.lines[awake[0]] = since
        return True

    def leave_lines(self, sid: str) -> None:
        state = self.state(sid)
        state.waiting = state.lined = None
        state.lines = {}

    def wake(self, sid: str) -> None:
        """A session begins to wait: whoever listens hears of it."""

    def forget(self, sid: str) -> None:
        state = self.state(sid)
        self.leave_lines(sid)
        state.lease = state.fence = state.tries = state.due = state.abandoned = None
        state.choices = ()

    def expire(self, sid: str) -> None:
        """Let the keys of a session go while the indexes still name it."""
        old, new = self.state(sid), State()
        new.waiting, new.lease, new.fence, new.tries = old.waiting, old.lease, old.fence, old.tries
        new.due, new.abandoned, new.removed = old.due, old.abandoned, old.removed
        new.places = old.places
        new.lined, new.lines, new.choices = old.lined, old.lines, old.choices
        self.states[sid] = new


class Gateway(Book):
    """What the gateway is promised."""

    def create(self, session: Session, epoch: str) -> None:
        sid = session.session_id
        if self.state(sid).exists:
            return
        connect_by = self.now + round(self.limits.connect_seconds * 1000)
        self.configs[sid] = session
        self.states[sid] = State(exists=True, status="connecting", epoch=epoch, next=1,
                                 seen=self.now, abandoned=connect_by,
                                 choices=tuple(map(Choice, session.engines)))  # fmt: skip

    def attach(self, sid: str) -> Attached | None:
        state = self.state(sid)
        if not state.exists:
            return None
        state.conn += 1
        state.connections += 1
        if state.status == "connecting":
            self.set_status(sid, "connected")
            self.ring(sid)
        elif state.status == "reconnecting":
            self.set_status(sid, state.before)
            self.ring(sid)
        if state.abandoned is not None:
            state.seen, state.abandoned = self.now, self.now + self.limits.abandon_ms
        return Attached(state.conn, self.configs[sid], state.status, state.epoch, state.next,
                        state.done, len(state.events), state.received, state.backlog,
                        state.carry, state.connections, state.finished)  # fmt: skip

    def append(self, sid: str, conn: int, chunks: Sequence[Chunk]) -> list[Appended]:
        state, answers = self.state(sid), []
        for chunk in chunks:
            outcome = self._append(sid, conn, chunk)
            facts = (state.next, state.done, state.backlog) if state.exists else (0, 0, 0)
            answers.append(Appended(outcome, *facts))
        return answers

    def _append(self, sid: str, conn: int, chunk: Chunk) -> Outcome:
        state, samples = self.state(sid), len(chunk.pcm) // SAMPLE_BYTES
        if not state.exists:
            return Outcome.MISSING
        full = state.backlog + samples > to_samples(self.limits.backlog_seconds)
        refusals = {
            Outcome.SUPERSEDED: conn != state.conn,
            Outcome.NOTHING: chunk.sequence < state.next,
            Outcome.ENDED: state.ended,
            Outcome.GAP: chunk.sequence > state.next,
            Outcome.FULL: state.backlog > 0 and full,
        }
        outcome = next((refusal for refusal, holds in refusals.items() if holds), Outcome.DONE)
        if outcome is not Outcome.DONE:
            return outcome
        state.audio.append((f"{chunk.sequence}-0", "", chunk.pcm, self.now, chunk.carry))
        state.next, state.received = chunk.sequence + 1, state.received + samples
        state.carry, state.seen = chunk.carry, self.now
        self.want_worker(sid)
        return Outcome.DONE

    def mark(self, sid: str, conn: int | str, kind: Marker, *, behind: int | None = None,
             tail: bytes = b"", status: str = "finalizing") -> Outcome:  # fmt: skip
        state = self.state(sid)
        if not state.exists:
            return Outcome.MISSING
        if state.ended or (conn == "" and (state.abandoned or 0) > self.now):
            return Outcome.NOTHING
        if conn not in {"", state.conn}:
            return Outcome.SUPERSEDED
        if behind is not None and behind != state.next - 1:
            return Outcome.GAP if behind >= state.next else Outcome.NOTHING
        place = self._place(state, kind)
        if place is None:
            return Outcome.NOTHING
        state.audio.append((f"{place[0]}-{place[1]}", kind, tail, self.now, b""))
        state.last_marker = (*place, kind)
        state.received += len(tail) // SAMPLE_BYTES
        if kind == "end":
            state.ended = True
            self.set_status(sid, status)
            self.ring(sid)
        self.want_worker(sid)
        return Outcome.DONE

    @staticmethod
    def _place(state: State, kind: Marker) -> tuple[int, int] | None:
        sequence = state.next - 1
        if state.last_marker and state.last_marker[0] == sequence:
            _, n, last = state.last_marker
            said = kind == last or (kind == "finalize" and last == "idle")
            return None if said else (sequence, n + 1)
        return (sequence, 1) if sequence or kind == "end" else None

    def transition(self, sid: str, conn: int, to: str, allowed: Sequence[str],
                   *, handed: int = 0) -> Outcome:  # fmt: skip
        state = self.state(sid)
        if not state.exists:
            return Outcome.MISSING
        if conn != state.conn:
            return Outcome.SUPERSEDED
        if state.status not in allowed:
            return Outcome.NOTHING
        if to == "reconnecting":
            state.before = state.status
        state.handed = max(state.handed, handed)
        self.set_status(sid, to)
        self.ring(sid)
        return Outcome.DONE

    def poll(self, held: Sequence[tuple[str, int]],
             figures: Mapping[tuple[str, int], bytes] = NO_FIGURES,
             handed: Mapping[tuple[str, int], int] = NOTHING_HANDED) -> list[Polled]:  # fmt: skip
        return [
            self._poll(sid, conn, figures.get((sid, conn), b""), handed.get((sid, conn), 0))
            for sid, conn in held
        ]

    def _poll(self, sid: str, conn: int, figures: bytes, handed: int) -> Polled:
        state = self.state(sid)
        if not state.exists:
            return Polled(Outcome.MISSING, 0, 0, 0, "", "")
        waits = state.waiting is not None or state.lined is not None
        unclaimed = waits or (state.lease is not None and state.lease <= self.now)
        facts = (len(state.events), state.done, state.backlog, state.status, state.epoch,
                 unclaimed)  # fmt: skip
        if conn != state.conn:
            return Polled(Outcome.SUPERSEDED, *facts)
        if state.abandoned is not None:
            state.seen, state.abandoned = self.now, self.now + self.limits.abandon_ms
            state.figures = figures or state.figures
            state.handed = max(state.handed, handed)
        return Polled(Outcome.DONE, *facts)

    def remove(self, sid: str) -> bool:
        existed = self.forget_all(sid)
        self.state(sid).removed = True
        return existed

    def forget_all(self, sid: str) -> bool:
        old = self.state(sid)
        existed = old.exists
        # Of one that has expired nobody knows any more where it was to be delivered.
        places = {} if existed else old.places
        self.states[sid] = State(removed=old.removed, places=places)
        self.ring(sid)
        return existed
