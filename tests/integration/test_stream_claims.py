"""How often a session is claimed, and how many streams it takes: once, and one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from prometheus_client import REGISTRY
from tests.integration.transcriber_rig import Rig, recognising
from tests.redis_servers import RedisServer
from tests.unit.transcriber.streams_fake import RULES, FakeEngine, FakeStream

from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.sessions import Marker
from steno_common.units import SAMPLE_RATE
from steno_transcriber import recognition as recognition_module
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.results import HeardWord, Result
from steno_transcriber.domain.samples import Samples
from steno_transcriber.settings import RecognitionSettings

PIECE = 3_200
"""Samples of a chunk, which is sent to the engine as one piece."""
PATIENT = replace(RULES, connect_seconds=60.0, finish_seconds=60.0, keep_alive_seconds=600.0)
"""No stream is lost, however slow the machine is."""
LIMITS = Limits(shards=4, lease_seconds=60.0)
"""No lease runs out while a test lasts."""


class PromptStream(FakeStream):
    """Says a final of each piece at once, which ends with its last sample."""

    async def send(self, audio: Samples) -> None:
        start = len(self.audio) / SAMPLE_RATE
        self.audio = np.concatenate((self.audio, audio))
        end = len(self.audio) / SAMPLE_RATE
        word = HeardWord("word", start, end, 0.9, stable=True)
        self.tell(Result(f"{self.number}-{start}", start, end, (word,), True, "en"))


class PromptEngine(FakeEngine):
    async def open(self, options: Options) -> FakeStream:
        stream = await super().open(options)
        stream.__class__ = PromptStream
        return stream


@dataclass
class Talk:
    """One session whose chunks are committed one by one, with what that has taken so far."""

    rig: Rig
    engine: PromptEngine
    held: tuple[str, int]
    before: float
    chunks: int = 0

    @property
    def taken(self) -> tuple[float, int]:
        """Claims, streams."""
        return claims() - self.before, len(self.engine.streams)

    async def say(self, chunks: int) -> None:
        """Send chunks, each once nothing is left of the one before."""
        for _ in range(chunks):
            self.chunks = await self.rig.send(self.held, bytes(2 * PIECE), first=self.chunks + 1,
                                              size=2 * PIECE) - 1  # fmt: skip
            await self.rig.until(self.committed)

    async def committed(self) -> bool:
        snapshot = await self.rig.sessions.snapshot(self.held[0])
        assert snapshot is not None
        left = await self.rig.work.read({self.held[0]: "0-0"}, 10)
        return snapshot.done == self.chunks and not left

    async def rests(self) -> bool:
        """Say whether no worker holds it."""
        return REGISTRY.get_sample_value("steno_transcriber_sessions") == 0


def claims() -> float:
    return REGISTRY.get_sample_value("steno_transcriber_claims_total") or 0.0


@pytest.fixture
async def talk(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Talk]:
    monkeypatch.setattr(recognition_module, "WITHOUT_MODEL", ("fake",))
    engine = PromptEngine(rules=PATIENT)
    async with (
        open_link(redis_server.url) as link,
        recognising(engine, RecognitionSettings()) as recognition,
    ):
        rig = Rig(link, LIMITS, recognition)
        yield Talk(rig, engine, await rig.begin(), claims())


async def test_finals_that_end_with_the_newest_sample_cost_no_claim_and_no_stream(
    talk: Talk,
) -> None:
    async with talk.rig.worker():
        await talk.say(6)
        assert talk.taken == (1, 1)
        await talk.rig.mark(talk.held, "end")
        await talk.rig.ended(talk.held)
    assert talk.taken == (1, 1)
    assert len(await talk.rig.finals(talk.held)) == 6


@pytest.mark.parametrize("kind", ["finalize", "idle"])
async def test_a_session_that_rests_is_let_go_and_claimed_anew_when_it_goes_on(
    talk: Talk, kind: Marker
) -> None:
    async with talk.rig.worker():
        await talk.say(2)
        await talk.rig.mark(talk.held, kind)
        await talk.rig.until(talk.committed)
        await talk.rig.until(talk.rests)
        await talk.say(2)
        assert talk.taken == (2, 2)
