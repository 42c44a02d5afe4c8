"""Positions of the session for times of a stream that was also fed silence of our own."""

from dataclasses import dataclass, field

from steno_common.units import to_samples, to_seconds


@dataclass(slots=True)
class StreamTime:
    """One stream: what was sent on it, in samples.

    Silence that only keeps the stream open is no part of the session, so it moves no position.
    """

    origin: int
    """Position of the stream's first sample."""
    sent: int = 0
    """Samples on the stream, silence of our own among them."""
    _own: list[tuple[int, int]] = field(default_factory=list)
    """Silence of our own: where it lies on the stream, how long it is."""

    def add_audio(self, samples: int) -> None:
        """Count audio of the session."""
        self.sent += samples

    def add_silence(self, samples: int) -> None:
        """Count silence of our own."""
        if self._own and sum(self._own[-1]) == self.sent:
            at, length = self._own.pop()
            self._own.append((at, length + samples))
        else:
            self._own.append((self.sent, samples))
        self.sent += samples

    def position(self, seconds: float) -> int:
        """Give the position in the session; within silence of our own, that of its place."""
        place = to_samples(seconds)
        ours = sum(min(length, max(0, place - at)) for at, length in self._own)
        return self.origin + place - ours

    def speaker(self, label: str | None) -> str | None:
        """Give the label of a speaker in the session.

        Each stream counts its speakers anew. Streams with finals differ in their origins, so of
        all but one at the very beginning the label tells it, in seconds.
        """
        return f"{label}@{to_seconds(self.origin)}" if label and self.origin else label
