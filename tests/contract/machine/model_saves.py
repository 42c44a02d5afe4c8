"""What the scripts promise a client that keeps its session, in plain Python."""

from collections.abc import Sequence

from tests.contract.machine.model import Model
from tests.contract.machine.model_translations import TranslationBook, translated
from tests.contract.machine.state import State

from steno_common.messages import Event, encode
from steno_common.policy import Choice
from steno_common.saved import Saved, told_by
from steno_common.store.sessions import Outcome


class SavingModel(Model, TranslationBook):
    """What all services are promised, with what survives a loss."""

    def save(self, sid: str, conn: int, have: int
             ) -> tuple[tuple[Outcome, Saved | None], list[Event]]:  # fmt: skip
        state = self.state(sid)
        if not state.exists:
            return (Outcome.MISSING, None), []
        if conn != state.conn:
            return (Outcome.SUPERSEDED, None), []
        end = f"{state.last_marker[0]}-{state.last_marker[1]}" if state.last_marker else ""
        if (state.ended and state.consumed == end) or have > len(state.events):
            return (Outcome.NOTHING, None), []
        late, count = state.latencies
        saved = Saved(self.configs[sid], state.conn, state.connections, len(state.events),
                      state.commits, state.consumed, state.done, state.offset, state.border,
                      state.context, state.heard, state.transcribed, state.silence, late, count,
                      state.carried)  # fmt: skip
        return (Outcome.DONE, saved), state.events[have:]

    def restore(self, saved: Saved, log: Sequence[Event], epoch: str) -> Outcome:
        sid = saved.session.session_id
        old = self.state(sid)
        if old.removed:
            return Outcome.MISSING
        if old.exists and old.done >= saved.done and len(old.events) >= len(log):
            return Outcome.NOTHING
        names = {destination.name for destination in saved.session.destinations}
        told, n = told_by(log), int(saved.consumed.partition("-")[2])
        self.configs[sid] = saved.session
        self.states[sid] = State(
            exists=True, status="reconnecting", before="recording" if saved.done else "connected",
            epoch=epoch, conn=max(old.conn, saved.conn, self.now), connections=saved.connections,
            next=saved.done + 1, received=saved.offset, carry=saved.carried,
            carried=saved.carried, seen=self.now,
            last_marker=(saved.done, n, "") if n else None, commits=saved.commits,
            consumed=saved.consumed, done=saved.done, offset=saved.offset, border=saved.border,
            heard=saved.heard, context=saved.context, transcribed=saved.transcribed,
            silence=saved.silence, open_from=told.open_from, last_end=told.last_end,
            utterances=told.utterances, finals=told.finals,
            latencies=[saved.latency_ms, saved.latencies], events=list(log),
            translated=translated(told.translations),
            translated_bytes=sum(len(encode(each)) for each in told.translations.values()),
            fence=self.newer(old.fence), due=self.now if told.open_from else old.due,
            abandoned=self.now + self.limits.abandon_ms,
            # Those of a life before it that are not this session's any more are not known.
            places={name: at for name, at in old.places.items() if name not in names},
            choices=tuple(map(Choice, saved.session.engines)) or old.choices,
        )  # fmt: skip
        self.ring(sid)
        return Outcome.DONE

    def lose(self, sid: str) -> None:
        """Let Redis lose all of a session."""
        self.states[sid] = State()
