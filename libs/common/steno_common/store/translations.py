"""Translations that come back: into the log of a session, each once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from steno_common.messages import Final as FinalEvent
from steno_common.messages import Translation, encode
from steno_common.store.base import Part, read_events, session_call
from steno_common.store.sessions import Outcome

MOST_BYTES: Final = 4 << 20
"""Of one session's translations in its log: sixteen languages of an hour of quick talk."""
PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a translation."""

    outcome: Outcome
    number: int
    """Of its event; 0 if it has none."""


def place(translation: Translation) -> str:
    """Name the field that says where the translation of a final is."""
    return f"tr:{translation.event}:{translation.language}"


def fields(translations: Mapping[int, Translation]) -> dict[str, int]:
    """Give all fields that follow from the translations of a log, by their numbers."""
    places = {place(each): number for number, each in translations.items()}
    held = sum(len(encode(each)) for each in translations.values())
    return places | {"translated": held} if translations else {}


@dataclass(frozen=True, slots=True)
class TranslationStore(Part):
    """Translations as a gateway takes them; every call may be repeated."""

    most_bytes: int = MOST_BYTES

    async def made_at(self, session_id: str, created_ms: int) -> int:
        """Give the number of the final that was made at a time, 0 if there is none.

        The newest are looked at first: it is mostly one of them.
        """
        last = "+"
        while True:
            entries = await self._newest(session_id, last)
            for numbered in read_events(entries):
                event = numbered.event
                if isinstance(event, FinalEvent) and event.created_ms == created_ms:
                    return numbered.number
            if len(entries) < PAGE:
                return 0
            last = "(" + entries[-1][0].decode()

    async def _newest(self, session_id: str, last: str) -> list[tuple[bytes, dict[bytes, bytes]]]:
        keys = self.keys(session_id)
        (entries,) = await self.link.ask(
            keys.shard, lambda pipe: pipe.xrevrange(keys.log, last, count=PAGE)
        )
        return list(entries)

    async def translate(self, session_id: str, translation: Translation, epoch: str = "") -> Stored:
        """Store a translation; the session may be over, as long as it is there.

        `epoch`: the life of the session that the final's number is of; empty: the present one.
        DONE; NOTHING: that final has one in this language; FULL: the session has no room for it;
        MISSING: no such session; UNKNOWN: no such final.
        """
        code, number = await self.link.run(
            session_call("translate", self.keys(session_id), translation.event, place(translation),
                         epoch, self.most_bytes, encode(translation))
        )  # fmt: skip
        return Stored(Outcome(code), number)
