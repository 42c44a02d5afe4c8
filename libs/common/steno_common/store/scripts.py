"""The scripts of the store: what is to be run, with its text and digest."""

import hashlib
import importlib.resources
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from redis.asyncio.client import Pipeline

_SESSION_PARTS: Final = ("prelude", "lines", "session")
_OF_NO_SESSION: Final = (
    "renew", "beat", "prepare", "bind", "take", "hold", "putoff", "resend", "redeem",
)  # fmt: skip
_PARTS: Final = {
    "claim": ("prelude", "lines"),
    "settle": (*_SESSION_PARTS, "letters"),
    **dict.fromkeys(("dispose", "expire"), ("prelude", "letters")),
    **dict.fromkeys(_OF_NO_SESSION, ("prelude",)),
}


@cache
def source(script: str) -> str:
    """Give the Lua text of a script with what it stands on."""
    folder = importlib.resources.files("steno_common.store") / "lua"
    parts = _PARTS.get(script, _SESSION_PARTS)
    return "\n".join((folder / f"{name}.lua").read_text() for name in (*parts, script))


@cache
def _digest(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Call:
    """One script with the shard it belongs to, its keys and arguments."""

    script: str
    shard: int
    keys: Sequence[str]
    args: Sequence[str | int | bytes]

    def put(self, pipe: Pipeline) -> None:
        """Put the call into a pipeline, for a Redis that knows the script."""
        pipe.evalsha(_digest(source(self.script)), len(self.keys), *self.keys, *self.args)


def load(pipe: Pipeline, calls: Iterable[Call]) -> None:
    """Have a Redis know the scripts of these calls."""
    for script in {call.script for call in calls}:
        pipe.script_load(source(script))
