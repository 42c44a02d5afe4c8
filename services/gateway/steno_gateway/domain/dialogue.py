"""One client's side of a session: its messages in, items for the store out."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from steno_gateway.domain import states
from steno_gateway.domain.client import AudioChunk
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.intake import Intake
from steno_gateway.domain.items import Accepted, Item, Mark, Move

MAX_WAITING: Final = 100
FARTHEST: Final = 2_000
"""No client in its senses is further ahead of a refused chunk: the largest credit."""


@dataclass(slots=True)
class Dialogue:
    """State and order of one connection.

    An action takes its place behind the chunks sent before it. If one of those was refused, the
    action waits for it: else `stop` would cut off what is sent again.
    """

    state: str
    intake: Intake
    mime_type: str
    _refused_to: int = 0
    """Highest number that was refused and is to come again."""
    _waiting: deque[tuple[int, states.Action]] = field(default_factory=deque)

    @property
    def over(self) -> bool:
        """Whether no audio is taken any more."""
        return self.state in states.OVER

    def audio(self, chunk: AudioChunk, now: float) -> Iterator[Item]:
        """Take a chunk; gives nothing for a duplicate. Raises ClientError."""
        self._check_open()
        if chunk.mime_type not in (None, self.mime_type):
            raise ClientError("format_mismatch", "the chunk is not of the session's type")
        sequence = chunk.sequence_number
        try:
            taken = self.intake.offer(sequence, len(chunk.audio_data), now)
        except ClientError as error:
            if "resend_from" in error.details:
                self._will_come_again(sequence)
            raise
        if not taken:
            self._will_come_again(sequence)
            return
        yield from self._accept(sequence, chunk.audio_data, now)

    def next_audio(self, data: bytes, now: float) -> Iterator[Item]:
        """Take audio without a number; if it is refused, nothing waits for it.

        Raises ClientError.
        """
        self._check_open()
        sequence = self.intake.expected
        self.intake.offer(sequence, len(data), now)
        yield from self._accept(sequence, data, now)

    def _check_open(self) -> None:
        if self.over:
            raise ClientError("session_finished", f"the session is {self.state}")
        if self.state == "paused":
            raise ClientError("illegal_transition", "no audio is taken while paused",
                              resend_from=self.intake.expected)  # fmt: skip

    def _accept(self, sequence: int, data: bytes, now: float) -> Iterator[Item]:
        if self.state == "connected":
            yield from self._take("start")
        yield Accepted(sequence, data, now)
        while self._waiting and self._waiting[0][0] < self.intake.expected:
            yield from self._take(self._waiting.popleft()[1])

    def _will_come_again(self, sequence: int) -> None:
        if sequence < self.intake.expected + FARTHEST:
            self._refused_to = max(self._refused_to, sequence)

    def act(self, action: states.Action) -> Iterator[Item]:
        """Take an action, now or behind the chunk it waits for. Raises ClientError."""
        if self.intake.expected <= self._refused_to:
            states.after(action, self.state)
            if len(self._waiting) == MAX_WAITING:
                raise ClientError("rate_limited", "too many actions wait", retry_after_ms=1_000)
            self._waiting.append((self._refused_to, action))
            return
        yield from self._take(action)

    def cut_off(self) -> Iterator[Item]:
        """End the input with what was taken, whatever the client was told to send again."""
        if not self.over:
            self.state = "finalizing"
            yield Mark("end")

    def silent(self) -> Iterator[Item]:
        """Note that the client has become silent."""
        if not self.over:
            yield Mark("idle")

    def _take(self, action: states.Action) -> Iterator[Item]:
        before = self.state
        self.state = states.after(action, before)
        if action == "finalize" or (action == "pause" and self.state != before):
            yield Mark("finalize")
        if self.state == before:
            return
        if action == "stop":
            yield Mark("end")
        else:
            yield Move(self.state, tuple(states.allowed(action)))
