"""Everything that Redis holds of one session, as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from steno_common.keys import SessionKeys
from steno_common.messages import Event, decode
from steno_common.policy import Choice, unpack
from steno_common.store.deliveries import Place

AudioEntry = tuple[str, str, bytes, int, bytes]
"""Id, marker or '', PCM, arrival in ms, state of the decoder behind it."""

ENGINES: Final = ("a", "b", "c")
"""Of the policies of tests."""


@dataclass
class State:
    """A session with its places in the indexes of its shard; None where it has no place."""

    exists: bool = False
    status: str = ""
    before: str = ""
    epoch: str = ""
    conn: int = 0
    connections: int = 0
    next: int = 0
    received: int = 0
    carry: bytes = b""
    carried: bytes = b""
    """The carry of chunk `done`."""
    seen: int = 0
    ended: bool = False
    last_marker: tuple[int, int, str] | None = None
    """Sequence number it stands behind, its place there, its kind."""
    commits: int = 0
    consumed: str = "0-0"
    done: int = 0
    offset: int = 0
    border: int = 0
    heard: int = 0
    context: str = ""
    transcribed: int = 0
    silence: int = 0
    open_from: int = 0
    last_end: int = 0
    utterances: int = 0
    finals: int = 0
    latencies: list[int] = field(default_factory=lambda: [0, 0])
    """Sum in ms, count."""
    deferrals: int = 0
    measured: bytes = b""
    figures: bytes = b""
    handed: int = 0
    finished: int = 0
    """Number of the event that ends it."""
    translated_bytes: int = 0
    translated: dict[str, int] = field(default_factory=dict)
    """Of translations in the log, by the fields that name them."""
    removed: bool = False
    audio: list[AudioEntry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    engine: str = ""
    choices: tuple[Choice, ...] = ()
    waiting: int | None = None
    lined: int | None = None
    lines: dict[str, int] = field(default_factory=dict)
    """From when on each engine may take it."""
    lease: int | None = None
    fence: int | None = None
    tries: int | None = None
    due: int | None = None
    abandoned: int | None = None
    places: dict[str, int] = field(default_factory=dict)
    """Destinations in the index of deliveries, with the ms when each must be looked at."""
    cursors: dict[str, int] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    @property
    def backlog(self) -> int:
        """Samples stored and not committed."""
        return self.received - self.border

    @property
    def indexed(self) -> bool:
        """Whether anything of it is left in the indexes."""
        places = (self.waiting, self.lined, self.lease, self.fence, self.tries, self.due,
                  self.abandoned)  # fmt: skip
        held = self.lines or self.choices
        return bool(held) or any(place is not None for place in places)


@dataclass(frozen=True)
class Seen:
    """A session read back from Redis, with what every session must have."""

    state: State
    numbers: list[str]
    """Ids of the events."""
    immortal: list[bytes]
    """Keys of the session without a time to live."""
    rings: int
    """Doorbells of the shard so far."""


async def look(redis: Any, keys: SessionKeys) -> Seen:
    """Read all of a session in one round trip."""
    sid, owned = keys.session_id, (keys.meta, keys.audio, keys.log)
    async with redis.pipeline(transaction=True) as pipe:
        pipe.hgetall(keys.meta)
        pipe.xrange(keys.audio)
        pipe.xrange(keys.log)
        lines = [keys.line(engine) for engine in ENGINES]
        for index in (keys.waiting, keys.lined, keys.leases, keys.due, keys.sessions, *lines):
            pipe.zscore(index, sid)
        pipe.hmget(keys.policies, [sid])
        pipe.hmget(keys.fences, [sid])
        pipe.hmget(keys.tries, [sid])
        pipe.xlen(keys.events)
        pipe.exists(keys.removed)
        pipe.zrange(keys.outgoing, 0, -1, withscores=True)
        for key in owned:
            pipe.pttl(key)
        answers = await pipe.execute()
    (meta, audio, log, *places, (policy,), (fence,), (tries,), rings, removed, outgoing,
     ttl0, ttl1, ttl2) = answers  # fmt: skip
    waiting, lined, lease, due, abandoned, *lines = places
    state = _state({name.decode(): value for name, value in meta.items()})
    state.audio = [_audio(*entry) for entry in audio]
    state.events = [_event(fields[b"p"]) for _, fields in log]
    state.waiting, state.lined, state.lease, state.due, state.abandoned = map(
        _number, (waiting, lined, lease, due, abandoned)
    )
    state.choices = unpack((policy or b"").decode())
    state.lines = {
        engine: int(score) for engine, score in zip(ENGINES, lines, strict=True)
        if score is not None
    }  # fmt: skip
    state.removed = bool(removed)
    due = ((Place.read(member), int(at)) for member, at in outgoing)
    state.places = {place.name: at for place, at in due if place.session_id == sid}
    state.fence, state.tries = _number(fence), _number(tries)
    immortal = [
        key.encode() for key, ttl in zip(owned, (ttl0, ttl1, ttl2), strict=True) if ttl == -1
    ]
    return Seen(state, [number.decode() for number, _ in log], immortal, rings)


def _number(score: Any) -> int | None:
    return None if score is None else int(score)


def _audio(entry_id: bytes, fields: dict[bytes, bytes]) -> AudioEntry:
    marker, carry = fields.get(b"c", b"").decode(), fields.get(b"r", b"")
    return entry_id.decode(), marker, fields[b"d"], int(fields[b"t"]), carry


def _event(payload: bytes) -> Event:
    event = decode(payload)
    assert isinstance(event, Event)
    return event


def _state(meta: dict[str, bytes]) -> State:
    def text(name: str) -> str:
        return meta.get(name, b"").decode()

    def number(name: str) -> int:
        return int(meta.get(name, 0))

    def numbers(*names: str) -> Sequence[int]:
        return [number(name) for name in names]

    state = State(exists=bool(meta), carry=meta.get("carry", b""))
    state.carried, state.connections = meta.get("carried", b""), number("connections")
    state.status, state.before, state.epoch = text("status"), text("before"), text("epoch")
    state.context, state.consumed = text("context"), text("consumed") or "0-0"
    state.ended, state.finished = "ended" in meta, number("finished")
    state.engine, state.handed = text("engine"), number("handed")
    state.translated_bytes = number("translated")
    state.translated = {name: int(value) for name, value in meta.items() if name.startswith("tr:")}
    state.conn, state.next, state.received, state.seen = numbers("conn", "next", "received", "seen")
    state.commits, state.done, state.offset, state.border = numbers(
        "commits", "done", "offset", "border"
    )
    state.transcribed, state.silence, state.heard = numbers("transcribed", "silence", "heard")
    state.open_from, state.utterances, state.finals = numbers("wfrom", "utterances", "finals")
    state.last_end, state.deferrals = numbers("last_end", "deferrals")
    state.latencies = [number("lat_sum"), number("lat_n")]
    state.cursors, state.failed = (
        {name.removeprefix(kind): int(value) for name, value in meta.items()
         if name.startswith(kind)}
        for kind in ("to:", "tries:")
    )  # fmt: skip
    state.gone = {name.removeprefix("gone:") for name in meta if name.startswith("gone:")}
    state.measured, state.figures = meta.get("measured", b""), meta.get("figures", b"")
    if "mseq" in meta:
        state.last_marker = number("mseq"), number("mn"), text("mkind")
    return state
