"""The outbox against a model server, at any interleaving of what can go wrong."""

from collections import deque
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from steno_client.domain.conversation import Conversation
from steno_client.domain.events import Final
from steno_client.domain.messages import Ack, Created, ServerError, ServerMessage
from steno_client.domain.outbox import Chunk, Control
from steno_client.domain.policy import Policy

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
    events: list[Final] = field(default_factory=list)
    next_on_connection: int = 1
    gap_told: bool = False

    def attach(self, last_event: int) -> list[ServerMessage]:
        self.gap_told = False
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
        )
        return [hello, *self.events[last_event:]]

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
        self.client = Conversation(Policy(), container=self.container)
        self.up: deque[Chunk | Control] = deque()
        self.down: deque[ServerMessage] = deque()
        self.connected = False
        self.said: list[bytes] = []
        self.finalized: set[int] = set()
        self.delivered: list[Final] = []
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

    @rule()
    def stop(self) -> None:
        self.client.outbox.order("stop")

    @initialize()
    def begin(self) -> None:
        self.reconnect()
        self.step("hear")

    @rule()
    def reconnect(self) -> None:
        self.drop()
        self.connected = True
        self.down.extend(self.server.attach(self.client.last_event))

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
            assert reaction.failure is None
            if isinstance(reaction.event, Final):
                self.delivered.append(reaction.event)

    @rule(chunks=st.integers(1, 4))
    def transcribe(self, chunks: int) -> None:
        done = min(self.server.done + chunks, len(self.server.stored))
        if done > self.server.done:
            self.server.done = done
            final = Final(len(self.server.events) + 1, f"to {done}", 0, 0, 1)
            self.server.events.append(final)
            if self.connected:
                self.down.append(final)

    @rule()
    def lose_everything_behind_done(self) -> None:
        """Redis comes back with what was committed only, under a new epoch."""
        if self.container or self.server.status in ("paused", "finalizing"):
            return
        self.drop()
        self.server.epoch += 1
        del self.server.stored[self.server.done :]
        self.server.markers = {m for m in self.server.markers if m <= self.server.done}

    @invariant()
    def the_server_has_the_chunks_once_and_in_order(self) -> None:
        assert self.server.stored == self.said[: len(self.server.stored)]

    @invariant()
    def the_resume_point_never_goes_back(self) -> None:
        assert self.client.outbox.done >= self.done_seen
        self.done_seen = self.client.outbox.done

    @invariant()
    def events_are_delivered_once_and_in_order(self) -> None:
        assert self.delivered == self.server.events[: len(self.delivered)]

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
        while self.down:
            self.step("hear")
        assert self.server.stored == self.said
        assert self.server.status == "finalizing"
        assert self.delivered == self.server.events


class ContainerMachine(Machine):
    """The same for a container, whose decoder begins anew with every connection."""

    container = True


TestRawSession = Machine.TestCase
TestContainerSession = ContainerMachine.TestCase
TestRawSession.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
TestContainerSession.settings = settings(max_examples=400, stateful_step_count=30, deadline=None)
