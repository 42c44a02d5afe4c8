"""Sessions on their way to the clients that keep them, and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from steno_common.messages import Event, Session, decode, encode
from steno_common.policy import pack
from steno_common.saved import Saved, told_by
from steno_common.store.base import Part, delivered_to, session_call
from steno_common.store.sessions import Outcome
from steno_common.store.translations import fields

MOST_EVENTS: Final = 10_000
"""That one answer brings: a client that is further behind keeps none, and cannot restore."""


@dataclass(frozen=True, slots=True)
class Save:
    """What a client is given at a time."""

    outcome: Outcome
    saved: Saved | None = None
    """None: there is nothing to be kept."""
    payloads: tuple[bytes, ...] = ()
    """Encoded events behind those it has, in order."""


@dataclass(frozen=True, slots=True)
class SaveStore(Part):
    """Sessions on their way to a client and back; every call may be repeated."""

    async def save(self, session_id: str, conn: int, have: int) -> Save:
        """Read where a session stands, for a client that has its events through `have`."""
        call = session_call("save", self.keys(session_id), conn, have, MOST_EVENTS)
        code, *rest = await self.link.run(call)
        if code != Outcome.DONE:
            return Save(Outcome(code))
        (config, conn_, connections, event, commits, consumed, done, offset, border, context,
         heard, transcribed, silence, latency, latencies, carried) = rest[0]  # fmt: skip
        session = decode(config)
        assert isinstance(session, Session)
        saved = Saved(
            session, int(conn_), _int(connections), _int(event), _int(commits),
            (consumed or b"0-0").decode(), _int(done), _int(offset), _int(border),
            (context or b"").decode(), _int(heard), _int(transcribed), _int(silence),
            _int(latency), _int(latencies), carried or b"",
        )  # fmt: skip
        return Save(Outcome.DONE, saved, tuple(rest[1]))

    async def restore(self, saved: Saved, log: Sequence[Event], epoch: str) -> Outcome:
        """Make a session again in a new epoch, unless it is there and not behind that.

        `log` are its events from 1 through `saved.event`. MISSING: it was removed for good.
        """
        told, limits = told_by(log), self.limits
        call = session_call(
            "restore", self.keys(saved.session.session_id), encode(saved.session), epoch,
            saved.conn, saved.connections, saved.commits, saved.consumed, saved.done, saved.offset,
            saved.border, saved.context, saved.heard, saved.transcribed, saved.silence,
            saved.latency_ms, saved.latencies, saved.carried, told.open_from or "", told.last_end,
            told.utterances, told.finals, limits.idle_ms, limits.abandon_ms,
            delivered_to(saved.session), limits.delivery_keep_ms,
            msgspec.msgpack.encode(fields(told.translations)),
            pack(saved.session.engines, limits.engine_grace_ms),
            *(encode(event) for event in log),
        )  # fmt: skip
        return Outcome(await self.link.run(call))


def _int(value: bytes | None) -> int:
    return int(value or 0)
