"""Saved transcripts of a simulation, in memory."""

import asyncio
from collections.abc import Mapping

from tests.simulation.chaos import Chaos


class MemoryArchive:
    """What the aggregator uses of the archive; a write may fail."""

    def __init__(self, loop: asyncio.AbstractEventLoop, chaos: Chaos) -> None:
        self.files: dict[str, dict[str, bytes]] = {}
        self.saves = 0
        self._loop, self._chaos = loop, chaos

    def save(self, session_id: str, created_ms: int, files: Mapping[str, bytes]) -> str:
        """Save the files of a session; raises OSError."""
        if self._chaos.cannot_save(self._loop.time()):
            raise OSError("simulated: no space left")
        before = self.files.setdefault(session_id, dict(files))
        assert before == files, "a transcript was saved again with other content"
        self.saves += 1
        return session_id
