"""The way of audio into the store: what waits is counted until it is stored, or given up."""

import asyncio
import threading

import pytest

from steno_audio import AudioFormat, RawDecoder
from steno_common.store.sessions import Appended, Chunk, Outcome
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.items import Accepted
from steno_gateway.inflow import Inflow
from steno_gateway.ingest import Ingest


class Gone:
    """A store that has lost the session."""

    async def append(self, _session_id: str, _conn: int, chunks: list[Chunk]) -> list[Appended]:
        return [Appended(Outcome.MISSING, 0, 0, 0) for _ in chunks]


class SlowToClose(RawDecoder):
    """A decoder that takes its time to be closed, as any does where threads are busy."""

    def __init__(self, closing: asyncio.Event) -> None:
        super().__init__(AudioFormat.parse("audio/pcm;rate=16000"))
        self.loop, self.closing = asyncio.get_running_loop(), closing
        self.may_close = threading.Event()

    def close(self) -> None:
        self.loop.call_soon_threadsafe(self.closing.set)
        assert self.may_close.wait(60)


async def test_what_comes_while_a_failed_session_is_closed_is_not_counted_for_ever() -> None:
    closing = asyncio.Event()
    decoder, inflow = SlowToClose(closing), Inflow(waiting_bytes=7)
    ingest = Ingest(Gone(), "s", 1, decoder, stored=0, received=0, duration_limit=10**9,
                    inflow=inflow)  # fmt: skip
    ingest.put(Accepted(1, bytes(3_200), 0.0))
    assert inflow.waiting_bytes == 3_207
    running = asyncio.create_task(ingest.run(), name="store")
    await asyncio.wait_for(closing.wait(), 60)
    ingest.put(Accepted(2, bytes(3_200), 0.0))
    decoder.may_close.set()
    with pytest.raises(ClientError, match="removed"):
        await running
    assert inflow.waiting_bytes == 7
    assert ingest.idle
