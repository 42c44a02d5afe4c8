"""What the stores promise to read, in plain Python."""

from collections.abc import Mapping, Sequence

from tests.contract.machine.model_gateway import Book
from tests.contract.machine.state import AudioEntry

from steno_common.keys import KeySpace
from steno_common.messages import Numbered
from steno_common.store.sessions import Snapshot
from steno_common.store.windows import Due
from steno_common.store.work import EXPIRED_BOUND, WAITING_BOUND, Entry, Waiting


def order(entry_id: str) -> tuple[int, ...]:
    """Give what entries of a stream are sorted by."""
    return tuple(map(int, entry_id.split("-")))


class Reader(Book):
    """What every service reads, without an effect on what it reads."""

    def events(self, sid: str, after: int = 0, count: int = 1000) -> list[Numbered]:
        log = self.state(sid).events
        return [Numbered(n, event) for n, event in enumerate(log, 1) if n > after][:count]

    def snapshot(self, sid: str) -> Snapshot | None:
        state = self.state(sid)
        if not state.exists:
            return None
        session, (late, count) = self.configs[sid], state.latencies
        return Snapshot(session, state.status, session.created_ms, state.seen, state.next - 1,
                        state.received, state.transcribed, state.silence, len(state.events),
                        state.epoch, state.finished, state.done, state.connections,
                        late // max(count, 1), state.finals,
                        state.measured, state.figures, state.engine, state.handed)  # fmt: skip

    def read(self, positions: Mapping[str, str], count: int) -> dict[str, list[Entry]]:
        found = {}
        for sid, after in positions.items():
            news = [entry for entry in self.state(sid).audio if order(entry[0]) > order(after)]
            if news:
                found[sid] = [_entry(entry) for entry in news[:count]]
        return found

    def waiting(self, engine: str = "") -> list[Waiting]:
        found = []
        for shard in KeySpace(self.limits.shards).all_shards():
            mine = [(sid, state) for sid, state in self.states.items()
                    if self.shard(sid) == shard.shard]  # fmt: skip
            leases = sorted((s.lease, sid) for sid, s in mine if s.lease is not None)
            expired = [each for each in leases[:EXPIRED_BOUND] if each[0] <= self.now]
            waiting = sorted((s.waiting, sid) for sid, s in mine if s.waiting is not None)
            line = sorted((s.lines[engine], sid) for sid, s in mine if engine in s.lines)
            ripe = [each for each in line[:WAITING_BOUND] if each[0] <= self.now]
            named = [*expired, *ripe, *waiting[:WAITING_BOUND]]
            if named:
                waits = {sid: max(0.0, (self.now - since) / 1000) for since, sid in named}
                found.append(Waiting(shard, waits, len(ripe)))
        return found

    def due(self, shards: Sequence[int] | None = None, count: int = 50) -> list[Due]:
        index = {sid: state.due for sid, state in self.states.items()}
        return self._until_now(index, shards, count)

    def abandoned(self, shards: Sequence[int] | None = None, count: int = 50) -> list[Due]:
        index = {sid: state.abandoned for sid, state in self.states.items()}
        return self._until_now(index, shards, count)

    def _until_now(
        self, index: Mapping[str, int | None], shards: Sequence[int] | None, count: int
    ) -> list[Due]:
        found = []
        for shard in shards or range(self.limits.shards):
            mine = [(at, sid) for sid, at in index.items()
                    if at is not None and at <= self.now and self.shard(sid) == shard]  # fmt: skip
            found += [Due(sid, self.now - at) for at, sid in sorted(mine)[:count]]
        return found


def _entry(entry: AudioEntry) -> Entry:
    entry_id, marker, pcm, arrival_ms, _ = entry
    return Entry(entry_id, order(entry_id)[0], pcm, marker, arrival_ms)  # type: ignore[arg-type]
