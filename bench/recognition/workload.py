"""The load of a run: how many sessions, when, with what; a pure function of what was asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.recognition.fixture import Clip
from bench.recognition.latency import Pace
from bench.recognition.plan import Plan, plan_session
from bench.recognition.seen import Job, SessionJob

_SESSIONS_A_PROCESS: Final = 128
"""More than that, and a process of load falls behind its own pace."""


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of a Steno."""

    fixture: Path
    sessions: int
    seconds: float
    """Length of the interval that counts."""
    chunk: int = 1_600
    """Samples."""
    spread_seconds: float = 5.0
    """Sessions begin over this time."""
    warm_seconds: float = 5.0
    """After the last session has begun, before the interval that counts."""
    drain_seconds: float = 120.0
    """How long a session may take after its last sample."""
    seed: int = 1
    pause_seconds: float = 0.6
    """Silence that ends a segment, as the server is set."""

    @property
    def processes(self) -> int:
        """How many processes make the load."""
        return math.ceil(self.sessions / _SESSIONS_A_PROCESS)

    @property
    def counted(self) -> tuple[float, float]:
        """The interval that counts, in seconds after the first session's begin."""
        begin = self.spread_seconds + self.warm_seconds
        return begin, begin + self.seconds

    def begin(self, session: int) -> float:
        """Say when a session begins, in seconds after the first one."""
        return self.spread_seconds * session / self.sessions

    def plan(self, clips: Sequence[Clip], session: int) -> Plan:
        """Say what a session says."""
        lengths = [len(clip.audio) for clip in clips]
        return plan_session(lengths, self._session_seconds(session), self.seed, session)

    def pace(self, session: int) -> Pace:
        """Say how a session's audio is sent."""
        begin, end = self.counted
        offset = self.begin(session)
        return Pace(self.chunk, (begin - offset, end - offset), self.pause_seconds)

    def job(self, url: str, first: float, process: int) -> Job:
        """Give a process its share; `first` is the moment at which the first session begins."""
        return Job(
            url=url,
            fixture=str(self.fixture.resolve()),
            seed=self.seed,
            chunk_samples=self.chunk,
            drain_seconds=self.drain_seconds,
            sessions=[
                SessionJob(index, first + self.begin(index), self._session_seconds(index))
                for index in range(process, self.sessions, self.processes)
            ],
        )

    def _session_seconds(self, session: int) -> float:
        return self.counted[1] - self.begin(session)
