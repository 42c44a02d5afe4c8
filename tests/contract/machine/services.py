"""Rules of services: what transcribers commit, what aggregators close."""

from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contract.machine.aggregator import Look
from tests.contract.machine.bench import COMPLETED, SILENCE, WORKERS, cuts, some
from tests.contract.machine.clients import Clients
from tests.contract.machine.state import ENGINES
from tests.contract.machine.worker import Cut, Worker

from steno_common.keys import ShardKeys
from steno_common.store.work import Claim
from steno_common.store.workers import STALE_SECONDS, Report

STALE_MS: Final = round(STALE_SECONDS * 1000)


class Services(Clients):
    """Transcribers that own sessions, or think so; aggregators that know the newest, or not."""

    @rule(count=st.integers(1, 3))
    def claim(self, count: int, engine: str = ENGINES[0]) -> None:
        for claim in self.both("claim", ShardKeys(0), count, engine):
            self.check(claim.session_id)
            point = self.both("checkpoint", claim.session_id)
            if point is None:
                self.release_claim(claim)
            else:
                self.workers = [*self.workers[-WORKERS:], Worker.start(claim, point, engine)]

    @rule(which=some, cut=cuts, answered=st.booleans())
    def commit(self, which: int, cut: Cut, answered: bool) -> None:
        if self.workers:
            self.commit_by(self.workers[which % len(self.workers)], cut, answered=answered)

    def commit_by(self, worker: Worker, cut: Cut, *, answered: bool = True) -> None:
        sid = worker.claim.session_id
        self.read_by(worker)
        commit = worker.unanswered or worker.compose(cut, self.model.now)
        if commit is None:
            return
        worker.unanswered = commit
        done = self.both("commit", worker.claim, commit)
        self.check(sid)
        if answered and done:
            worker.adopt(commit)
        elif answered:
            self.workers = [other for other in self.workers if other is not worker]

    def read_by(self, worker: Worker) -> None:
        sid = worker.claim.session_id
        worker.entries += self.rig.do("read", {sid: worker.read_through}, 10).get(sid, [])

    @rule()
    def renew(self) -> None:
        lost = self.both("renew", [worker.claim for worker in self.workers])
        for sid in {worker.claim.session_id for worker in self.workers}:
            self.check(sid)
        assert lost <= set(self.promises)

    @rule(which=st.integers(0, 2), room=st.integers(0, 9), times=st.integers(1, 2),
          ms=st.sampled_from([0, 1, STALE_MS - 1, STALE_MS]))  # fmt: skip
    def beat(self, which: int, room: int, times: int, ms: int) -> None:
        for turn in range(times):
            name = f"worker {(which + turn) % 3}"
            self.both("beat", name, Report(room, 2 * room, strained=not room, lag=room * 0.37))
            self.pass_time(ms)

    @rule(which=st.integers(0, 2))
    def leave(self, which: int) -> None:
        self.both("leave", f"worker {which}")

    @rule(which=some)
    def release(self, which: int) -> None:
        if self.workers:
            self.release_claim(self.workers.pop(which % len(self.workers)).claim)

    def release_claim(self, claim: Claim) -> None:
        self.both("release", claim)
        self.check(claim.session_id)

    @rule(which=some)
    def look(self, which: int) -> None:
        sid = self.sid(which)
        window = self.both("window", sid)
        if window is None:
            self.touch("remove_abandoned", sid)
            self.looks.pop(sid, None)
        else:
            events = [numbered.event for numbered in self.rig.do("events", sid)]
            self.looks[sid] = Look(window, events, SILENCE)

    @rule(which=some, times=st.integers(1, 2))
    def close(self, which: int, times: int) -> None:
        if look := self.looks.get(self.sid(which)):
            for _ in range(times):
                self.touch("close", self.sid(which), look.window, *look.utterances())

    @rule(which=some)
    def complete(self, which: int) -> None:
        look = self.looks.get(self.sid(which))
        if look and look.over:
            self.touch("complete", self.sid(which), COMPLETED)

    @rule(which=some)
    def end_abandoned(self, which: int) -> None:
        self.touch("end_abandoned", self.sid(which))

    @rule(which=some)
    def postpone(self, which: int) -> None:
        self.touch("postpone", self.sid(which))

    @rule(which=some)
    def defer(self, which: int) -> None:
        self.touch("defer", self.sid(which), 100, 1000)

    @rule(which=some)
    def remove_abandoned(self, which: int) -> None:
        self.touch("remove_abandoned", self.sid(which))
