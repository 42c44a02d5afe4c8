"""What the receiver at the other end of one connection has taken."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Receipts:
    """The messages that were sent and are not known to be taken, by their numbers from 1.

    A ping with its number follows each message, and who answers a ping has read all before it. A
    message is taken once it is read; one with an answer once that was said, by the program itself.
    """

    sent: int = 0
    """Number of the newest message."""
    read: int = 0
    """Number of the newest message that is known to be read."""
    _open: dict[int, str] = field(default_factory=dict)
    """What is to be answered, by number; empty: nothing."""

    def expect(self, answer: str = "") -> int:
        """Give the number of a message that is about to be sent."""
        self.sent += 1
        self._open[self.sent] = answer
        return self.sent

    def pong(self, number: int) -> list[int]:
        """Give what is taken by the answer to a ping, which may stand for all pings before it."""
        if not self.read < number <= self.sent:
            return []
        self.read = number
        return self._close([each for each, answer in self._open.items()
                            if each <= number and not answer])  # fmt: skip

    def said(self, text: str) -> list[int]:
        """Give what is taken by a text of the receiver: nothing, unless it was waited for."""
        return self._close([each for each, answer in self._open.items() if text and text == answer])

    def forget(self, number: int) -> None:
        """Wait no more for one that is taken or given up."""
        self._open.pop(number, None)

    def _close(self, numbers: list[int]) -> list[int]:
        for number in numbers:
            del self._open[number]
        return numbers
