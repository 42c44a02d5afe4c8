"""The outbox against a model server, at any interleaving of what can go wrong."""

import json
from collections import deque
from dataclasses import dataclass, field, replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from steno_client.domain.conversation import Conversation
from steno_client.domain.events import Final, Status
from steno_client.domain.kept import Kept
from steno_client.domain.messages import Ack, Checkpoint, Created, ServerError, ServerMessage
from steno_client.domain.outbox import Chunk, Control
from steno_client.domain.policy import Policy
from steno_client.domain.verdict import LOSSES

CREDIT = 5
STEPS = ["send", "send", "arrive", "arrive", "refuse", "ack", "hear", "hear"]


@dataclass
class ModelServer:
    """Takes chunks in order, says a gap once, puts markers where they arrive."""

    container: bool
    stored: list[bytes] = field(default_factory=list)
    done: int = 0
    status: str = "connected"
    epoch: int = 0
    markers: set[int] = field(default_factory=set)
    events: list[Final | Status] = field(default_factory=list)
    next_on_connection: int = 1
    gap_told: bool = False
    lost: bool = False
    kept: int | None = None
    """Number of the last event that the client keeps."""
    past: dict[str, "ModelServer"] = field(default_factory=dict)
    """What each checkpoint says."""

    def attach(self, last_event: int, kept: int) -> list[ServerMessage]:
        if self.lost:
            return [ServerError("session_not_found", "", retryable=False)]
        self.gap_told, self.kept = False, kept
        self.events.append(Status("reconnected", len(self.events) + 1))
        self.next_on_connection = 1 if self.container else len(self.stored) + 1
        hello = Created(
            "s",
            self.status,
            str(self.epoch),
            len(self.stored),
            self.done,
            CREDIT,
            len(self.events),
            self.next_on_connection,
            self.container,
            checkpoints=True,
        )
        return [hello, *self.events[last_event:]]

    def checkpoint(self) -> list[ServerMessage]:
        """Give what the client must keep, if it has not more than there is."""
        if self.kept is None or self.kept > len(self.events):
            return []
        state = f"{self.epoch} {len(self.past)}"
        self.past[state] = replace(self, stored=self.stored[: self.done],
                                   events=self.events[:], markers=self.markers.copy())  # fmt: skip
        news = json.dumps([event.event for event in self.events[self.kept :]])
        self.kept = len(self.events)
        return [Checkpoint(self.done, self.kept, state, news)]

    def restore(self, kept: Kept) -> None:
        """Go on from a checkpoint, unless it holds nothing new."""
        then = self.past.get(kept.state) or ModelServer(self.container)
        numbers = [number for page in kept.log for number in json.loads(page)]
        assert numbers == list(range(1, len(then.events) + 1))
        behind = self.done < then.done or len(self.events) < len(then.events)
        if not (self.lost or behind):
            return
        self.epoch, self.lost, self.done = self.epoch + 1, False, then.done
        self.stored, self.events = then.stored[:], then.events[:]
        self.markers = {marker for marker in then.markers if marker <= then.done}
        self.status = "recording" if then.done else "connected"

    def fall_back(self, state: str) -> None:
        """Come back as at an earlier moment, in the same epoch."""
        then = self.past[state]
        self.stored, self.events, self.done = then.stored[:], then.events[:], then.done
        self.markers = {marker for marker in then.markers if marker <= then.done}
        self.status = "recording" if then.done else "connected"

    def hear(self, item: Chunk | Control, *, refuse: bool) -> list[ServerMessage]:
        if isinstance(item, Control):
            return self.obey(item)
        if item.number != self.next_on_connection:
            if item.number < self.next_on_connection or self.gap_told:
                return []
            self.gap_told = True
            return [self.error("sequence_gap")]
        if self.status == "paused":
            return [self.error("illegal_transition")]
        if refuse:
            self.gap_told = True
            return [self.error("store_unavailable")]
        assert self.status in ("connected", "recording")
        self.gap_told = False
        self.status = "recording"
        self.next_on_connection += 1
        if item.number > len(self.stored):
            self.stored.append(item.audio)
        else:
            assert self.stored[item.number - 1] == item.audio
        return []

    def obey(self, control: Control) -> list[ServerMessage]:
        if self.container and self.gap_told:
            return []  # it comes again behind the chunk that was refused
        assert self.next_on_connection > control.behind, "a control overtook its chunks"
        match control.action, self.status:
            case "finalize", "recording" | "paused":
                self.markers.add(len(self.stored))
            case "pause", "recording":
                self.status = "paused"
            case ("resume", "paused") | ("start", "connected"):
                self.status = "recording"
            case "stop", "connected" | "recording" | "paused":
                assert control.behind == len(self.stored)
                self.status = "finalizing"
            case ("pause", "paused") | ("resume" | "start", "recording") | ("stop", "finalizing"):
                pass
            case _:
                raise AssertionError(f"{control.action} while {self.status}")
        return []

    def error(self, code: str) -> ServerError:
        return ServerError(code, "", retryable=True, resend_from=self.next_on_connection)

    def ack(self) -> Ack:
        return Ack(len(self.stored), self.done, CREDIT)


class Machine(RuleBasedStateMachine):
    """A conversation with two lossy-by-connection but ordered directions."""

    container = False

    def __init__(self) -> None:
        super().__init__()
        self.server = ModelServer(self.container)
        self.client = Conversation(Policy(), container=self.container, state="first")
        self.up: deque[Chunk | Control] = deque()
        self.down: deque[ServerMessage] = deque()
        self.connected = False
        self.said: list[bytes] = []
        self.finalized: set[int] = set()
        self.delivered: list[str] = []
        self.marked: set[int] = set()
        self.restores = 0
        self.done_seen = 0

    @precondition(lambda self: not (self.client.outbox.paused or self.client.outbox.stopped))
    @rule()
    def speak(self) -> None:
        self.said.append(b"%d" % (len(self.said) + 1))
        self.client.outbox.put(self.said[-1])

    @precondition(lambda self: not self.client.outbox.stopped)
    @rule(action=st.sampled_from(["finalize", "pause", "resume"]))
    def order(self, action: str) -> None:
        if action == "finalize" and self.said and not self.client.outbox.paused:
            self.finalized.add(len(self.said))
        self.client.outbox.order(action)  # type: ignore[arg-type]

    @rule(really=st.integers(0, 4))
    def stop(self, really: int = 0) -> None:
        if not really:
            self.client.outbox.order("stop")

    @initialize()
    def begin(self) -> None:
        self.reconnect()
        self.step("hear")

    @rule()
    def reconnect(self) -> None:
        self.drop()
        self.connected = True
        assert self.client.kept is not None
        kept = self.client.kept.last_event
        self.down.extend(self.server.attach(self.client.resume_from, kept))
        if not self.server.lost:
            self.forget_marks_without_effect()

    @rule()
    def drop(self) -> None:
        self.connected = False
        self.client.outbox.detached()
        self.up.clear()
        self.down.clear()

    @rule(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=12))
    def work(self, steps: list[str]) -> None:
        for step in steps:
            self.step(step)

    def step(self, step: str) -> None:
        if step == "send" and (item := self.client.outbox.take()) is not None:
            self.up.append(item)
        elif step in ("arrive", "refuse") and self.up:
            self.down.extend(self.server.hear(self.up.popleft(), refuse=step == "refuse"))
        elif step == "ack" and self.connected:
            self.down.append(self.server.ack())
        elif step == "hear" and self.down:
            reaction = self.client.heard(self.down.popleft(), now=0.0)
            if reaction.failure is not None:
                assert reaction.failure.code in LOSSES
                assert self.client.kept is not None
                self.restores += 1
                assert self.restores < 100, "a restore does not help"
                self.server.restore(self.client.kept)
                self.reconnect()
            if isinstance(reaction.event, Final):
                self.delivered.append(reaction.event.text)

    @rule(chunks=st.integers(1, 4))
    def transcribe(self, chunks: int) -> None:
        if self.server.lost:
            return
        while self.server.done < len(self.server.stored) and chunks:
            chunks -= 1
            at = self.server.done = self.server.done + 1
            final = Final(len(self.server.events) + 1, f"chunk {at}", at - 1, at, 1)
            self.server.events.append(final)
            if self.connected:
                self.down.append(final)

    @rule()
    def give_a_checkpoint(self) -> None:
        if self.connected and not self.server.lost:
            self.marked |= self.server.markers
            self.down.extend(self.server.checkpoint())

    @rule(finalize=st.booleans(), given=st.booleans(), rounds=st.integers(0, 4))
    def talk(self, finalize: bool, given: bool, rounds: int) -> None:
        """What chance alone seldom does: some chunks get all the way, some not."""
        for _ in range(3):
            if not (self.client.outbox.paused or self.client.outbox.stopped):
                self.speak()
        if finalize and not self.client.outbox.stopped:
            self.order("finalize")
        if not self.connected:
            self.reconnect()
        for _ in range(rounds):
            self.work(["hear", "hear", "send", "send", "arrive", "arrive", "ack", "hear"])
            self.transcribe(1)
        if given:
            self.give_a_checkpoint()
            self.work(["hear", "hear", "hear"])

    @rule(more=st.integers(0, 3))
    def lose_what_was_told(self, more: int) -> None:
        self.talk(finalize=True, given=True, rounds=3)
        self.talk(finalize=True, given=False, rounds=more)
        self.lose_everything()
        self.talk(finalize=False, given=False, rounds=2)

    @rule()
    def lose_everything(self) -> None:
        self.drop()
        self.marked |= self.server.markers
        self.server.lost = True
        self.server.stored, self.server.markers = [], set()

    @precondition(lambda self: self.server.past)
    @rule(data=st.data())
    def fall_back(self, data: st.DataObject) -> None:
        """A failover gives an older prefix, the epoch does not change."""
        self.drop()
        self.marked |= self.server.markers
        if not self.server.lost:
            self.server.fall_back(data.draw(st.sampled_from(list(self.server.past))))

    def forget_marks_without_effect(self) -> None:
        """Behind what is done a marker changes nothing, whether it is there or not."""
        self.marked = {marker for marker in self.marked if marker > self.server.done}

    @invariant()
    def the_server_has_the_chunks_once_and_in_order(self) -> None:
        assert self.server.stored == self.said[: len(self.server.stored)]

    @invariant()
    def the_resume_point_never_goes_back(self) -> None:
        assert self.client.outbox.done >= self.done_seen
        self.done_seen = self.client.outbox.done

    @invariant()
    def every_final_is_delivered_once_and_in_order(self) -> None:
        count = len(self.delivered)
        assert self.delivered == [f"chunk {number}" for number in range(1, count + 1)]

    @invariant()
    def nothing_is_finalized_where_nobody_asked(self) -> None:
        assert self.server.markers <= self.finalized

    def teardown(self) -> None:
        """On a quiet line everything gets there."""
        if not self.connected:
            self.reconnect()
        self.stop()
        for _ in range(200 + 4 * len(self.said)):
            self.work(["send", "arrive", "ack", "hear", "hear"])
        self.transcribe(len(self.said))
        while self.down:
            self.step("hear")
        assert self.server.stored == self.said
        assert self.server.status == "finalizing"
        assert len(self.delivered) == len(self.said)
        assert self.marked <= self.server.markers | {0}


class ContainerMachine(Machine):
    """The same for a container, whose decoder begins anew with every connection."""

    container = True


TestRawSession = Machine.TestCase
TestContainerSession = ContainerMachine.TestCase
TestRawSession.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
TestContainerSession.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
