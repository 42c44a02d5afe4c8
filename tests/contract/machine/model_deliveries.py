"""What the scripts promise the notifier, in plain Python."""

from collections.abc import Sequence

from tests.contract.machine.model_gateway import Book

from steno_common.letters import ROOM_BYTES, Letter, encode_letter
from steno_common.store.deliveries import LEASE_MS, Place, Settled, Standing


class Notifier(Book):
    """What a notifier is promised."""

    def take(self, shards: Sequence[int], count: int) -> list[Place]:
        found = sorted((at, Place(sid, name).member) for sid, state in self.states.items()
                       for name, at in state.places.items()
                       if at <= self.now and self.shard(sid) in shards)  # fmt: skip
        taken = [Place.read(member.encode()) for _, member in found[:count]]
        for sid, name in taken:
            self.state(sid).places[name] = self.now + LEASE_MS
        return taken

    def hold(self, places: Sequence[Place]) -> None:
        for sid, name in places:
            held = self.state(sid).places
            if self.now < held.get(name, 0) < self.now + LEASE_MS:
                held[name] = self.now + LEASE_MS

    def put_off(self, places: Sequence[Place], seconds: float) -> None:
        for sid, name in places:
            if name in (held := self.state(sid).places):
                held[name] = self.now + round(seconds * 1000)

    def standing(self, places: Sequence[Place]) -> dict[Place, Standing | None]:
        return {place: self._standing(*place) for place in places}

    def _standing(self, sid: str, name: str) -> Standing | None:
        state = self.state(sid)
        if not state.exists:
            return None
        return Standing(self.configs[sid], state.epoch, len(state.events),
                        state.cursors.get(name, 0), state.failed.get(name, 0),
                        name in state.gone)  # fmt: skip

    def drop(self, place: Place) -> None:
        state = self.state(place.session_id)
        if not state.exists:
            state.places.pop(place.name, None)

    def settle(self, place: Place, standing: Standing, through: int) -> Settled:
        return self._settle(place, standing, through)

    def give_up(
        self, place: Place, standing: Standing, letter: Letter, *, most: int, gone: bool = False
    ) -> Settled:
        return self._settle(place, standing, letter.number, letter, most=most, gone=gone)

    def _settle(
        self, place: Place, standing: Standing, through: int, letter: Letter | None = None,
        *, most: int = 0, gone: bool = False,
    ) -> Settled:  # fmt: skip
        sid, name = place
        state = self.state(sid)
        if not state.exists:
            state.places.pop(name, None)
            return Settled.MISSING
        cursor = state.cursors.get(name, 0)
        if state.epoch != standing.epoch or cursor not in {standing.cursor, through}:
            return Settled.ELSEWHERE
        if letter and cursor == standing.cursor:
            self.post(letter, most)
        state.failed.pop(name, None)
        state.cursors[name] = through
        if gone:
            state.gone.add(name)
        if len(state.events) > through:
            state.places[name] = self.now + LEASE_MS
            return Settled.MORE
        state.places.pop(name, None)
        return Settled.DONE

    def post(self, letter: Letter, most: int) -> None:
        """Keep a letter; where there is no room for all, the oldest go."""
        self.letters.append(letter)
        while len(self.letters) > 1 and (
            len(self.letters) > most
            or sum(len(encode_letter(each)) for each in self.letters) > most * ROOM_BYTES
        ):
            del self.letters[0]
            self.dropped += 1

    def retry(self, place: Place, standing: Standing, seconds: float) -> Settled:
        sid, name = place
        state = self.state(sid)
        if not state.exists:
            state.places.pop(name, None)
            return Settled.MISSING
        known = state.epoch, state.cursors.get(name, 0), state.failed.get(name, 0)
        if known != (standing.epoch, standing.cursor, standing.tries):
            return Settled.ELSEWHERE
        state.failed[name] = standing.tries + 1
        state.places[name] = self.now + round(seconds * 1000)
        return Settled.DONE
