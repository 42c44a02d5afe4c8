"""A session's decoder, at work in one thread at a time, whoever waits for it."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from steno_audio import AudioError, Decoder
from steno_common.store.sessions import Chunk
from steno_common.units import SAMPLE_BYTES, to_samples
from steno_gateway.domain.items import Accepted

BATCH_SAMPLES: Final = to_samples(30)
"""Decoded audio from which on the rest of a batch waits: a few bytes may unfold to much."""


@dataclass(slots=True)
class Decoding:
    """Calls a decoder, in another thread where that may take its time."""

    decoder: Decoder
    _calling: threading.Lock = field(default_factory=threading.Lock)
    """A cancelled task leaves its thread behind, which may still call the decoder."""

    async def decode(self, batch: Sequence[Accepted]) -> tuple[list[Chunk], AudioError | None]:
        """Give what a batch comes to, through the chunk that fills the bound, or the fault."""
        quick = sum(len(chunk.data) for chunk in batch) <= self.decoder.quick_bytes
        if quick and not self._calling.locked():
            return self._decode(batch)
        return await asyncio.to_thread(self._decode, batch)

    async def finish(self) -> tuple[bytes, AudioError | None]:
        """Give the tail, or the fault for which there is none."""
        return await asyncio.to_thread(self._finish)

    async def close(self) -> None:
        """Close the decoder, once no thread calls it any more."""
        await asyncio.shield(asyncio.to_thread(self._close))

    def _decode(self, batch: Sequence[Accepted]) -> tuple[list[Chunk], AudioError | None]:
        chunks: list[Chunk] = []
        room = BATCH_SAMPLES * SAMPLE_BYTES
        with self._calling:
            for chunk in batch:
                if room <= 0:
                    break
                try:
                    pcm = self.decoder.decode(chunk.data)
                except AudioError as error:
                    return chunks, error
                chunks.append(Chunk(chunk.sequence, pcm, self.decoder.carry or b""))
                room -= len(pcm)
        return chunks, None

    def _finish(self) -> tuple[bytes, AudioError | None]:
        with self._calling:
            try:
                return self.decoder.finish(), None
            except AudioError as error:
                return b"", error

    def _close(self) -> None:
        with self._calling:
            self.decoder.close()
