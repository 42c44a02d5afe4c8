"""What brings a session back that its server has lost."""

from dataclasses import dataclass, field
from typing import Any

from steno_client.domain.messages import Checkpoint


@dataclass(slots=True)
class Kept:
    """The newest checkpoint of a session with the log of all."""

    state: str
    done: int = 0
    """Chunks up to this one are in it."""
    last_event: int = 0
    """Events up to this one are in it."""
    log: list[str] = field(default_factory=list)

    def take(self, checkpoint: Checkpoint) -> None:
        """Take a newer one."""
        self.state, self.done = checkpoint.state, checkpoint.done
        self.last_event = checkpoint.last_event
        if checkpoint.log:
            self.log.append(checkpoint.log)

    def request(self) -> dict[str, Any]:
        """Build the request that restores the session."""
        return {"state": self.state, "log": self.log}
