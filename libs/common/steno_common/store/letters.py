"""Dead letters of all shards: to be listed, sent again, thrown away."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from steno_common.errors import MessageError
from steno_common.keys import ShardKeys
from steno_common.letters import ROOM_BYTES, Letter, decode_letter, encode_letter
from steno_common.store.base import Part
from steno_common.store.deliveries import LEASE_MS
from steno_common.store.scripts import Call

PAGE: Final = 200
"""Letters of a shard that are read at a time."""


class LetterId(NamedTuple):
    """When a letter was written, and where; sorts by time."""

    at_ms: int
    place: int
    shard: int

    @property
    def entry(self) -> str:
        """Its id in the stream of its shard."""
        return f"{self.at_ms}-{self.place}"

    def __str__(self) -> str:
        return f"{self.shard}-{self.entry}"

    @classmethod
    def read(cls, text: str) -> "LetterId":
        """Read the form `shard-ms-place`; raises ValueError."""
        if not text.isascii() or len(text) > 48:
            raise ValueError("not the id of a letter")
        shard, at_ms, place = (_number(part) for part in text.split("-"))
        return cls(at_ms, place, shard)

    @classmethod
    def of_entry(cls, shard: int, entry: bytes) -> "LetterId":
        """Give the id of an entry of a shard's stream."""
        at_ms, _, place = entry.partition(b"-")
        return cls(int(at_ms), int(place), shard)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) >= 1 << 63:
        raise ValueError("not the id of a letter")
    return int(text)


FIRST: Final = LetterId(0, 0, -1)
"""Before every letter."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which letters somebody asks for; empty: whichever."""

    destination: str = ""
    """Name of one."""
    session_id: str = ""

    def has(self, letter: Letter) -> bool:
        """Say whether a letter is among them."""
        return self.destination in ("", letter.destination.name) and self.session_id in (
            "",
            letter.session.session_id,
        )


@dataclass(frozen=True, slots=True)
class LetterStore(Part):
    """Dead letters; every call may be repeated."""

    async def find(
        self, wanted: Wanted, after: LetterId = FIRST
    ) -> AsyncIterator[tuple[LetterId, Letter]]:
        """Give letters behind one, the oldest first.

        Shards whose Redis is away have none; raises StoreUnavailableError if all are. What is no
        letter of this version is passed over.
        """
        shards = self.shards if not wanted.session_id else [self.keys(wanted.session_id).shard]
        while True:
            pages = await self._pages(shards, after)
            full = [page[-1][0] for page in pages if len(page) == PAGE]
            # Behind the end of a full page there may be letters older than those of other shards.
            known = min(full, default=None)
            for letter_id, letter in sorted(entry for page in pages for entry in page):
                if letter is not None and wanted.has(letter) and (not known or letter_id <= known):
                    yield letter_id, letter
            if known is None:
                return
            after = known

    async def _pages(
        self, shards: Sequence[int], after: LetterId
    ) -> list[list[tuple[LetterId, Letter | None]]]:
        def read(pipe: Any, held: Sequence[int]) -> None:
            for keys in map(ShardKeys, held):
                # Of another shard one of the same time may come behind it.
                begin = after.entry if keys.shard > after.shard else f"({after.entry}"
                pipe.xrange(keys.letters, begin, "+", count=PAGE)

        return [
            [(LetterId.of_entry(shard, name), _letter(fields)) for name, fields in entries]
            for held, answers in await self.link.each(shards, read)
            for shard, entries in zip(held, answers, strict=True)
        ]

    async def read(self, letter_id: LetterId) -> Letter | None:
        """Read one letter; None if there is none."""
        keys = ShardKeys(letter_id.shard)
        (entries,) = await self.link.ask(
            keys.shard, lambda pipe: pipe.xrange(keys.letters, letter_id.entry, letter_id.entry)
        )
        return _letter(entries[0][1]) if entries else None

    async def resend(self, letters: Sequence[tuple[LetterId, Letter]]) -> int:
        """Have notifiers send letters again; gives how many of them there are."""
        by_shard: dict[int, list[str | int]] = {}
        for letter_id, letter in letters:
            made = letter.created_ms or letter_id.at_ms
            by_shard.setdefault(letter_id.shard, []).extend((letter_id.entry, made))
        calls = [
            Call("resend", shard, [ShardKeys(shard).letters, ShardKeys(shard).replay], entries)
            for shard, entries in by_shard.items()
        ]
        return sum(await self.link.run_all(calls))

    async def take(self, shards: Sequence[int], count: int) -> list[LetterId]:
        """Take up to `count` letters of each shard that are to be sent again.

        Of a shard of which somebody has letters in hand there are none.
        """
        calls = [
            Call("redeem", shard, [ShardKeys(shard).replay], [LEASE_MS, count]) for shard in shards
        ]
        found = zip(shards, await self.link.run_all(calls), strict=True)
        return sorted(LetterId.of_entry(shard, entry) for shard, each in found for entry in each)

    async def hold(self, letter_ids: Sequence[LetterId]) -> None:
        """Keep letters for a while longer that were taken."""
        by_shard: dict[int, list[str]] = {}
        for letter_id in letter_ids:
            by_shard.setdefault(letter_id.shard, []).append(letter_id.entry)
        await self.link.try_all(
            [
                Call("hold", shard, [ShardKeys(shard).replay], [LEASE_MS, *entries])
                for shard, entries in by_shard.items()
            ]
        )

    async def leave(self, letter_ids: Sequence[LetterId]) -> None:
        """Let letters be what they were before they were to be sent again."""

        def remove(pipe: Any, held: Sequence[int]) -> None:
            for shard in held:
                entries = [each.entry for each in letter_ids if each.shard == shard]
                pipe.zrem(ShardKeys(shard).replay, *entries)

        if letter_ids:
            await self.link.each({each.shard for each in letter_ids}, remove)

    async def dispose(self, letter_ids: Sequence[LetterId]) -> int:
        """Let letters go; gives how many of them there were."""
        calls = [
            Call("dispose", each.shard, _keys(each.shard), [each.entry, "", 0, 0])
            for each in letter_ids
        ]
        return sum(await self.link.run_all(calls))

    async def renew(self, letter_id: LetterId, letter: Letter, *, most: int) -> bool:
        """Put a letter that failed again in the place of the one it was; False if that is gone."""
        call = Call("dispose", letter_id.shard, _keys(letter_id.shard),
                    [letter_id.entry, encode_letter(letter), most, most * ROOM_BYTES])  # fmt: skip
        return bool(await self.link.run(call))


def _keys(shard: int) -> list[str]:
    keys = ShardKeys(shard)
    return [keys.letters, keys.letters_size, keys.replay]


def _letter(fields: dict[bytes, bytes]) -> Letter | None:
    try:
        return decode_letter(fields[b"p"])
    except (MessageError, KeyError):
        return None
