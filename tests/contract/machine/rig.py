"""The typed stores on one Redis for tests that are not asynchronous, under a clock of their own."""

import asyncio
import importlib.resources
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from unittest.mock import patch

from redis.asyncio import Redis
from tests.contract.machine.model_translations import MOST_BYTES
from tests.contract.machine.state import ENGINES, Seen, look

from steno_common.keys import ShardKeys
from steno_common.letters import Letter
from steno_common.store import link as link_module
from steno_common.store import scripts as scripts_module
from steno_common.store.backlog import BacklogStore
from steno_common.store.deliveries import DeliveryStore
from steno_common.store.letters import LetterId, LetterStore, Wanted
from steno_common.store.limits import Limits
from steno_common.store.link import Link, open_link
from steno_common.store.saves import SaveStore
from steno_common.store.scripts import source
from steno_common.store.sessions import SessionStore
from steno_common.store.translations import TranslationStore
from steno_common.store.windows import WindowStore
from steno_common.store.work import WorkStore
from steno_common.store.workers import WorkerStore

_CLOCK: Final = "clock"
_SERVER_TIME: Final = "redis.call('TIME')"
_TEST_TIME: Final = f"{{0, redis.call('GET', '{_CLOCK}') * 1000}}"
_FOLDER: Final = importlib.resources.files("steno_common.store") / "lua"


Copy = tuple[dict[str, Any], list[float | None], dict[str, Any], dict[bytes, float]]
"""Dumped keys of a session, its places in the indexes, its token with its tries, its deliveries."""


@dataclass(frozen=True)
class Mutant:
    """One wrong line; those of `session` and `prelude` are wrong in every script on top of them."""

    script: str
    old: str
    new: str

    def apply(self, text: str) -> str:
        """Put the wrong line where the right one is, in a script with what it stands on."""
        right = (_FOLDER / f"{self.script}.lua").read_text()
        assert right.count(self.old) == 1, f"{self.script} no longer has exactly one {self.old!r}"
        return text.replace(right, right.replace(self.old, self.new))


def script_names() -> set[str]:
    """Name every Lua file of the store."""
    return {path.name.removesuffix(".lua") for path in _FOLDER.iterdir()}


class Rig:
    """The stores, with their methods under one roof, and a way to read back what they did."""

    def __init__(self, runner: asyncio.Runner, link: Link, redis: Redis, limits: Limits) -> None:
        self._runner = runner
        self._redis = redis
        self._parts = (SessionStore(link, limits), WorkStore(link, limits),
                       WindowStore(link, limits), WorkerStore(link, limits),
                       SaveStore(link, limits),
                       TranslationStore(link, limits, MOST_BYTES))  # fmt: skip
        self._deliveries, self._letters = DeliveryStore(link, limits), LetterStore(link, limits)
        self._backlog = BacklogStore(link, limits)

    def do(self, name: str, *args: Any, **named: Any) -> Any:
        """Call the one store that has a method of this name."""
        part = next(part for part in self._parts if hasattr(part, name))
        return self._runner.run(getattr(part, name)(*args, **named))

    def remove_abandoned(self, session_id: str) -> bool:
        """Remove as the aggregator does: the gateway's part has the other method of this name."""
        return bool(self._runner.run(self._parts[2].remove(session_id)))

    def deliver(self, name: str, *args: Any, **named: Any) -> Any:
        """Call the notifier's part."""
        return self._runner.run(getattr(self._deliveries, name)(*args, **named))

    def write_to(self, name: str, *args: Any, **named: Any) -> Any:
        """Call the part of dead letters."""
        return self._runner.run(getattr(self._letters, name)(*args, **named))

    def letters(self) -> list[tuple[LetterId, Letter]]:
        """Read all dead letters."""

        async def found() -> list[tuple[LetterId, Letter]]:
            return [entry async for entry in self._letters.find(Wanted())]

        return self._runner.run(found())

    def dropped(self) -> int:
        """Read how many letters had no room."""
        return int(self._command("hget", ShardKeys(0).letters_size, "dropped") or 0)

    def lose_letter(self, letter_id: LetterId) -> None:
        """Let a letter go as by hand, or by a version that counts nothing."""
        self._command("xdel", ShardKeys(0).letters, letter_id.entry)

    def expire_letters(self, seconds: float) -> None:
        """Let old letters go."""
        self._runner.run(self._backlog.expire_letters(seconds))

    def replays(self) -> dict[str, int]:
        """Read which letters are to be sent again, with the ms when."""
        entries = self._command("zrange", ShardKeys(0).replay, 0, -1, withscores=True)
        return {entry.decode(): int(at) for entry, at in entries}

    def look(self, session_id: str) -> Seen:
        """Read all of a session."""
        return self._runner.run(look(self._redis, self._parts[0].keys(session_id)))

    def expire(self, session_id: str) -> None:
        """Let the keys of a session go, as at the end of their time to live."""
        keys = self._parts[0].keys(session_id)
        self._command("unlink", keys.meta, keys.audio, keys.log)

    def lose(self, session_id: str) -> None:
        """Let go of all of a session, its places in the indexes too."""
        self.put_back(session_id, ({}, [None] * len(self._indexes(session_id)), {}, {}))

    def copy(self, session_id: str) -> Copy:
        """Read all of a session, to be put back later."""
        values = {key: self._command("dump", key) for key in self._own(session_id)}
        places = [self._command("zscore", key, session_id) for key in self._indexes(session_id)]
        tokens = {key: self._command("hget", key, session_id) for key in self._hashes(session_id)}
        return values, places, tokens, self._outgoing(session_id)

    def _outgoing(self, session_id: str) -> dict[bytes, float]:
        key = self._parts[0].keys(session_id).outgoing
        found = self._command("zrange", key, 0, -1, withscores=True)
        return {member: at for member, at in found if member.startswith(f"{session_id}|".encode())}

    def put_back(self, session_id: str, copy: Copy) -> None:
        """Let a session be what it was once."""
        values, places, tokens, deliveries = copy
        key = self._parts[0].keys(session_id).outgoing
        for member in self._outgoing(session_id):
            self._command("zrem", key, member)
        for member, at in deliveries.items():
            self._command("zadd", key, {member: at})
        for key in self._own(session_id):
            self._command("unlink", key)
            if values.get(key):
                self._command("restore", key, 600_000, values[key])
        for key, place in zip(self._indexes(session_id), places, strict=True):
            self._command("zrem", key, session_id)
            if place is not None:
                self._command("zadd", key, {session_id: place})
        for key in self._hashes(session_id):
            self._command("hdel", key, session_id)
            if tokens.get(key):
                self._command("hset", key, session_id, tokens[key])

    def _own(self, session_id: str) -> list[str]:
        keys = self._parts[0].keys(session_id)
        return [keys.meta, keys.audio, keys.log, keys.removed]

    def _indexes(self, session_id: str) -> list[str]:
        keys = self._parts[0].keys(session_id)
        lines = [keys.line(engine) for engine in ENGINES]
        return [keys.waiting, keys.lined, keys.leases, keys.due, keys.sessions, *lines]

    def _hashes(self, session_id: str) -> list[str]:
        keys = self._parts[0].keys(session_id)
        return [keys.fences, keys.tries, keys.policies]

    def reset(self, now: int) -> None:
        """Empty the Redis and set the clock of the scripts, in ms."""
        self._command("flushdb")
        self.set_clock(now)

    def set_clock(self, now: int) -> None:
        """Set the clock of the scripts, in ms."""
        self._command("set", _CLOCK, now)

    def load_scripts(self) -> None:
        """Have the server compile every script; raises if one is no Lua."""
        for name in script_names() - {"prelude", "lines", "session", "letters"}:
            self._command("script_load", scripts_module.source(name))

    def _command(self, name: str, *args: Any, **named: Any) -> Any:
        async def run() -> Any:
            return await getattr(self._redis, name)(*args, **named)

        return self._runner.run(run())


@contextmanager
def open_rig(url: str, limits: Limits, mutant: Mutant | None = None) -> Iterator[Rig]:
    """Open the stores on a Redis; the scripts read their time from a key, and may be mutated."""

    @cache
    def altered(script: str) -> str:
        text = mutant.apply(source(script)) if mutant else source(script)
        return text.replace(_SERVER_TIME, _TEST_TIME)

    with (
        asyncio.Runner() as runner,
        patch.object(scripts_module, "source", altered),
        patch.object(link_module, "ANSWER_SECONDS", 60.0),  # no rule speaks of a slow server
    ):
        stack = AsyncExitStack()
        link = runner.run(stack.enter_async_context(open_link(url)))
        redis = Redis.from_url(url, protocol=2)
        stack.push_async_callback(redis.aclose)
        try:
            yield Rig(runner, link, redis, limits)
        finally:
            runner.run(stack.aclose())
