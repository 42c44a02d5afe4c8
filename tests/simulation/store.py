"""The store of a simulation: the proven model behind the interfaces of the typed stores."""

import asyncio
import inspect
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from tests.contract.machine.model_reads import order
from tests.contract.machine.model_saves import SavingModel
from tests.contract.machine.state import AudioEntry
from tests.simulation.chaos import LATE_SECONDS, Chaos
from tests.simulation.processes import WORLD, Process
from tests.simulation.pubsub import Channels, SimPubSub
from tests.simulation.trace import Trace

from steno_common.errors import StoreUnavailableError
from steno_common.keys import WAKE_CHANNEL, KeySpace
from steno_common.messages import Partial, encode
from steno_common.store.addresses import parse
from steno_common.store.atlas import Atlas
from steno_common.store.base import Part
from steno_common.store.discovery import discovery
from steno_common.store.doorbell import DoorbellStore, Ring
from steno_common.store.limits import Limits
from steno_common.store.link import ANSWER_SECONDS
from steno_common.store.saves import Save, SaveStore
from steno_common.store.sessions import SessionStore
from steno_common.store.windows import WindowStore
from steno_common.store.work import WorkStore
from steno_common.store.workers import WorkerStore

START_MS: Final = 1_700_000_000_000
"""What the clock of the store says when a simulation begins."""


class LiveModel(SavingModel):
    """The model with its doorbells."""

    def __init__(self, limits: Limits, ring: Callable[[str], None], wake: Callable[[str], None]):
        super().__init__(limits, START_MS)
        self._ring, self._wake = ring, wake

    def ring(self, sid: str) -> None:
        super().ring(sid)
        self._ring(sid)

    def wake(self, sid: str) -> None:
        self._wake(sid)


class Server:
    """The store as a server: it may be slow, stand still, lose calls or their answers."""

    def __init__(self, loop: asyncio.AbstractEventLoop, limits: Limits, chaos: Chaos, trace: Trace):
        self.model = LiveModel(limits, partial(self._ring, payload=b""), self._wake)
        self.channels = Channels(loop, chaos)
        self.frozen_until = 0.0
        self.full_until = 0.0
        """Until then it says that little of its memory is left."""
        self.ahead_ms = 0
        """How far its clock has jumped."""
        self.stored: dict[str, list[AudioEntry]] = {}
        """All entries of each session's audio that there ever were."""
        self.bells: deque[Ring] = deque(maxlen=10_000)
        """For the notifiers."""
        self._rung = asyncio.Event()
        self._loop, self._chaos, self._trace = loop, chaos, trace

    def submit(
        self, who: Process, name: str, args: Sequence[Any], named: dict[str, Any]
    ) -> asyncio.Future[Any]:
        """Take a call; what becomes of it decides the chaos."""
        reply = self._loop.create_future()
        fate = self._chaos.fate(self._loop.time())
        there, back = self._chaos.delay(), self._chaos.delay()
        if fate == "late":
            there += self._chaos.draw.uniform(*LATE_SECONDS)
        if fate == "reply lost" and self._chaos.draw.random() < 0.5:
            back = 10 * ANSWER_SECONDS  # no answer, no failure either

        def arrive() -> None:
            wait = self.frozen_until - self._loop.time()
            if wait > 0:
                self._loop.call_later(wait, arrive, context=WORLD)
                return
            call = args
            if fate == "reply lost" and name == "append":
                # What is sent together is still a row of calls, any of which may be the last.
                call = (*args[:2], args[2][: self._chaos.draw.randint(0, len(args[2]))])
            answer = None if fate == "refused" else self.execute(name, *call, **named)
            self._trace(who, f"store {name} {fate}", _brief(args), _brief([answer]))
            self._loop.call_later(back, answered, answer, context=WORLD)

        def answered(answer: Any) -> None:
            if reply.done():
                return
            if fate in ("well", "late"):
                reply.set_result(answer)
            else:
                reply.set_exception(StoreUnavailableError(f"simulated: {fate}"))

        self._loop.call_later(there, arrive, context=WORLD)
        return reply

    def execute(self, name: str, *args: Any, **named: Any) -> Any:
        """Do what a call says, now."""
        self.model.now = self.now_ms()
        answer = getattr(self, f"_{name}", None) or getattr(self.model, name)
        answer = answer(*args, **named)
        if name in {"append", "mark", "end_abandoned"}:
            held = self.stored.setdefault(args[0], [])
            last = order(held[-1][0]) if held else (0, 0)
            held += [e for e in self.model.state(args[0]).audio if order(e[0]) > last]
        return answer

    def now_ms(self) -> int:
        """Give the time of the store."""
        return START_MS + self.ahead_ms + round(self._loop.time() * 1000)

    async def next_bells(self, seconds: float) -> list[Ring]:
        """Wait for bells; each is given out once."""
        try:
            async with asyncio.timeout(seconds):
                while not self.bells or self.frozen_until > self._loop.time():
                    self._rung.clear()
                    await self._rung.wait()
        except TimeoutError:
            return []
        found = list(self.bells)
        self.bells.clear()
        return found

    def _ring(self, sid: str, payload: bytes) -> None:
        self.bells.append((sid, payload))
        self._rung.set()

    def _nothing(self) -> None:
        """Only answer."""

    def _save(self, sid: str, conn: int, have: int) -> Save:
        (outcome, saved), events = self.model.save(sid, conn, have)
        return Save(outcome, saved, tuple(map(encode, events)))

    def _memory(self) -> list[float]:
        return [0.95 if self._loop.time() < self.full_until else 0.1]

    def _wake(self, sid: str) -> None:
        self.channels.publish(WAKE_CHANNEL, sid.encode())

    def _publish_partial(self, sid: str, partial: Partial) -> None:
        self._ring(sid, encode(partial))

    def _publish_rings(self, rings: Sequence[Ring]) -> int:
        space = KeySpace(self.model.limits.shards)
        return sum(self.channels.publish(space.session(sid).live, data) for sid, data in rings)


class SimLink:
    """One process's connection to the store, which holds all shards, always."""

    def __init__(self, server: Server, owner: Process) -> None:
        self.server = server
        self.owner = owner
        self.atlas = Atlas(discovery(parse("redis://simulated")), 0, ANSWER_SECONDS)

    async def call(self, name: str, *args: Any, **named: Any) -> Any:
        """Call the store within the time that the real link gives it."""
        self.owner.check()
        reply = self.server.submit(self.owner, name, args, named)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await reply
        except TimeoutError as error:
            raise StoreUnavailableError("simulated: no answer") from error

    async def memory(self) -> list[float]:
        """Give the share of its memory that the store uses."""
        ratios: list[float] = await self.call("memory")
        return ratios

    def pubsub(self, _shard: int) -> SimPubSub:
        """Give a subscription."""
        return SimPubSub(self.server.channels)


def simulated(real: type[Part], **renamed: str) -> Any:
    """Give a typed store whose calls go to the model; what the model lacks stays as it is."""

    def routed(name: str) -> Any:
        async def method(self: Part, *args: Any, **named: Any) -> Any:
            return await self.link.call(renamed.get(name, name), *args, **named)  # type: ignore[attr-defined]

        return method

    names = [name for name, _ in inspect.getmembers(real, inspect.iscoroutinefunction)
             if name in renamed or hasattr(SavingModel, name)]  # fmt: skip
    return type(f"Sim{real.__name__}", (real,), {name: routed(name) for name in names})


SimSessionStore = simulated(SessionStore)
SimWorkStore = simulated(WorkStore, publish="publish_partial")
SimWindowStore = simulated(WindowStore, remove="remove_abandoned")
SimWorkerStore = simulated(WorkerStore)
SimSaveStore = simulated(SaveStore)


class SimDoorbellStore(simulated(DoorbellStore, publish="publish_rings")):  # type: ignore[misc]
    """The notifier's part, whose reads may block."""

    async def read(self, shards: Sequence[int], block_ms: int = 2000) -> list[Ring]:
        assert set(shards) == set(self.shards)
        self.link.owner.check()
        bells: list[Ring] = await self.link.server.next_bells(block_ms / 1000)
        await self.link.call("nothing")
        return bells


def _brief(values: Sequence[Any]) -> str:
    """Give values in few words; of what comes from sets of texts the order is left out."""
    words = [_word(value) for value in values]
    return " ".join(sorted(words) if words and words[0].startswith("[") else words)


def _word(value: Any) -> str:
    if isinstance(value, bytes):
        return f"{len(value)}b"
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return f"[{_brief(value)}]"
    if hasattr(value, "sequence"):
        return f"#{value.sequence}"
    return str(value) if isinstance(value, str | int | float | None) else type(value).__name__
