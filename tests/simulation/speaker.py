"""A user of a simulation: what is said, paused and asked for, and what was heard of it."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy as np
from tests.simulation.processes import Process
from tests.simulation.trace import Trace

from steno_client import connecting
from steno_client.domain.events import Completed, Event
from steno_client.domain.policy import Policy
from steno_client.errors import SessionError
from steno_client.session import Session
from steno_common.units import SAMPLE_BYTES, to_samples

URL: Final = "http://simulation"
POLICY: Final = Policy(
    delays=(0.2, 0.4, 0.8, 1.6, *[3.2] * 8), connect_seconds=3.0, ping_seconds=1.0,
    dead_seconds=4.0, stall_seconds=5.0, retry_seconds=0.2, buffer_seconds=5.0,
)  # fmt: skip

_NOISE: Final = np.random.default_rng(1).integers(-9_000, 9_000, 160_000).astype("<i2").tobytes()
_HUSH: Final = np.random.default_rng(2).integers(-30, 30, 160_000).astype("<i2").tobytes()

Deed = Literal["send", "wait", "pause", "resume", "finalize"]


@dataclass(frozen=True)
class Step:
    """One thing that a user does."""

    deed: Deed
    audio: bytes = b""
    seconds: float = 0.0


def script(draw: random.Random) -> list[Step]:
    """Draw what a user does: 1 to 12 s of audio in bursts or as it is spoken, with actions."""
    audio = b"".join(_piece(draw) for _ in range(draw.choice((2, 3, 4, 5, 6, 16))))
    paced, steps, at = draw.random() < 0.5, [Step("wait", seconds=draw.uniform(0, 1.0))], 0
    while at < len(audio):
        # Odd sizes too: a sample may come in two chunks.
        size = draw.choice((640, 3_200, 6_401, 12_800, 32_000))
        steps.append(Step("send", audio[at : at + size]))
        at += size
        if paced:
            steps.append(Step("wait", seconds=size / 32_000))
        steps += _aside(draw)
    return steps


def _piece(draw: random.Random) -> bytes:
    loud = draw.random() < 0.6
    seconds = draw.uniform(0.2, 1.2) if loud else draw.choice((0.2, 0.7, 1.5))
    source, size = (_NOISE if loud else _HUSH), to_samples(seconds) * SAMPLE_BYTES
    start = draw.randrange(0, len(source) - size, SAMPLE_BYTES)
    return source[start : start + size]


def _aside(draw: random.Random) -> list[Step]:
    chance = draw.random()
    if chance < 0.04:
        return [Step("finalize")]
    if chance < 0.08:
        return [Step("pause"), Step("wait", seconds=draw.uniform(0, 2)), Step("resume")]
    if chance < 0.11:
        return [Step("wait", seconds=draw.uniform(1, 4))]
    return []


@dataclass
class Speaker:
    """One user with one session, and somebody who listens to it."""

    name: str
    steps: list[Step]
    listens_after: float | None
    """Seconds until somebody begins to listen, if anybody does."""
    trace: Trace
    session: Session | None = None
    completed: Completed | None = None
    failure: BaseException | None = None
    heard: list[Event] = field(default_factory=list)
    overheard: list[Event] = field(default_factory=list)
    orders: list[tuple[str, int]] = field(default_factory=list)
    """Actions, each with the number of the last chunk before it."""
    process: Process = field(init=False)

    def __post_init__(self) -> None:
        self.process = Process(self.name)

    @property
    def said(self) -> bytes:
        """All audio sent."""
        return b"".join(step.audio for step in self.steps)

    async def run(self) -> None:
        """Speak, hear, finish."""
        try:
            async with connecting.connect(URL, policy=POLICY) as session:
                self.session = session
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._hear(session), name=f"{self.name} hears")
                    tasks.create_task(self._overhear(session), name=f"{self.name} is overheard")
                    await self._speak(session)
                    self.completed = await session.finish()
        except* SessionError as group:
            self.failure = group

    async def _speak(self, session: Session) -> None:
        for step in self.steps:
            match step.deed:
                case "send":
                    await session.send(step.audio)
                case "wait":
                    await asyncio.sleep(step.seconds)
                case action:
                    await getattr(session, action)()
                    self.orders.append((action, _outbox(session).last))
            self.trace(self.name, step.deed, len(step.audio))

    async def _hear(self, session: Session) -> None:
        async for event in session.events():
            self.heard.append(event)
            self.trace(self.name, "hears", type(event).__name__, getattr(event, "event", ""))

    async def _overhear(self, session: Session) -> None:
        if self.listens_after is None:
            return
        await asyncio.sleep(self.listens_after)
        async for event in connecting.listen(URL, session.id, policy=POLICY):
            self.overheard.append(event)


def _outbox(session: Session) -> Any:
    return session._conversation.outbox
