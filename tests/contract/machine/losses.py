"""Rules of a Redis that loses what it had, with clients that keep what is needed to go on."""

import copy
from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contract.machine.bench import FRESH, LIMITS, SESSIONS, cuts, kind_lists, some
from tests.contract.machine.machine import StoreMachine
from tests.contract.machine.model_saves import SavingModel
from tests.contract.machine.promises import Promises
from tests.contract.machine.worker import Cut

from steno_common.messages import Event, decode
from steno_common.saved import Saved
from steno_common.store.sessions import Outcome


@dataclass
class Kept:
    """What a client keeps of a session, with what the test knows of that moment."""

    saved: Saved
    log: list[Event]
    promises: Promises


class LossyMachine(StoreMachine):
    """Everybody at random on a Redis that loses a session, or falls back to what it was."""

    model: SavingModel

    def __init__(self) -> None:
        super().__init__()
        self.model = SavingModel(LIMITS, self.model.now)
        self.kept: dict[str, Kept] = {}
        self.lives = 0

    @rule(which=some, stale=some)
    def keep(self, which: int, stale: int = FRESH) -> None:
        sid = self.sid(which)
        log = self.kept[sid].log if sid in self.kept else []
        saved, news = self.saved_for(sid, stale, len(log))
        if saved is not None:
            self.kept[sid] = Kept(saved, [*log, *news], copy.deepcopy(self.promises[sid]))

    def saved_for(self, sid: str, stale: int, have: int) -> tuple[Saved | None, list[Event]]:
        """Ask as a client that has so many events; give the answer that both gave."""
        answer = self.rig.do("save", sid, self.conn(sid, stale), have)
        (outcome, saved), news = self.model.save(sid, self.conn(sid, stale), have)
        assert (answer.outcome, answer.saved) == (outcome, saved)
        # One event has several encodings: the scripts write a status themselves.
        assert [decode(payload) for payload in answer.payloads] == news
        self.check(sid)
        return saved, news

    @rule(which=some)
    def restore(self, which: int) -> None:
        sid = self.sid(which)
        kept = self.kept.get(sid)
        if kept is None:
            return
        self.lives += 1
        log = kept.log[: kept.saved.event]
        outcome = self.both("restore", kept.saved, log, f"epoch {self.lives}")
        if outcome is Outcome.DONE:
            self.promises[sid] = kept.promises.from_chunk(kept.saved)
            kept.promises = copy.deepcopy(self.promises[sid])
            self.looks.pop(sid, None)
        self.check(sid)

    def lost(self, sid: str) -> None:
        """Let Redis lose all of a session; afterwards its clock is not where it was."""
        self.rig.lose(sid)
        self.model.lose(sid)
        self.pass_time(LIMITS.lease_ms)

    @rule(which=some, cut=cuts, kinds=kind_lists, twice=st.booleans())
    def lose_and_restore(self, which: int, cut: Cut, kinds: list[str], twice: bool) -> None:
        sid = self.sid(which)
        self.burst(which, cut)
        self.mark(which, kinds[:1], 1)
        self.work_on(sid, cut)
        self.keep(which)
        self.work_on(sid, cut)
        self.lost(sid)
        if twice:
            self.restore(which)
            self.lost(sid)
        self.restore(which)
        self.work_on(sid, cut)
        self.go_on(which, cut)

    def go_on(self, which: int, cut: Cut) -> None:
        """Let a client attach, send, and everybody work on that."""
        self.attach(which)
        self.append_marked(which, ["idle"], cut)
        self.look(which)
        self.close(which, 2)

    @rule(which=some, cut=cuts, owner=st.sampled_from(["works", "is new", "is awaited"]),
          what=st.sampled_from(["commits", "states"]), regrown=st.booleans(),
          healed=st.booleans())  # fmt: skip
    def fall_back(
        self, which: int, cut: Cut, owner: str, what: str, regrown: bool, healed: bool
    ) -> None:
        """Fall back to an older prefix, as at a failover; owners still think they are."""
        sid = self.sid(which)
        self.burst(which, Cut(1, 0, 0, speech=True))
        self.change_owner(sid, owner)
        older = self.rig.copy(sid), copy.deepcopy(self.model.state(sid)), self.promises[sid]
        self.promises[sid] = copy.deepcopy(older[2])
        self.claim(SESSIONS)
        if what == "commits":
            self.work_on(sid, Cut(1, 0, 0, speech=True))
        else:
            self.reconnect(which, "paused")
        self.keep(which)
        self.pass_time(50)  # tokens of what is undone now are told from new ones by the clock
        self.rig.put_back(sid, older[0])
        self.model.states[sid], self.promises[sid] = older[1], older[2]
        self.looks.pop(sid, None)
        self.keep_nothing_of_another_life(sid, healed)
        if regrown:
            self.reconnect(which, "recording")
        if healed:
            self.restore(which)
        self.work_on(sid, cut)
        self.pass_time(LIMITS.lease_ms)
        self.claim(SESSIONS)
        self.work_on(sid, cut)

    @rule(which=some, cut=cuts)
    def lose_a_commit(self, which: int, cut: Cut) -> None:
        self.fall_back(which, cut, owner="works", what="commits", regrown=False, healed=False)

    def change_owner(self, sid: str, owner: str) -> None:
        """Let the owner of a session be one that works, is new, or is to come."""
        if owner == "is new":
            self.pass_time(LIMITS.lease_ms)
            self.claim(SESSIONS)
        if owner == "is awaited":
            for worker in [w for w in self.workers if w.claim.session_id == sid]:
                self.release_claim(worker.claim)

    def keep_nothing_of_another_life(self, sid: str, healed: bool) -> None:
        """Forget what a client keeps of events that will be others, unless it restores at once."""
        if sid not in self.kept:
            return
        log, events = self.kept[sid].log, self.model.state(sid).events
        if len(log) > len(events):
            self.saved_for(sid, FRESH, len(log))
        if not healed and log != events[: len(log)]:
            del self.kept[sid]

    @rule(which=some)
    def restore_what_was_removed(self, which: int) -> None:
        if which > 5:
            return
        self.keep(which)
        self.touch("remove", self.sid(which))
        self.restore(which)
