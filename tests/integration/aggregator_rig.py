"""Sessions played on the real stores by a gateway and a transcriber that need no audio."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from steno_aggregator.worker import Aggregator, Pace
from steno_common.archive import Archive
from steno_common.keys import ShardKeys
from steno_common.messages import Destination, Ended, Event, Final, Idle, Numbered, Session, Word
from steno_common.store.limits import Limits
from steno_common.store.link import Link, open_link
from steno_common.store.sessions import Chunk, Outcome, SessionStore
from steno_common.store.windows import WindowStore
from steno_common.store.work import Claim, Commit, WorkStore
from steno_common.units import SAMPLE_RATE

CREATED_MS = 1_700_000_000_123
QUICK = Pace(due_seconds=0.005, abandoned_seconds=0.02, first_retry_ms=20, longest_retry_ms=100)


@dataclass
class Stage:
    """The stores of all services on one Redis."""

    link: Link
    limits: Limits
    claims: dict[str, Claim] = field(default_factory=dict)
    claiming: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.sessions = SessionStore(self.link, self.limits)
        self.work = WorkStore(self.link, self.limits)
        self.windows = WindowStore(self.link, self.limits)

    async def claim(self, session_id: str) -> Claim:
        """Own a session, as the one transcriber."""
        async with self.claiming:
            shard = ShardKeys(self.work.keys(session_id).shard)
            for claim in await self.work.claim(shard, 100):
                self.claims[claim.session_id] = claim
        return self.claims[session_id]

    async def events(self, session_id: str) -> list[Numbered]:
        """The whole log of a session."""
        return await self.windows.log(session_id, 0, 10_000)

    async def status(self, session_id: str) -> str | None:
        """The state of a session; None if there is none."""
        window = await self.windows.window(session_id)
        return window and window.status

    async def finished(self, session_id: str) -> bool:
        """Whether the transcript of a session is saved."""
        window = await self.windows.window(session_id)
        return window is not None and window.finished

    async def play(self, *destinations: Destination, trace: str = "") -> "Played":
        """Make a session with a connected client."""
        session_id = str(uuid.uuid4())
        session = Session(
            session_id, CREATED_MS, "audio/pcm", destinations=destinations, trace=trace
        )
        await self.sessions.create(session, "epoch")
        attached = await self.sessions.attach(session_id)
        assert attached is not None
        return Played(self, session_id, attached.conn)


@dataclass
class Played:
    """One session."""

    stage: Stage
    session_id: str
    conn: int
    position: int = 0
    sequence: int = 0
    marks: int = 0
    commits: int = 0

    async def say(self, text: str, seconds: float = 1, pause: float = 0) -> None:
        """Speak, then keep silent; the transcriber commits a final that has heard the pause."""
        start = self.position
        end = start + round(seconds * SAMPLE_RATE)
        await self._send(end - start + round(pause * SAMPLE_RATE))
        words = (Word(text, start, end, 0.9),)
        final = Final(text, words, start, end, 0.9, self.sequence, self.commits + 1, "en")
        await self._commit(final, speech=end - start, silence=self.position - end)

    async def wait(self, seconds: float) -> None:
        """Send silence; the transcriber commits it without a word."""
        samples = round(seconds * SAMPLE_RATE)
        await self._send(samples)
        await self._commit(silence=samples)

    async def idle(self) -> None:
        """Send nothing for as long as the silence window."""
        await self._mark("idle")
        await self._commit(Idle(self.position), closing=True)

    async def stop(self, status: str = "finalizing") -> None:
        """End the input; the transcriber commits the end."""
        await self._mark("end", status)
        await self.transcribe_end()

    async def transcribe_end(self) -> None:
        """Commit the end of the input."""
        await self._commit(Ended(self.position), closing=True)

    async def _send(self, samples: int) -> None:
        self.sequence += 1
        self.marks = 0
        self.position += samples
        chunk = Chunk(self.sequence, bytes(2 * samples))
        (answer,) = await self.stage.sessions.append(self.session_id, self.conn, [chunk])
        assert answer.outcome is Outcome.DONE

    async def _mark(self, kind: str, status: str = "finalizing") -> None:
        self.marks += 1
        outcome = await self.stage.sessions.mark(
            self.session_id,
            self.conn,
            kind,  # type: ignore[arg-type]
            status=status,
        )
        assert outcome is Outcome.DONE

    async def _commit(self, *events: Event, speech: int = 0, silence: int = 0,
                      closing: bool = False) -> None:  # fmt: skip
        self.commits += 1
        claim = await self.stage.claim(self.session_id)
        commit = Commit(
            number=self.commits, consumed=f"{self.sequence}-{self.marks}", done=self.sequence,
            offset=self.position, border=self.position, context="", heard=self.position,
            speech=speech, silence=silence, events=events, closing=closing, arrival_ms=1,
        )  # fmt: skip
        assert await self.stage.work.commit(claim, commit)


@asynccontextmanager
async def open_stage(url: str, **limits: float) -> AsyncIterator[Stage]:
    """Open the stores of all services; leases do not run out unless told to."""
    settings = Limits(redis_url=url, shards=4, **{"lease_seconds": 600, **limits})  # type: ignore[arg-type]
    async with open_link(url) as link:
        yield Stage(link, settings)


@asynccontextmanager
async def aggregating(stage: Stage, archive: Archive, number: int = 1) -> AsyncIterator[None]:
    """Run aggregators; at the end they drain."""
    draining = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for n in range(number):
            aggregator = Aggregator(stage.windows, archive, QUICK)
            tasks.create_task(aggregator.run(draining), name=f"aggregator {n}")
        yield
        draining.set()
