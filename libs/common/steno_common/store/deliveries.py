"""The notifier's part: where deliveries stand, each a cursor over the log of its session."""

import dataclasses
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, NamedTuple

import msgspec

from steno_common.errors import MessageError
from steno_common.keys import SessionKeys, ShardKeys
from steno_common.letters import ROOM_BYTES, Letter, encode_letter
from steno_common.messages import Numbered, Session, decode
from steno_common.store.base import Part, read_events, session_call
from steno_common.store.scripts import Call

LEASE_SECONDS: Final = 5.0
"""A delivery whose notifier is silent for this long is another's."""
LEASE_MS: Final = round(LEASE_SECONDS * 1000)


class Place(NamedTuple):
    """A destination of a session."""

    session_id: str
    name: str

    @property
    def member(self) -> str:
        """As the index names it."""
        return f"{self.session_id}|{self.name}"

    @classmethod
    def read(cls, member: bytes) -> "Place":
        """Read how the index names it."""
        session_id, _, name = member.decode().rpartition("|")
        return cls(session_id, name)


class Standing(msgspec.Struct, frozen=True):
    """How far a delivery is."""

    session: Session
    epoch: str
    event: int
    """Newest event of the session when this was read."""
    cursor: int
    """Last event that the destination got, or does not want."""
    tries: int
    """Failed ones of the next event."""
    gone: bool
    """The destination takes nothing any more."""


@dataclass(frozen=True, slots=True)
class Made:
    """An event of a log."""

    numbered: Numbered
    at_ms: int
    """When it was made; 0: not known."""


class Settled(IntEnum):
    """What became of a delivery's cursor."""

    MORE = 2
    """It moved, and more is to be delivered, still by the same notifier."""
    DONE = 1
    """It moved, and nothing follows."""
    ELSEWHERE = 0
    """Another notifier has moved it, or the session has another life."""
    MISSING = -5


@dataclass(frozen=True, slots=True)
class DeliveryStore(Part):
    """Deliveries as the notifiers share them; every call may be repeated."""

    async def take(self, shards: Sequence[int], count: int) -> list[Place]:
        """Take up to `count` deliveries of each shard that are due, for LEASE_SECONDS."""
        calls = [
            Call("take", shard, [ShardKeys(shard).outgoing], [LEASE_MS, count]) for shard in shards
        ]
        return [Place.read(member) for found in await self.link.run_all(calls) for member in found]

    async def hold(self, places: Sequence[Place]) -> None:
        """Keep deliveries taken, for another LEASE_SECONDS."""
        await self._move("hold", places, LEASE_MS)

    async def put_off(self, places: Sequence[Place], seconds: float = 0.0) -> None:
        """Give deliveries back, to be taken by any notifier after so many seconds."""
        await self._move("putoff", places, round(seconds * 1000))

    async def _move(self, script: str, places: Sequence[Place], ms: int) -> None:
        await self.link.try_all(
            [
                Call(script, shard, [ShardKeys(shard).outgoing], [ms, *(p.member for p in some)])
                for shard, some in self._by_shard(places).items()
            ]
        )

    def _by_shard(self, places: Sequence[Place]) -> dict[int, list[Place]]:
        by_shard: dict[int, list[Place]] = {}
        for place in places:
            by_shard.setdefault(self.keys(place.session_id).shard, []).append(place)
        return by_shard

    async def standing(self, places: Sequence[Place]) -> dict[Place, Standing | None]:
        """Read how far deliveries are, those of one Redis in one round trip.

        None: the session is gone. Those whose Redis is away are left out, as are those that only
        a later version can read.
        """
        by_shard = self._by_shard(places)

        def read(pipe: Any, shards: Sequence[int]) -> None:
            for shard in shards:
                for session_id, name in by_shard[shard]:
                    pipe.hmget(self.keys(session_id).meta, ["config", "epoch", "event",
                               f"to:{name}", f"tries:{name}", f"gone:{name}"])  # fmt: skip

        found: dict[Place, Standing | None] = {}
        for shards, answers in await self.link.each(by_shard, read):
            asked = [place for shard in shards for place in by_shard[shard]]
            for place, held in zip(asked, answers, strict=True):
                with suppress(MessageError):
                    found[place] = _standing(held)
        return found

    async def commits(self, session_id: str) -> int:
        """Read how many commits a session has had: a partial of before the last one is stale."""
        keys = self.keys(session_id)
        (held,) = await self.link.ask(keys.shard, lambda pipe: pipe.hget(keys.meta, "commits"))
        return int(held or 0)

    async def made(self, session_id: str, after: int, count: int) -> tuple[list[Made], int]:
        """Read up to `count` events behind `after`; gives the number of the last one read too.

        That is not always the last one given: what is no event of this version is passed over.
        """
        keys = self.keys(session_id)
        (entries,) = await self.link.ask(
            keys.shard, lambda pipe: pipe.xrange(keys.log, f"{after + 1}-0", "+", count=count)
        )
        times = {int(name.partition(b"-")[0]): int(held.get(b"t", 0)) for name, held in entries}
        made = [Made(numbered, times[numbered.number]) for numbered in read_events(entries)]
        return made, max(times, default=after)

    async def settle(self, place: Place, standing: Standing, through: int) -> Settled:
        """Move a cursor behind events that were delivered, or are not wanted."""
        return await self._settle(place, standing, through, "", most=0, gone=False)

    async def give_up(
        self, place: Place, standing: Standing, letter: Letter, *, most: int, gone: bool = False
    ) -> Settled:
        """Make a letter of an event and move the cursor behind it, both or neither.

        `most`: letters that a shard keeps, of ROOM_BYTES each; `gone`: all that follows becomes
        letters.
        """
        payload = encode_letter(letter)
        return await self._settle(place, standing, letter.number, payload, most=most, gone=gone)

    async def _settle(
        self, place: Place, standing: Standing, through: int, letter: bytes | str,
        *, most: int, gone: bool,
    ) -> Settled:  # fmt: skip
        keys = self.keys(place.session_id)
        call = session_call(
            "settle", keys, place.name, standing.epoch, standing.cursor, through, LEASE_MS,
            self.limits.retention_ms, letter, most, most * ROOM_BYTES, int(gone),
        )  # fmt: skip
        return Settled(await self.link.run(_with_letters(call, keys)))

    async def drop(self, place: Place) -> None:
        """Forget a delivery whose session is gone."""
        await self.settle(place, Standing(Session("", 0, ""), "", 0, 0, 0, gone=False), 0)

    async def retry(self, place: Place, standing: Standing, seconds: float) -> Settled:
        """Count a failed try, the next to be after so many seconds."""
        call = session_call(
            "retry", self.keys(place.session_id), place.name, standing.epoch, standing.cursor,
            standing.tries, round(seconds * 1000),
        )  # fmt: skip
        return Settled(await self.link.run(call))


def _with_letters(call: Call, keys: SessionKeys) -> Call:
    return dataclasses.replace(call, keys=(*call.keys, keys.letters, keys.letters_size))


def _standing(held: Sequence[bytes | None]) -> Standing | None:
    config, epoch, event, cursor, tries, gone = held
    if config is None or epoch is None:
        return None
    session = decode(config)
    assert isinstance(session, Session)
    return Standing(session, epoch.decode(), int(event or 0), int(cursor or 0), int(tries or 0),
                    gone is not None)  # fmt: skip


def advanced(standing: Standing, through: int, *, gone: bool = False) -> Standing:
    """Give where a delivery stands once its cursor has moved, behind a `gone` too."""
    return msgspec.structs.replace(standing, cursor=through, tries=0, gone=standing.gone or gone)
