"""When a process that ended is started again."""

from dataclasses import dataclass

FIRST_DELAY_SECONDS = 0.1
LONGEST_DELAY_SECONDS = 5.0
SETTLED_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Restarts:
    """How often in a row a process has ended soon after its start."""

    in_a_row: int = 0

    def ended_after(self, seconds: float) -> "Restarts":
        """Count an end; a process that lived long enough starts with a clean record."""
        return Restarts(1 if seconds >= SETTLED_SECONDS else self.in_a_row + 1)

    @property
    def delay_seconds(self) -> float:
        """Wait before the next start: doubling, bounded."""
        # The exponent is bounded too: a float overflows after a thousand ends.
        doublings = min(self.in_a_row - 1, 16)
        return min(FIRST_DELAY_SECONDS * 2.0**doublings, LONGEST_DELAY_SECONDS)
