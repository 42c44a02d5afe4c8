"""One engine's time with a session: how it came to it, where the session may go from there."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from steno_common.policy import Choice

Reason = Literal["overflow", "failure", "return"]
"""Why a session is with another engine than its first choice, or than before: that one had no room
when it began; it failed, died or was given too much; or one that comes before is back."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A session with the engine of the worker that claimed it."""

    engine: str
    choices: tuple[Choice, ...] = ()
    """In order; none: any engine may have it."""
    before: str = ""
    """Engine of the newest commit, empty if there is none."""
    since: float = 0.0
    """Seconds of a clock that never goes back."""

    @property
    def changed(self) -> bool:
        """Whether another engine has had it before."""
        return self.before not in ("", self.engine)

    @property
    def reason(self) -> Reason | None:
        """Why it has come, if that is worth a count."""
        if not self.before:
            return "overflow" if self._rank(self.engine) > 0 else None
        if not self.changed:
            return None
        returns = self._rank(self.engine) < self._rank(self.before)
        return "return" if returns else "failure"

    def may_go_to(self, engine: str) -> bool:
        """Say whether its policy lets an engine have it."""
        return not self.choices or any(choice.engine == engine for choice in self.choices)

    def others(self, now_ms: int, there: Collection[str]) -> list[str]:
        """Give the other engines that may go on with it now, of those that are there."""
        return [
            choice.engine
            for choice in self.choices
            if choice.engine != self.engine
            and choice.engine in there
            and choice.rests_until_ms <= now_ms
        ]

    def homes(self, now_ms: int) -> list[str]:
        """Give the engines that it would rather be with, but for those that failed for it."""
        preferred = self.choices[: self._rank(self.engine)]
        return [choice.engine for choice in preferred if choice.rests_until_ms <= now_ms]

    def _rank(self, engine: str) -> int:
        """Give the place of an engine among the choices; 0 if all are as good."""
        names = [choice.engine for choice in self.choices]
        return names.index(engine) if engine in names else 0
