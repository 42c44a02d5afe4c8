"""What the scripts promise the transcriber, the aggregator, in plain Python."""

from collections.abc import Sequence

from tests.contract.machine.model_deliveries import Notifier
from tests.contract.machine.model_gateway import Book, Gateway
from tests.contract.machine.model_reads import Reader, order
from tests.contract.machine.state import State

from steno_common.keys import ShardKeys
from steno_common.messages import Completed, Final, Utterance
from steno_common.policy import Choice
from steno_common.store.windows import Window
from steno_common.store.work import Checkpoint, Claim, Commit, Committed
from steno_common.store.workers import STALE_SECONDS, Heard, Report
from steno_common.units import to_samples


class Transcriber(Book):
    """What a transcriber is promised."""

    def claim(self, shard: ShardKeys, count: int, engine: str = "") -> list[Claim]:
        mine = [sid for sid in self.states if self.shard(sid) == shard.shard]
        leases = [(lease, sid) for sid in mine if (lease := self.state(sid).lease) is not None]
        expired = sorted((lease, sid) for lease, sid in leases if lease <= self.now)
        for lease, sid in expired:
            if self.state(sid).choices:
                self.state(sid).lease = None
                self.join(sid, lease)
        free = [sid for _, sid in expired if not self.state(sid).choices]
        waits = [(since, 0, sid) for sid in mine
                 if (since := self.state(sid).waiting) is not None]  # fmt: skip
        line = [(self.state(sid).lines.get(engine, self.now + 1), 1, sid) for sid in mine]
        lined = [each for each in line if each[0] <= self.now]
        order = free + [sid for *_, sid in sorted(waits + lined)]
        return [self._own(sid) for sid in list(dict.fromkeys(order))[:count]]

    def _own(self, sid: str) -> Claim:
        state = self.state(sid)
        self.leave_lines(sid)
        state.lease = self.now + self.limits.lease_ms
        state.fence, state.tries = self.newer(state.fence), (state.tries or 0) + 1
        return Claim(sid, state.fence, state.tries)

    def checkpoint(self, sid: str) -> Checkpoint | None:
        state = self.state(sid)
        if not state.exists:
            return None
        return Checkpoint(self.configs[sid], state.commits, state.consumed, state.done,
                          state.offset, state.border, state.context, state.measured,
                          state.engine, state.choices)  # fmt: skip

    def owns(self, claim: Claim) -> bool:
        return self.state(claim.session_id).fence == claim.token

    def renew(self, claims: Sequence[Claim]) -> set[str]:
        for claim in filter(self.owns, claims):
            state = self.state(claim.session_id)
            if state.lease is not None:
                state.lease = self.now + self.limits.lease_ms
        return {claim.session_id for claim in claims if not self.owns(claim)}

    def release(self, claim: Claim, resting: str = "", rest_seconds: float = 0.0) -> None:
        state = self.state(claim.session_id)
        if not self.owns(claim):
            return
        if not state.exists:
            self.forget(claim.session_id)
            return
        state.lease = state.tries = None
        rests = Choice(resting, self.now + round(rest_seconds * 1000))
        state.choices = tuple(rests if c.engine == resting else c for c in state.choices)
        if state.audio:
            self.want_worker(claim.session_id, state.audio[0][3])

    def commit(self, claim: Claim, commit: Commit) -> Committed:
        state = self.state(claim.session_id)
        if not self.owns(claim) or not state.exists:
            return Committed.FENCED
        if commit.number <= state.commits:
            return Committed.REPEATED
        if commit.number > state.commits + 1:
            return Committed.FENCED
        carries = [entry[4] for entry in state.audio if entry[0] == f"{commit.done}-0"]
        state.carried = carries[0] if carries else state.carried
        state.audio = [entry for entry in state.audio
                       if order(entry[0]) > order(commit.consumed)]  # fmt: skip
        state.commits, state.consumed, state.done = commit.number, commit.consumed, commit.done
        state.offset, state.border, state.context = commit.offset, commit.border, commit.context
        state.heard, state.engine = commit.heard, commit.engine
        state.measured = commit.measured or state.measured
        state.transcribed += commit.speech
        state.silence += commit.silence
        self._record(state, commit)
        state.tries = None
        if not state.audio:
            self.leave_lines(claim.session_id)
        behind_marker = not commit.consumed.endswith("-0")
        over = not state.audio and behind_marker
        state.lease = None if over else self.now + self.limits.lease_ms
        self.ring(claim.session_id)
        return Committed.OK

    def _record(self, state: State, commit: Commit) -> None:
        window, due = to_samples(self.limits.silence_seconds), commit.closing
        state.events += commit.events
        if commit.events and isinstance(final := commit.events[0], Final):
            if not state.open_from:
                state.open_from = len(state.events) - len(commit.events) + 1
            elif final.start - state.last_end >= window:
                due = True
            state.last_end, state.finals = final.end, state.finals + 1
            if commit.arrival_ms:
                late, count = state.latencies
                state.latencies = [late + self.now - commit.arrival_ms, count + 1]
        silent = state.open_from and commit.heard - state.last_end >= window
        if due or silent:
            state.due = self.now


class Aggregator(Gateway):
    """What an aggregator is promised."""

    def window(self, sid: str) -> Window | None:
        state = self.state(sid)
        if not state.exists:
            return None
        late, count = state.latencies
        return Window(self.configs[sid], state.status, len(state.events), state.open_from,
                      state.utterances, state.finals, state.next - 1, state.received,
                      state.transcribed, state.silence, late // max(count, 1), state.heard,
                      state.ended, bool(state.finished))  # fmt: skip

    def close(self, sid: str, window: Window, utterances: Sequence[Utterance],
              open_from: int) -> bool:  # fmt: skip
        state = self.state(sid)
        if state.open_from != window.open_from:
            return False
        seen = len(state.events) == window.event
        if not utterances:
            state.due = None if seen else state.due
            return True
        if not open_from and not seen:
            return False
        state.events += utterances
        state.utterances, state.open_from = state.utterances + len(utterances), open_from
        self.ring(sid)
        return True

    def complete(self, sid: str, completed: Completed) -> bool:
        state = self.state(sid)
        if not state.exists or state.finished:
            return False
        if state.status != "error":
            self.set_status(sid, "completed")
        state.events.append(completed)
        state.finished = len(state.events)
        self.ring(sid)
        state.audio, state.carry, state.carried, state.context = [], b"", b"", ""
        self.forget(sid)
        return True

    def end_abandoned(self, sid: str) -> bool:
        return self.mark(sid, "", "end") == 1

    def postpone(self, sid: str) -> None:
        state = self.state(sid)
        if not state.exists:
            self.forget(sid)
        elif state.abandoned is not None:
            state.abandoned = self.now + self.limits.abandon_ms

    def defer(self, sid: str, first_ms: int, longest_ms: int) -> int:
        state = self.state(sid)
        if not state.exists:
            self.forget(sid)
            return 0
        pause = min(first_ms << state.deferrals, longest_ms)
        state.deferrals += 1
        state.due = None if state.due is None else self.now + pause
        return pause

    def remove_abandoned(self, sid: str) -> bool:
        state = self.state(sid)
        kept = state.abandoned is None or state.abandoned > self.now
        return False if state.exists and kept else self.forget_all(sid)


class Registry(Book):
    """What transcribers are promised of each other."""

    def beat(self, worker: str, report: Report) -> Heard:
        others = self._others(worker)
        self.beats = {**others, worker: (self.now, report)}
        return Heard(self.now, {name: said for name, (_, said) in others.items()})

    def leave(self, worker: str) -> None:
        self.beats = self._others(worker)

    def _others(self, worker: str) -> dict[str, tuple[int, Report]]:
        since = self.now - round(STALE_SECONDS * 1000)
        return {name: said for name, said in self.beats.items()
                if said[0] > since and name != worker}  # fmt: skip


class Model(Transcriber, Aggregator, Notifier, Registry, Reader):
    """What all services are promised."""
