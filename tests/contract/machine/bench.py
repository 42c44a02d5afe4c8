"""What all rules stand on: one Redis beside the model of it."""

from functools import partial
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine
from tests.contract.machine.aggregator import Look
from tests.contract.machine.model import Model
from tests.contract.machine.promises import Promises
from tests.contract.machine.rig import Rig
from tests.contract.machine.worker import Cut, Worker

from steno_common.messages import Completed, Destination, Statistics
from steno_common.store.limits import Limits
from steno_common.units import SAMPLE_RATE, to_samples

LIMITS: Final = Limits(shards=1, silence_seconds=8 / SAMPLE_RATE, backlog_seconds=40 / SAMPLE_RATE)
SILENCE: Final = to_samples(LIMITS.silence_seconds)
START_MS: Final = 1_000_000
SESSIONS: Final = 3
"""Older ones are left alone."""

WORKERS: Final = 6
"""Who claimed longer ago has crashed."""

FRESH: Final = 11
"""The draw of somebody who knows the newest connection."""

DESTINATIONS: Final = (Destination("a", "webhook"), Destination("b", "webhook"))
COMPLETED: Final = Completed("", Statistics(0, 0, 0, 0, 0, 0, 0), ())

some = st.integers(0, 11)
cuts = st.builds(Cut, st.integers(1, 4), st.integers(0, 3), st.sampled_from([0, 8, 20]),
                 st.booleans())  # fmt: skip
kinds = st.sampled_from(["finalize", "finalize", "idle", "idle", "end"])
kind_lists = st.lists(kinds, min_size=1, max_size=3)


class Bench(RuleBasedStateMachine):
    """Every call goes to Redis, then to the model: answers, states must be equal."""

    rig: ClassVar[Rig]
    policies: ClassVar[tuple[tuple[str, ...], ...]] = ((),)
    """Of the sessions, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(LIMITS, START_MS)
        self.promises: dict[str, Promises] = {}
        self.workers: list[Worker] = []
        self.looks: dict[str, Look] = {}
        self.rig.reset(START_MS)

    def both(self, name: str, *args: Any, **named: Any) -> Any:
        """Call the store beside the model; give the answer that both gave."""
        call = getattr(self.rig, name, None) or partial(self.rig.do, name)
        answer = call(*args, **named)
        assert answer == getattr(self.model, name)(*args, **named)
        return answer

    def touch(self, name: str, sid: str, *args: Any, **named: Any) -> Any:
        """Call with a session, then look at it."""
        answer = self.both(name, sid, *args, **named)
        self.check(sid)
        return answer

    def check(self, sid: str) -> None:
        """Compare all of a session."""
        seen = self.rig.look(sid)
        self.promises[sid].check(seen)
        assert seen.state == self.model.state(sid)
        assert seen.rings == self.model.rings.get(self.model.shard(sid), 0)

    def sid(self, choice: int) -> str:
        """Choose one of the newest sessions."""
        newest = list(self.promises)[-SESSIONS:]
        return newest[choice % len(newest)]

    def conn(self, sid: str, stale: int) -> int:
        """Give the connection that holds a session; at times the one before it."""
        return self.model.state(sid).conn - (stale < 3)


def machine_on(rig: Rig, who: type[Bench]) -> type[Bench]:
    """Give a machine for one Redis."""
    return type(who.__name__, (who,), {"rig": rig})
