"""Sessions whose results are written as a transcriber would, without any audio."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field

from steno_common.keys import ShardKeys
from steno_common.messages import Destination, Final, Partial, Session, Word
from steno_common.store.sessions import Chunk, SessionStore
from steno_common.store.work import Claim, Commit, WorkStore

SAMPLES = 160
"""Of the chunk behind each final: what is measured begins at its commit."""
SILENCE = bytes(2 * SAMPLES)
TEXT = "the quick brown fox jumps over the lazy dog"


class Transcribers:
    """Owns sessions, for all speakers: whoever claims first gets those of others too."""

    def __init__(self, work: WorkStore) -> None:
        self.work = work
        self._claims: dict[str, Claim] = {}
        self._claiming = asyncio.Lock()

    async def claim(self, session_id: str) -> Claim:
        """Give the newest claim of a session that has audio."""
        async with self._claiming:
            shard = ShardKeys(self.work.keys(session_id).shard)
            for claim in await self.work.claim(shard, 1000):
                self._claims[claim.session_id] = claim
        return self._claims[session_id]


@dataclass
class Speaker:
    """One session; `said` lists the first samples of its finals."""

    sessions: SessionStore
    transcribers: Transcribers
    said: list[int] = field(default_factory=list)
    session_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    async def speak(self, seconds: float, finals: float, partials: int) -> None:
        """Make so many finals each second, with so many partials before each."""
        session = Session(self.session_id, 0, "audio/pcm", name=self.session_id,
                          destinations=(Destination("pipeline", "pipeline"),))  # fmt: skip
        await self.sessions.create(session, "epoch")
        attached = await self.sessions.attach(self.session_id)
        assert attached is not None
        work = self.transcribers.work
        pause = 1 / finals / (partials + 1)
        for commit in range(1, int(seconds * finals) + 1):
            start = (commit - 1) * SAMPLES
            for number in range(partials):
                await asyncio.sleep(pause)
                await work.publish(self.session_id, self._partial(start, number, commit - 1))
            await asyncio.sleep(pause)
            await self.sessions.append(
                self.session_id, attached.conn, [Chunk(commit, bytes(2 * SAMPLES))]
            )
            claim = await self.transcribers.claim(self.session_id)
            if not await work.commit(claim, self._final(start, commit)):
                raise RuntimeError(f"commit {commit} was refused")
            self.said.append(start)

    def _partial(self, start: int, number: int, commit: int) -> Partial:
        return Partial(TEXT, (), start, start + number + 1, 0.9, 0.5, 1, commit, "en",
                       created_ms=_now())  # fmt: skip

    def _final(self, start: int, commit: int) -> Commit:
        words = tuple(Word(word, start, start + SAMPLES, 0.9) for word in TEXT.split())
        final = Final(TEXT, words, start, start + SAMPLES, 0.9, commit, commit, "en",
                      created_ms=_now())  # fmt: skip
        end = start + SAMPLES
        return Commit(number=commit, consumed=f"{commit}-0", done=commit, offset=end, border=end,
                      context="", heard=end, speech=SAMPLES, silence=0, events=(final,),
                      closing=False, arrival_ms=_now())  # fmt: skip


def _now() -> int:
    return round(time.time() * 1000)
