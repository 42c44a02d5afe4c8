"""Whole lines out of a process's output, the last of them kept."""

from collections import deque

KEPT_LINES = 20
LONGEST_LINE = 64 * 1024


class Tail:
    """Cuts one process's output at line ends, so that lines of several never mix."""

    def __init__(self) -> None:
        self._open = b""
        self._kept: deque[bytes] = deque(maxlen=KEPT_LINES)

    def feed(self, data: bytes) -> bytes:
        """Take a piece of output; return what is complete of it and of earlier pieces.

        A line of more than `LONGEST_LINE` bytes is cut.
        """
        complete, newline, rest = (self._open + data).rpartition(b"\n")
        if len(rest) > LONGEST_LINE:
            complete, newline, rest = complete + newline + rest, b"\n", b""
        self._open = rest
        self._kept.extend(line for line in complete.split(b"\n") if line)
        return complete + newline

    def close(self) -> bytes:
        """Return the last line if no line end followed it."""
        return self.feed(b"\n") if self._open else b""

    @property
    def lines(self) -> list[str]:
        """The last complete lines."""
        return [line.decode(errors="replace") for line in self._kept]
