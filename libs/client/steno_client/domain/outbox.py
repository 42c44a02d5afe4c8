"""What of the recording may be sent now, what must be kept."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from steno_client.domain.messages import Ack, Action, Created
from steno_client.errors import SessionError


@dataclass(frozen=True, slots=True)
class Chunk:
    """A numbered piece of the recording, counted from 1."""

    number: int
    audio: bytes


@dataclass(frozen=True, slots=True)
class Control:
    """A control message at its place in the recording."""

    action: Action
    behind: int
    """The last chunk before it."""


def cut(audio: bytes, size: int) -> Iterator[bytes]:
    """Pieces of at most `size` bytes, in order; none of them is empty."""
    return (audio[at : at + size] for at in range(0, len(audio), size))


class Outbox:
    """Chunks with the control messages between them, on their way to a server that may vanish.

    A control message is sent when all chunks before it are stored, so none of those can still be
    refused; it is repeated on a new connection until a later chunk is stored, which shows that it
    came through. Raw chunks are kept until they are done, those of a container for good.

    With checkpoints, chunks and control messages are kept until a checkpoint covers them: a server
    that lost everything goes on there.
    """

    def __init__(self, *, container: bool = False, checkpoints: bool = False) -> None:
        self._container = container
        self._covered = 0 if checkpoints else None
        self._past: deque[Control] = deque()  # came through, not covered
        self._chunks: dict[int, bytes] = {}
        self._controls: deque[Control] = deque()
        self._first = 1  # kept
        self._last = 0
        self._stored = 0
        self._done = 0
        self._waiting_bytes = 0
        self._wanted: Action = "start"
        # Of one connection:
        self._open = False
        self._next = 1  # chunk to send
        self._controls_sent = 0
        self._limit = 0  # last chunk that the credit covers
        self._paused_there = False

    @property
    def last(self) -> int:
        """Number of the last chunk put in."""
        return self._last

    @property
    def stored(self) -> int:
        """Highest chunk that the server has."""
        return self._stored

    @property
    def done(self) -> int:
        """Highest chunk that the server has transcribed; never goes back."""
        return self._done

    @property
    def waiting_bytes(self) -> int:
        """Audio put in that is not done."""
        return self._waiting_bytes

    @property
    def paused(self) -> bool:
        """Whether the user paused the recording."""
        return self._wanted == "pause"

    @property
    def stopped(self) -> bool:
        """Whether the user ended the recording."""
        return self._wanted == "stop"

    @property
    def unanswered(self) -> bool:
        """Whether the server owes an answer: a chunk was sent on this connection, not stored."""
        return self._open and self._next - 1 > self._stored

    def put(self, audio: bytes) -> int:
        """Append a chunk, return its number.

        Raises SessionError (`illegal_transition`) while paused or after the stop.
        """
        if self._wanted in ("pause", "stop"):
            raise SessionError("illegal_transition", f"no audio after {self._wanted}")
        self._last += 1
        self._chunks[self._last] = audio
        self._waiting_bytes += len(audio)
        return self._last

    def order(self, action: Action) -> None:
        """Place a control message behind the last chunk; one that changes nothing is left out."""
        if self.stopped or action == self._wanted or (action == "resume" and not self.paused):
            return
        if action == "finalize" and self.paused:
            return
        if action != "finalize":
            self._wanted = action
        if self._last > 0 or action == "stop":  # before the first chunk nothing is recorded
            self._controls.append(Control(action, self._last))

    def attached(self, created: Created) -> None:
        """Begin a connection where the server stands.

        Raises SessionError (`audio_forgotten`) if it wants what is not kept any more.
        """
        self._container = created.container
        start = created.resend_from
        if start < self._first:
            raise self._forgotten(start)
        self._take_back(created)
        self._stored = max(min(created.sequence_number, self._last), self._first - 1)
        self._next = min(start, self._last + 1)
        self._limit = max(created.sequence_number, start - 1) + created.credit
        self._controls_sent = 0
        self._paused_there = created.status == "paused"
        self._open = created.status not in ("finalizing", "completed")
        self._advance(created.done)

    def covered(self, done: int) -> None:
        """Note that a checkpoint holds what became of the chunks up to this one."""
        if self._covered is not None:
            self._covered = max(self._covered, done)
            self._forget()

    def uncovered(self) -> None:
        """Note that there will be no more checkpoints."""
        self._covered = None
        self._forget()

    def detached(self) -> None:
        """End a connection: nothing can be sent."""
        self._open = False

    def acked(self, ack: Ack) -> bool:
        """Take an acknowledgement, say whether it is progress."""
        moved = ack.sequence_number > self._stored or ack.done > self._done
        self._stored = max(self._stored, min(ack.sequence_number, self._last))
        self._limit = ack.sequence_number + ack.credit
        self._advance(ack.done)
        return moved

    def refused(self, resend_from: int, *, paused: bool = False) -> None:
        """Go back to a chunk on this connection; `paused`: the server is, so it takes none.

        What was sent before that chunk has arrived; a control message behind it waits there.
        Raises SessionError (`audio_forgotten`) if that chunk is not kept any more.
        """
        if resend_from < self._first:
            raise self._forgotten(resend_from)
        if not self._container:
            self._stored = min(self._stored, resend_from - 1)
        self._next = min(self._next, resend_from)
        self._paused_there |= paused

    def repeat_controls(self) -> None:
        """Send again the control messages next to the chunk to send: they may not have arrived."""
        behind = self._next - 1
        before = sum(control.behind < behind for control in self._controls)
        self._controls_sent = min(self._controls_sent, before)

    def take(self) -> Chunk | Control | None:
        """The next thing to send, which counts as sent; None if there is nothing for now."""
        if not self._open:
            return None
        if self._controls_sent < len(self._controls):
            control = self._controls[self._controls_sent]
            if control.behind < self._next:
                return self._take_control(control)
        if self._next > min(self._last, self._limit):
            return None
        if self._paused_there:
            if self.paused and self._stored == self._last:
                return None  # a container is replayed when there is something new to say
            self._paused_there = False
            return Control("resume", self._next - 1)
        self._next += 1
        return Chunk(self._next - 1, self._chunks[self._next - 1])

    def _take_control(self, control: Control) -> Control | None:
        if control.behind > self._stored:
            return None
        self._controls_sent += 1
        if control.action in ("pause", "resume"):
            self._paused_there = control.action == "pause"
        return control

    def _advance(self, done: int) -> None:
        for number in range(self._done + 1, min(done, self._last) + 1):
            self._done = number
            self._waiting_bytes -= len(self._chunks[number])
        while self._controls and self._shown(self._controls[0], done):
            self._past.append(self._controls.popleft())
            self._controls_sent = max(0, self._controls_sent - 1)
        self._forget()

    def _forget(self) -> None:
        """Drop what nobody can ask for again."""
        safe = self._done if self._covered is None else min(self._covered, self._done)
        while not self._container and self._first <= safe:
            del self._chunks[self._first]
            self._first += 1
        self._next = max(self._next, self._first)
        while self._past and (self._covered is None or self._past[0].behind < safe):
            self._past.popleft()

    def _take_back(self, created: Created) -> None:
        """Say again what came through to a server that has lost it since."""
        while self._past and self._past[-1].behind >= created.sequence_number:
            self._controls.appendleft(self._past.pop())

    def _shown(self, control: Control, done: int) -> bool:
        """A finalize behind what is done there is without effect, whether it arrived or not."""
        return control.behind < self._stored or (
            control.action == "finalize" and control.behind <= done
        )

    def _forgotten(self, number: int) -> SessionError:
        return SessionError(
            "audio_forgotten",
            f"the server wants chunk {number}, but all before {self._first} was done",
        )
