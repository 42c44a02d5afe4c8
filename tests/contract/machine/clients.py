"""Rules of clients: sessions, chunks, markers, connections."""

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from tests.contract.machine.bench import (
    DESTINATIONS,
    FRESH,
    LIMITS,
    SILENCE,
    Bench,
    kind_lists,
    some,
)
from tests.contract.machine.promises import Promises, pcm

from steno_common.messages import Session
from steno_common.store.sessions import Chunk

numbers = st.integers(0, 3)


class Clients(Bench):
    """Clients, right or late, through any gateway."""

    @initialize()
    def begin(self) -> None:
        for which in range(2):
            self.create(again=False)
            self.attach(which)

    @rule(again=st.booleans())
    def create(self, again: bool) -> None:
        number = len(self.promises) - again
        sid, engines = f"session-{number}", self.policies[number % len(self.policies)]
        self.promises.setdefault(sid, Promises(SILENCE))
        # A session that is gone never comes back under its id.
        if not again or self.model.state(sid).exists:
            session = Session(sid, 1, "audio/pcm", engines=engines, destinations=DESTINATIONS)
            self.both("create", session, "epoch")
            self.check(sid)

    @rule(which=some)
    def attach(self, which: int) -> None:
        self.touch("attach", self.sid(which))

    @rule(which=some, back=st.integers(-2, 3), count=st.integers(1, 4), stale=some)
    def append(self, which: int, back: int, count: int, stale: int) -> None:
        sid = self.sid(which)
        first = max(1, self.model.state(sid).next - back)
        chunks = [Chunk(n, pcm(n), f"carry {n}".encode()) for n in range(first, first + count)]
        self.touch("append", sid, self.conn(sid, stale), chunks)

    @rule(which=some, kinds=kind_lists, tail=st.integers(0, 3), stale=some,
          late=st.sampled_from([0, 0, 0, 1, -1]))  # fmt: skip
    def mark(
        self, which: int, kinds: list[str], tail: int, stale: int = FRESH, late: int = 0
    ) -> None:
        sid = self.sid(which)
        status = "error" if tail == 3 else "finalizing"
        behind = max(0, self.model.state(sid).next - 1 - late)
        for kind in kinds:
            conn = self.conn(sid, stale)
            audio = pcm(tail) if kind == "end" and tail else b""
            self.touch("mark", sid, conn, kind, behind=behind, tail=audio, status=status)

    @rule(which=some, kind=st.sampled_from(["finalize", "end"]))
    def mark_behind_what_is_lost(self, which: int, kind: str) -> None:
        self.append(which, 0, 1, FRESH)
        self.mark(which, [kind], 0, late=-1)

    @rule(which=some)
    def remove_what_waits(self, which: int) -> None:
        self.append(which, 0, 1, FRESH)
        self.touch("remove", self.sid(which))

    @rule(which=some, to=st.sampled_from(["recording", "paused", "reconnecting", "error"]),
          stale=some, handed=numbers)  # fmt: skip
    def transition(self, which: int, to: str, stale: int = FRESH, handed: int = 0) -> None:
        sid = self.sid(which)
        live = ["connected", "recording", "paused"]
        self.touch("transition", sid, self.conn(sid, stale), to, live, handed=handed)

    @rule(which=some, state=st.sampled_from(["recording", "paused"]))
    def reconnect(self, which: int, state: str) -> None:
        self.transition(which, state)
        self.transition(which, "reconnecting")
        self.attach(which)

    @rule(which=some, measured=st.integers(0, 3), handed=numbers)
    def poll(self, which: int, measured: int, handed: int = 0) -> None:
        sid = self.sid(which)
        held = [(sid, self.conn(sid, stale)) for stale in (0, FRESH)]
        figures = {each: b"%d of %d" % (measured, each[1]) for each in held if measured}
        self.both("poll", held, figures, dict.fromkeys(held, handed))
        self.check(sid)
        self.both("poll", held, {})
        self.check(sid)

    @rule(ms=st.sampled_from([1, 50, LIMITS.lease_ms, LIMITS.abandon_ms]))
    def pass_time(self, ms: int) -> None:
        self.model.now += ms
        self.rig.set_clock(self.model.now)
