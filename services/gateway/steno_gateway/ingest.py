"""Accepted chunks on their way to Redis: decoded in order, appended many at a time."""

import asyncio
import time
from collections import deque
from dataclasses import InitVar, dataclass, field
from functools import partial
from itertools import accumulate
from typing import Final

from steno_audio import Decoder
from steno_common.store.link import patiently
from steno_common.store.sessions import Appended, Chunk, Marker, Outcome, SessionStore
from steno_common.units import SAMPLE_BYTES
from steno_gateway import metrics
from steno_gateway.decoding import Decoding
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.items import Accepted, Item, Mark, Move
from steno_gateway.domain.latency import LatencyMeter
from steno_gateway.inflow import Inflow

BATCH_CHUNKS: Final = 64
BATCH_BYTES: Final = 1 << 20
MAX_CHUNK_SECONDS: Final = 600
"""Audio in one chunk; 1 MiB of 14 kbit/s is as long."""
MAX_ITEMS: Final = 10_000
FULL_SECONDS: Final = 0.2
"""How long a full backlog is left alone before the next try, unless a commit makes room."""


@dataclass(slots=True)
class Ingest:
    """The way of one connection's audio into the store.

    The receive loop only puts items into the queue, so that Redis never holds up a heartbeat.
    """

    store: SessionStore
    session_id: str
    conn: int
    decoder: InitVar[Decoder]
    stored: int
    """Highest sequence number in Redis."""
    received: int
    """Samples in Redis since the beginning."""
    duration_limit: int
    """Samples."""
    backlog: int = 0
    latency: LatencyMeter | None = None
    """Hears when chunks came, where they lie."""
    inflow: Inflow = field(default_factory=Inflow)
    """Shared by all sessions of the gateway."""
    progress: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when there is something to acknowledge."""
    settled: list[int] = field(default_factory=list)
    """Sizes of the chunks that left the queue since the receive loop last looked."""
    _items: deque[Item] = field(default_factory=deque)
    _filled: asyncio.Event = field(default_factory=asyncio.Event)
    _room: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when commits may have made room."""
    _busy: bool = False
    _over: bool = False
    """Nothing more will be stored."""
    _bytes: int = 0
    """What this session has part in the inflow's waiting bytes."""
    _decoding: Decoding = field(init=False)

    def __post_init__(self, decoder: Decoder) -> None:
        self._decoding = Decoding(decoder)

    def put(self, item: Item) -> None:
        """Queue an item; the caller keeps the queue within its bound.

        What comes while the work is being ended is dropped, for nobody would take it out again.
        """
        if self._over:
            return
        if isinstance(item, Accepted):
            self._hold(len(item.data))
            if self.latency is not None and item.sequence > self.stored:
                self.latency.received(item.sequence, item.at * 1000)
        self._items.append(item)
        self._filled.set()

    def _hold(self, size: int) -> None:
        self._bytes += size
        self.inflow.waiting_bytes += size

    def relieve(self, backlog: int) -> None:
        """Take the backlog that is left after commits."""
        self.backlog = backlog
        self._room.set()

    @property
    def crowded(self) -> bool:
        """Whether no more actions may be queued; of chunks, credit and bytes are the bound."""
        return len(self._items) >= MAX_ITEMS

    @property
    def idle(self) -> bool:
        """Whether everything accepted is in Redis."""
        return not self._items and not self._busy

    async def run(self) -> None:
        """Work until the end of the input is marked; raises ClientError."""
        try:
            while True:
                await self._filled.wait()
                self._filled.clear()
                while self._items:
                    self._busy = True
                    if await self._next():
                        return
                    self._busy = False
                    self.progress.set()
        finally:
            self._busy, self._over = False, True
            self._items.clear()
            self._hold(-self._bytes)
            self.progress.set()
            await self._decoding.close()

    async def _next(self) -> bool:
        item = self._items[0]
        match item:
            case Accepted():
                return await self._store_chunks(self._batch())
            case Mark(kind="end"):
                tail, fault = await self._decoding.finish()
                await self._end("finalizing" if fault is None else "error", tail)
                if fault is not None:
                    raise ClientError("undecodable_audio", fault.message) from fault
                return True
            case Mark():
                self._items.popleft()
                await self._mark(item.kind)
            case Move():
                self._items.popleft()
                outcome = await patiently(
                    lambda: self.store.transition(self.session_id, self.conn, item.to, item.allowed)
                )
                self._check(outcome)
        return False

    def _batch(self) -> list[Accepted]:
        batch: list[Accepted] = []
        size = 0
        while self._items and isinstance(self._items[0], Accepted):
            chunk = self._items[0]
            if batch and (len(batch) == BATCH_CHUNKS or size + len(chunk.data) > BATCH_BYTES):
                break
            batch.append(chunk)
            size += len(chunk.data)
            self._items.popleft()
        return batch

    async def _store_chunks(self, batch: list[Accepted]) -> bool:
        # Not decoded before it can be stored: that would multiply what waits here.
        await self.inflow.storing.wait()
        chunks, fault = await self._decoding.decode(batch)
        if fault is None:
            self._items.extendleft(reversed(batch[len(chunks) :]))
            batch = batch[: len(chunks)]
        # What an earlier connection stored is only decoded again, to bring the decoder there.
        fresh = [chunk for chunk in chunks if chunk.sequence > self.stored]
        totals = accumulate((len(c.pcm) // SAMPLE_BYTES for c in fresh), initial=self.received)
        fitting = sum(total <= self.duration_limit for total in totals) - 1
        over, fresh = fitting < len(fresh), fresh[:fitting]
        decoded = sum(len(chunk.pcm) for chunk in chunks)
        self._hold(decoded)
        await self._append(fresh)
        self.settled.extend(len(chunk.data) for chunk in batch)
        self._hold(-decoded - sum(len(chunk.data) for chunk in batch))
        now = time.monotonic()
        for accepted in batch:
            metrics.APPEND.observe(now - accepted.at)
        self.progress.set()
        if fault is not None:
            await self._end("error", b"")
            raise ClientError("undecodable_audio", fault.message) from fault
        if over:
            await self._end("finalizing", b"")
            raise ClientError("duration_limit", "the session is as long as it may be")
        return False

    async def _append(self, chunks: list[Chunk]) -> None:
        while chunks:
            await self.inflow.storing.wait()
            append = partial(self.store.append, self.session_id, self.conn, chunks)
            chunks = chunks[self._take(await patiently(append), chunks) :]
            if chunks:
                self.progress.set()
                self._room.clear()
                try:
                    async with asyncio.timeout(FULL_SECONDS):
                        await self._room.wait()
                except TimeoutError:
                    continue

    def _take(self, answers: list[Appended], chunks: list[Chunk]) -> int:
        for place, (answer, chunk) in enumerate(zip(answers, chunks, strict=True)):
            metrics.count_chunk(answer.outcome)
            self.backlog = answer.backlog
            if answer.outcome is Outcome.FULL:
                return place
            self._check(answer.outcome)
            self.stored = answer.next - 1
            samples = len(chunk.pcm) // SAMPLE_BYTES
            self.received += samples
            if self.latency is not None:
                self.latency.stored(chunk.sequence, self.received, samples)
        return len(chunks)

    async def _mark(self, kind: Marker, tail: bytes = b"", status: str = "finalizing") -> None:
        mark = partial(self.store.mark, self.session_id, self.conn, kind, behind=self.stored,
                       tail=tail, status=status)  # fmt: skip
        self._check(await patiently(mark))

    async def _end(self, status: str, tail: bytes) -> None:
        limit = max(self.duration_limit - self.received, 0) * SAMPLE_BYTES
        await self._mark("end", tail[:limit], status)
        self._items.clear()

    def _check(self, outcome: Outcome) -> None:
        match outcome:
            case Outcome.SUPERSEDED:
                raise ClientError("connection_superseded", "a newer connection holds the session")
            case Outcome.MISSING:
                raise ClientError("session_not_found", "the session was removed")
            case Outcome.ENDED:
                raise ClientError("session_finished", "the session has ended")
            case Outcome.GAP:
                # Redis holds less than it said it did: begin again from what it knows.
                metrics.LOST_AUDIO.inc()
                raise ClientError("store_unavailable", "the store has lost audio; reconnect")
