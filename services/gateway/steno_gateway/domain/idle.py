"""When a connected client counts as silent: it could send audio, and does not."""

from dataclasses import dataclass


@dataclass(slots=True)
class IdleWatch:
    """Counts ticks without audio.

    Ticks are counted, not seconds: a process that was stopped for a while has seen one tick, not
    many, and so does not mistake its own absence for the client's silence.
    """

    ticks_allowed: int
    _quiet: int = 0
    _open: bool = False

    def audio(self) -> None:
        """Note that audio came."""
        self._quiet = 0
        self._open = True

    def tick(self, *, can_send: bool) -> bool:
        """Note that time passed; True once when the client has become silent.

        `can_send` is false while audio still waits here or the client has no credit.
        """
        if not can_send or not self._open:
            self._quiet = 0
            return False
        self._quiet += 1
        if self._quiet < self.ticks_allowed:
            return False
        self._open = False
        return True
