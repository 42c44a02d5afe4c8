"""Rules of sessions that only certain engines may take, beside those that any may."""

from typing import ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contract.machine.bench import FRESH, LIMITS, SESSIONS, cuts, some
from tests.contract.machine.losses import LossyMachine
from tests.contract.machine.state import ENGINES
from tests.contract.machine.worker import Cut

GRACE_MS = LIMITS.engine_grace_ms
engines = st.sampled_from(ENGINES)


class ChoosyMachine(LossyMachine):
    """Everybody at random; transcribers of three engines, some of which fail for a session."""

    policies: ClassVar[tuple[tuple[str, ...], ...]] = (("a", "b"), (), ("b", "c", "a"))

    @rule(count=st.integers(1, 3), engine=engines)
    def claim_by(self, count: int, engine: str) -> None:
        self.claim(count, engine)

    @rule(ms=st.sampled_from([1, GRACE_MS - 1, GRACE_MS]))
    def pass_grace(self, ms: int) -> None:
        self.pass_time(ms)

    @rule(which=some, engine=engines, seconds=st.sampled_from([0.0, 1.0, 5.0]))
    def refuse(self, which: int, engine: str, seconds: float) -> None:
        if self.workers:
            claim = self.workers.pop(which % len(self.workers)).claim
            self.both("release", claim, engine, seconds)
            self.check(claim.session_id)

    @rule(which=some, cut=cuts, first=engines, then=engines,
          ms=st.sampled_from([0, GRACE_MS - 1, GRACE_MS, 2 * GRACE_MS]), more=st.booleans(),
          how=st.sampled_from(["dies", "fails", "gives up", "commits and gives up"]))  # fmt: skip
    def change_engine(
        self, which: int, cut: Cut, first: str, then: str, ms: int, more: bool, how: str
    ) -> None:
        sid = self.sid(which)
        self.append(which, 0, 3, FRESH)
        self.claim(SESSIONS, first)
        if how == "commits and gives up":
            self.work_on(sid, cut)
        owners = [w for w in self.workers if w.claim.session_id == sid]
        if how == "dies":
            self.pass_time(LIMITS.lease_ms)
            self.claim(1, then)
        for worker in owners if how != "dies" else ():
            self.both("release", worker.claim, first if how == "fails" else "", 5.0)
            self.check(sid)
        if more:
            self.append(which, 0, 1, FRESH)
        self.pass_time(ms)
        self.poll(which, 0)
        self.claim(SESSIONS, then)
        self.work_on(sid, cut)
