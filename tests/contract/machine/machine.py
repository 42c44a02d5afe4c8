"""Rules that put together what chance alone seldom does."""

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contract.machine.bench import FRESH, LIMITS, SESSIONS, cuts, kind_lists, some
from tests.contract.machine.services import Services
from tests.contract.machine.worker import Cut


class StoreMachine(Services):
    """Everybody at random on one Redis."""

    def work_on(self, sid: str, cut: Cut) -> None:
        """Let everybody who ever claimed a session commit."""
        for worker in [w for w in self.workers if w.claim.session_id == sid]:
            self.commit_by(worker, cut)

    @rule(which=some, kinds=kind_lists, cut=cuts)
    def append_marked(self, which: int, kinds: list[str], cut: Cut) -> None:
        self.append(which, 0, 1, FRESH)
        self.mark(which, kinds, 1)
        self.claim(SESSIONS)
        self.work_on(self.sid(which), Cut(1, 0, 0, cut.speech))
        self.work_on(self.sid(which), cut)

    @rule(count=st.integers(1, 3), ms=st.sampled_from([0, 1]))
    def claim_of_many(self, count: int, ms: int) -> None:
        for _ in range(2):
            for which in range(SESSIONS):
                self.append(which, 0, 1, FRESH)
                self.pass_time(ms)
        self.claim(count)

    @rule(which=some, how=st.sampled_from(["remove", "expire"]))
    def lose(self, which: int, how: str) -> None:
        sid = self.sid(which)
        if which > 5:
            return
        if which > 2:
            self.burst(which, Cut(1, 0, 0, speech=True))
        else:
            self.claim_of_many(SESSIONS, 0)
            for worker in self.workers:
                self.read_by(worker)
        if how == "remove":
            self.touch("remove", sid)
        else:
            self.rig.expire(sid)
            self.model.expire(sid)
        self.work_on(sid, Cut(1, 0, 0, speech=True))

    @rule(which=some, cut=cuts)
    def burst(self, which: int, cut: Cut) -> None:
        self.append(which, 0, 3, FRESH)
        self.claim(SESSIONS)
        self.work_on(self.sid(which), cut)

    @rule(which=some, cut=cuts, how=st.sampled_from(["commit", "lost reply", "release"]))
    def takeover(self, which: int, cut: Cut, how: str) -> None:
        sid = self.sid(which)
        self.burst(which, Cut(1, 0, 0, speech=True))
        old = next((w for w in self.workers if w.claim.session_id == sid), None)
        self.pass_time(LIMITS.lease_ms)
        if old and how != "release":
            self.commit_by(old, cut, answered=how == "commit")
        self.claim(SESSIONS)
        self.renew()
        if old and how == "release":
            self.release_claim(old.claim)
        self.work_on(sid, cut)

    @rule(which=some, cut=cuts, idle=st.booleans())
    def late_close(self, which: int, cut: Cut, idle: bool) -> None:
        self.burst(which, Cut(4, 0, 0, speech=True))
        if idle:
            self.append_marked(which, ["idle"], cut)
        self.look(which)
        self.burst(which, cut)
        self.close(which, 1)
        self.look(which)
        self.close(which, 2)

    @rule(which=some)
    def finish(self, which: int) -> None:
        sid = self.sid(which)
        self.mark(which, ["end"], which % 4)
        self.pass_time(LIMITS.lease_ms)
        self.claim(SESSIONS)
        for _ in self.model.state(sid).audio[:]:
            self.work_on(sid, Cut(4, 0, 2, speech=True))
        self.look(which)
        self.close(which, 1)
        self.look(which)
        self.complete(which)
        self.complete(which)
        self.postpone(which)

    @rule()
    def look_around(self) -> None:
        for sid in self.promises:
            self.check(sid)
