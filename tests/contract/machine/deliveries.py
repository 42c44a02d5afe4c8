"""Rules of notifiers: what they take, deliver, put off, give up."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from tests.contract.machine.bench import SESSIONS, some
from tests.contract.machine.losses import LossyMachine

from steno_common.letters import Letter
from steno_common.messages import Status
from steno_common.store.deliveries import (
    LEASE_MS,
    Place,
    Settled,
    Standing,
    advanced,
)
from steno_common.store.letters import LetterId

HANDS = 6
"""Deliveries in hand; who took longer ago has crashed."""
WAIT_MS = 700
MOST = 4
"""Letters that are kept."""
_NOTHING = Status("nothing")


class Notifiers(LossyMachine):
    """Notifiers that hold deliveries, or think so, beside everybody else."""

    def __init__(self) -> None:
        super().__init__()
        self.hands: list[tuple[Place, Standing]] = []
        self.replays: dict[str, int] = {}

    def delivering(self, name: str, *args: Any, **named: Any) -> Any:
        """Call the notifier's part beside the model; give the answer that both gave."""
        answer = self.rig.deliver(name, *args, **named)
        assert answer == getattr(self.model, name)(*args, **named)
        return answer

    @rule(count=st.integers(1, 4))
    def take(self, count: int) -> None:
        taken = self.delivering("take", [0], count)
        for place, standing in self.delivering("standing", taken).items():
            self.check(place.session_id)
            if standing is None:
                self.delivering("drop", place)
                self.check(place.session_id)
            else:
                self.hands = [*self.hands[1 - HANDS :], (place, standing)]

    def hand(self, which: int) -> tuple[int, Place, Standing] | None:
        """Choose a delivery in hand; it may be another's by now."""
        if not self.hands:
            self.take(4)
        if not self.hands:
            return None
        at = which % len(self.hands)
        return (at, *self.hands[at])

    @rule(which=some, ahead=st.integers(0, 3), answered=st.booleans())
    def settle(self, which: int, ahead: int, answered: bool) -> None:
        if (hand := self.hand(which)) is None:
            return
        at, place, standing = hand
        through = min(standing.cursor + ahead, standing.event)
        settled = self.delivering("settle", place, standing, through)
        self.check(place.session_id)
        self.settled(at, settled, through, answered=answered)

    def settled(self, at: int, settled: Settled, through: int, *, answered: bool) -> None:
        """Know what the answer says; one that is lost leaves everything to be repeated."""
        place, standing = self.hands[at]
        if answered and settled is Settled.MORE:
            self.hands[at] = place, advanced(standing, through)
        elif answered:
            del self.hands[at]

    @rule(which=some, gone=st.booleans(), answered=st.booleans(), again=st.booleans(),
          length=st.sampled_from([0, 0, 0, 1500, 6000]))  # fmt: skip
    def give_up(self, which: int, gone: bool, answered: bool, again: bool, length: int = 0) -> None:
        if (hand := self.hand(which)) is None or hand[2].cursor >= hand[2].event:
            return
        at, place, standing = hand
        number = standing.cursor + 1
        event = self.model.configs[place.session_id].destinations[0]
        letter = Letter(f"{len(self.model.letters)}", standing.session, standing.epoch, event,
                        number, self.some_event(place, number), tries=standing.tries,
                        reason="x" * length,
                        created_ms=self.model.now + 1_000 - 700 * number)  # fmt: skip
        for _ in range(1 + again):
            settled = self.delivering("give_up", place, standing, letter, most=MOST, gone=gone)
            self.check(place.session_id)
            self.check_letters()
        self.settled(at, settled, number, answered=answered)

    def some_event(self, place: Place, number: int) -> Any:
        """Give an event as a notifier has read it, in the life of the session that it knows."""
        events = self.model.state(place.session_id).events
        return events[min(number, len(events)) - 1] if events else _NOTHING

    @rule(which=some, answered=st.booleans(), seconds=st.sampled_from([WAIT_MS / 1000, 60.0]))
    def retry(self, which: int, answered: bool, seconds: float = WAIT_MS / 1000) -> None:
        if (hand := self.hand(which)) is None:
            return
        at, place, standing = hand
        self.delivering("retry", place, standing, seconds)
        self.check(place.session_id)
        if answered:
            del self.hands[at]

    @rule(which=some, ms=st.sampled_from([0, 1, LEASE_MS]))
    def hold(self, which: int, ms: int) -> None:
        if (hand := self.hand(which)) is None:
            return
        self.pass_time(ms)
        self.delivering("hold", [hand[1]])
        self.check(hand[1].session_id)

    @rule(which=some, seconds=st.sampled_from([0.0, 1.0]))
    def put_off(self, which: int, seconds: float) -> None:
        if (hand := self.hand(which)) is None:
            return
        self.delivering("put_off", [hand[1]], seconds)
        self.check(hand[1].session_id)

    @rule(which=some, ms=st.sampled_from([WAIT_MS, LEASE_MS]))
    def take_over(self, which: int, ms: int) -> None:
        """Let two notifiers hold the same, one of them too late."""
        self.attach(which)
        self.take(4)
        self.retry(which, ms == WAIT_MS)
        self.pass_time(ms)
        self.take(4)
        self.settle(which, 1, answered=True)
        self.settle(which + 1, 1, answered=False)

    @rule(which=some, first=st.sampled_from(["settle", "retry", "remove", "expire", "restore"]),
          then=st.sampled_from(["settle", "retry", "hold", "put off", "take"]),
          ahead=st.integers(0, 3))  # fmt: skip
    def come_late(self, which: int, first: str, then: str, ahead: int) -> None:
        """Let a notifier do something with a delivery of which it does not know the newest."""
        if (hand := self.hand(which)) is None:
            return
        _, place, standing = hand
        newest = list(self.promises)[-SESSIONS:]
        if place.session_id not in newest:
            return
        match first:
            case "settle":
                self.delivering("settle", place, standing, standing.event)
            case "retry":
                self.delivering("retry", place, standing, 60.0)
            case "remove":
                self.touch("remove", place.session_id)
            case "expire":
                self.rig.expire(place.session_id)
                self.model.expire(place.session_id)
            case "restore":
                self.begin_again(newest.index(place.session_id))
        self.check(place.session_id)
        self.late(then, place, standing, min(standing.cursor + ahead, standing.event))
        self.check(place.session_id)

    def late(self, then: str, place: Place, standing: Standing, through: int) -> None:
        """Do something with what may be old."""
        match then:
            case "settle":
                self.delivering("settle", place, standing, through)
            case "retry":
                self.delivering("retry", place, standing, WAIT_MS / 1000)
            case "hold":
                self.delivering("hold", [place])
            case "put off":
                self.delivering("put_off", [place], 1.0)
            case "take":
                self.take(4)

    @rule(which=some, then=st.sampled_from(["settle", "retry"]))
    def come_after_the_end(self, which: int, then: str) -> None:
        self.come_late(which, "expire", then, 1)

    def begin_again(self, which: int) -> None:
        """Let a session have another life."""
        self.keep(which)
        self.lost(self.sid(which))
        self.restore(which)

    @rule(which=some, state=st.sampled_from(["recording", "paused"]), count=st.integers(1, 3))
    def deliver_all(self, which: int, state: str, count: int) -> None:
        """Let news come while what was there is delivered."""
        self.take(4)
        self.reconnect(which, state)
        for _ in range(count):
            self.settle(which, 1, answered=True)
        self.settle(which, 3, answered=True)
        self.take(1)

    @rule(which=some, twice=st.booleans(), count=st.integers(0, 2))
    def resend(self, which: int, twice: bool, count: int) -> None:
        letters = self.some_letters()
        if not letters:
            return
        chosen, letter = letters[which % len(letters)]
        for _ in range(1 + twice):
            assert self.rig.write_to("resend", [(chosen, letter)]) == 1
            made = letter.created_ms or chosen.at_ms
            self.replays.setdefault(chosen.entry, min(made, self.model.now))
            self.check_letters()
            self.pass_time(1)
        if count:
            self.redeem(count)

    def redeem(self, count: int) -> None:
        """Take letters to be sent again, unless somebody has some."""
        due: list[str] = []
        if all(at <= self.model.now for at in self.replays.values()):
            due = sorted(self.replays, key=lambda entry: (self.replays[entry], entry))[:count]
        self.replays |= dict.fromkeys(due, self.model.now + LEASE_MS)
        taken = self.rig.write_to("take", [0], count)
        assert sorted(each.entry for each in taken) == sorted(due)
        self.check_letters()

    @rule(which=some, again=st.booleans(), twice=st.booleans())
    def dispose(self, which: int, again: bool, twice: bool) -> None:
        letters = self.some_letters()
        if not letters:
            return
        at = which % len(letters)
        chosen, letter = letters[at]
        del self.model.letters[at]
        self.replays.pop(chosen.entry, None)
        for turn in range(1 + twice):
            if again:
                gone = self.rig.write_to("renew", chosen, letter, most=MOST)
                if turn == 0:
                    self.model.post(letter, MOST)
            else:
                gone = self.rig.write_to("dispose", [chosen])
            assert gone == (turn == 0)
            self.check_letters()
        assert self.rig.write_to("resend", [(chosen, letter)]) == 0
        self.check_letters()

    @rule(which=some, length=st.sampled_from([0, 700, 1200]))
    def give_up_many(self, which: int, length: int) -> None:
        """Let news come, and become letters, until there is no room for all of them."""
        self.reconnect(which, "paused")
        self.take(4)
        for turn in range(MOST + 1):
            self.give_up(turn, gone=False, answered=True, again=False, length=length)

    @rule(which=some, length=st.sampled_from([1200, 6000]))
    def meddle(self, which: int, length: int) -> None:
        """Have somebody change the letters who counts nothing."""
        self.give_up_many(which, 0)
        letters = self.some_letters()
        if letters:
            at = which % len(letters)
            self.rig.lose_letter(letters[at][0])
            del self.model.letters[at]
            self.give_up_many(which, length)

    @rule(which=some)
    def expire_letters(self, which: int) -> None:
        if which > 2:
            return
        self.rig.expire_letters(-1e10)
        self.model.letters.clear()
        self.check_letters()

    def some_letters(self) -> list[tuple[LetterId, Letter]]:
        """Read all letters; if there are none, give something up first."""
        if not self.model.letters:
            self.give_up(0, gone=False, answered=True, again=False)
        return self.rig.letters()

    def check_letters(self) -> None:
        """Compare all dead letters."""
        assert [letter for _, letter in self.rig.letters()] == self.model.letters
        assert self.rig.replays() == self.replays
        assert self.rig.dropped() == self.model.dropped
