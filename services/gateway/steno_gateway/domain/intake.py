"""The order of chunks: which one is taken, which is refused, and what the client is told."""

from dataclasses import dataclass, field
from typing import Final

from steno_gateway.domain.errors import ClientError

MAX_CHUNK_BYTES: Final = 1 << 20
MAX_CHUNKS: Final = 180_000


@dataclass(slots=True)
class Bucket:
    """A rate with a burst: `rate` tokens a second, at most `burst` saved."""

    rate: float
    burst: float
    tokens: float = field(init=False)
    _at: float | None = None

    def __post_init__(self) -> None:
        self.tokens = self.burst

    def take(self, now: float) -> float:
        """Take a token at `now` (s); gives 0, or the seconds until there is one."""
        if self._at is not None:
            self.tokens = min(self.burst, self.tokens + (now - self._at) * self.rate)
        self._at = now
        if self.tokens < 1:
            return (1 - self.tokens) / self.rate
        self.tokens -= 1
        return 0.0


@dataclass(slots=True)
class Intake:
    """Chunks of one connection, in order.

    Invariant: chunks below `expected` were accepted, stored or not; none above it was.
    `limit` is the highest number the client may send, by the credit it was given.
    """

    expected: int
    limit: int
    max_queued_bytes: int
    bucket: Bucket
    max_chunks: int = MAX_CHUNKS
    queued_bytes: int = 0
    """Accepted and not yet stored."""
    _refused: int = 0
    """Number that the client was told to go on from, 0 if all is well."""

    def has_room(self, size: int) -> bool:
        """Say whether the expected chunk, with so many bytes, would not be refused for its size."""
        return self.expected <= self.limit and self.queued_bytes + size <= self.max_queued_bytes

    def offer(self, sequence: int, size: int, now: float) -> bool:
        """Say whether a chunk is to be taken; False for a duplicate or a repeated refusal.

        Raises ClientError with `resend_from` when the expected chunk is refused, and for those
        behind it once: what was under way when the client was told is no news to it.
        """
        if sequence < 1:
            raise ClientError("invalid_sequence", "sequence numbers start at 1")
        if size == 0:
            raise ClientError("empty_chunk", f"chunk {sequence} holds no audio")
        if size > MAX_CHUNK_BYTES:
            raise ClientError("chunk_too_large", f"chunk {sequence} has more than 1 MiB")
        if sequence < self.expected:
            return False
        if sequence > self.expected:
            if self._refused == self.expected:
                return False
            raise self._refusal("sequence_gap", f"chunk {self.expected} is missing")
        if sequence > self.max_chunks:
            raise ClientError("too_many_chunks", f"a session has at most {self.max_chunks} chunks")
        if not self.has_room(size):
            raise self._refusal("backlog_full", "more than the credit allows; wait for an ack")
        wait = self.bucket.take(now)
        if wait:
            raise self._refusal("rate_limited", "too many chunks a second",
                                retry_after_ms=round(wait * 1000) + 1)  # fmt: skip
        self.expected = sequence + 1
        self.queued_bytes += size
        return True

    def _refusal(self, code: str, message: str, **details: int) -> ClientError:
        self._refused = self.expected
        return ClientError(code, message, resend_from=self.expected, **details)

    def stored(self, size: int) -> None:
        """Note that an accepted chunk of `size` bytes has left the queue."""
        self.queued_bytes -= size


def credit(limit: int, backlog: int, received: int, chunks: int) -> int:
    """Give how many chunks behind the stored ones may come.

    `limit` and `backlog` are samples that may wait and that do; `received` samples in `chunks`
    stored chunks tell how long a chunk is. Before that is known, a few may come.
    """
    if chunks < 4 or received == 0:
        return 64 if backlog < limit else 0
    return max(0, min((limit - backlog) * chunks // received, 2_000))
