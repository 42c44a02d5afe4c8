"""What every part of the store has: a link, the key space, the limits."""

from collections.abc import Sequence
from dataclasses import dataclass

from steno_common.errors import MessageError
from steno_common.keys import KeySpace, SessionKeys, ShardKeys
from steno_common.messages import Event, Message, Numbered, Session, decode
from steno_common.store.limits import Limits
from steno_common.store.link import Link
from steno_common.store.scripts import Call

__all__ = ["Numbered", "Part", "delivered_to", "read_events", "session_call", "shard_call"]


def session_call(script: str, keys: SessionKeys, *args: str | int | bytes) -> Call:
    """Address a session script: the same keys in the same order for all of them."""
    names = (
        keys.meta, keys.audio, keys.log, keys.waiting, keys.leases,
        keys.fences, keys.tries, keys.due, keys.sessions, keys.events, keys.removed,
        keys.lined, keys.policies, keys.outgoing,
    )  # fmt: skip
    return Call(script, keys.shard, names, (keys.session_id, *args))


def delivered_to(session: Session) -> str:
    """Give the names of a session's destinations as the scripts know them."""
    return ",".join(destination.name for destination in session.destinations)


def shard_call(script: str, keys: ShardKeys, *args: str | int | bytes) -> Call:
    """Address a script over the indexes of one shard."""
    names = (keys.waiting, keys.leases, keys.fences, keys.tries)
    return Call(script, keys.shard, names, args)


def read_events(entries: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> list[Numbered]:
    """Decode entries of a log; what is no event of this contract is passed over.

    A log is written by scripts alone, so an unknown entry comes from a newer version; the numbers
    of the others stay what they are.
    """
    events = []
    for entry_id, fields in entries:
        try:
            message: Message = decode(fields[b"p"])
        except (MessageError, KeyError):
            continue
        if isinstance(message, Event):
            events.append(Numbered(int(entry_id.partition(b"-")[0]), message))
    return events


@dataclass(frozen=True, slots=True)
class Part:
    """Base of the parts that services play."""

    link: Link
    limits: Limits

    @property
    def space(self) -> KeySpace:
        """Names of all keys."""
        return KeySpace(self.limits.shards)

    @property
    def shards(self) -> range:
        """Numbers of all shards."""
        return range(self.limits.shards)

    def keys(self, session_id: str) -> SessionKeys:
        """Names of one session's keys."""
        return self.space.session(session_id)

    async def events(self, session_id: str, after: int = 0, count: int = 1000) -> list[Numbered]:
        """Read the log of a session from the event behind `after` on."""
        keys = self.keys(session_id)
        (entries,) = await self.link.ask(
            keys.shard, lambda pipe: pipe.xrange(keys.log, f"{after + 1}-0", "+", count=count)
        )
        return read_events(entries)
