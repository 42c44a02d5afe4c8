"""One session with a server, over any number of connections."""

from dataclasses import dataclass, replace

from steno_client.domain.backoff import Backoff
from steno_client.domain.events import Completed, Event, Status, Utterance, Warned
from steno_client.domain.kept import Kept
from steno_client.domain.messages import (
    Ack,
    Checkpoint,
    Created,
    GoAway,
    Pong,
    ServerError,
    ServerMessage,
    Token,
)
from steno_client.domain.outbox import Outbox
from steno_client.domain.policy import Policy
from steno_client.domain.told import Told
from steno_client.domain.verdict import Verdict, failure_of, pause_seconds, verdict
from steno_client.errors import SessionError


@dataclass(frozen=True, slots=True)
class Reaction:
    """What to do about a message."""

    event: Event | None = None
    """For the user."""
    hold: float | None = None
    """Send nothing for so many seconds; 0 ends such a pause."""
    leave: float | None = None
    """Leave this connection after so many seconds, then connect again at once."""
    failure: SessionError | None = None
    """The session is over."""


class Conversation:
    """The client's side of the protocol without its sockets; `now` is in seconds, of any origin."""

    def __init__(self, policy: Policy, *, container: bool, state: str | None = None) -> None:
        """`state` is where the session stood when it was created; None: there is no checkpoint."""
        self.outbox = Outbox(container=container, checkpoints=state is not None)
        self.kept = None if state is None else Kept(state)
        self.told = Told()
        self.backoff = Backoff(policy.delays)
        self.utterances: list[Utterance] = []
        self.warnings: list[Warned] = []
        self.last_event = 0
        """Number of the last event, in the server's count of now."""
        self.epoch: str | None = None
        self.token: str | None = None
        """The newest token of the session, if its server gives any."""
        self.completed: Completed | None = None
        self.ended: SessionError | None = None
        """Why the server takes no more audio, although a transcript will come."""
        self._policy = policy
        self._owed_since: float | None = None
        self._refused_since: float | None = None
        self._backlog_full = False
        self._unanswered_tries = 0

    def tried(self) -> None:
        """Note that a connection is tried."""
        self._unanswered_tries += 1

    def overtook_itself(self) -> bool:
        """Whether a try without an answer may be what took the session over; once for each.

        Such a try may have reached a gateway that was slow, which went on with it when a newer
        connection was there.
        """
        if not self._unanswered_tries:
            return False
        self._unanswered_tries -= 1
        return True

    @property
    def resume_from(self) -> int:
        """Number of the event behind which the server is to go on telling.

        What lies behind the checkpoint comes again: should the server have lost and found it anew
        since, its numbers may be others.
        """
        return min(self.last_event, self.kept.last_event) if self.kept else self.last_event

    def heard(self, message: ServerMessage, now: float) -> Reaction:
        """Take a message of the server."""
        match message:
            case Created():
                return self._attached(message)
            case Ack():
                return self._acked(message)
            case ServerError():
                return self._refused(message, now)
            case GoAway():
                return Reaction(leave=message.in_ms / 1000)
            case Token():
                self.token = message.token
            case Checkpoint():
                if self.kept is not None:
                    self.kept.take(message)
                    self.outbox.covered(message.done)
            case Pong():
                pass
            case _:
                return self._told(message)
        return Reaction()

    def stalled(self, now: float) -> bool:
        """Whether the server has owed an answer for too long; to be asked regularly."""
        if not self.outbox.unanswered:
            self._owed_since = None
        elif self._owed_since is None:
            self._owed_since = now
        return self._owed_since is not None and now - self._owed_since > self._policy.stall_seconds

    def _attached(self, created: Created) -> Reaction:
        self._unanswered_tries = max(self._unanswered_tries - 1, 0)
        if created.status == "error":
            return Reaction(failure=SessionError("session_failed", "the session is broken"))
        if self.kept and (
            created.done < self.kept.done or created.last_event < self.kept.last_event
        ):
            return Reaction(failure=_stands_behind())
        try:
            self.outbox.attached(created)
        except SessionError as error:
            return Reaction(failure=error)
        if self.kept and not created.checkpoints:  # a server of before them
            self.kept = None
            self.outbox.uncovered()
        if not self.kept and self.epoch not in (None, created.epoch):
            self.last_event = 0
        self.last_event = min(self.resume_from, created.last_event)
        self.epoch = created.epoch
        self.token = created.token or self.token
        self._owed_since = None
        return Reaction(event=Status(created.status), hold=0)

    def _acked(self, ack: Ack) -> Reaction:
        if self.outbox.acked(ack):
            self._progress()
        full, self._backlog_full = self._backlog_full, False
        return Reaction(hold=0 if full else None)

    def _refused(self, error: ServerError, now: float) -> Reaction:
        match verdict(error):
            case Verdict.TELL:
                return Reaction(event=Warned(error.code, error.message))
            case Verdict.END:
                self.ended = failure_of(error)
                self.outbox.detached()
                return Reaction(event=Warned(error.code, error.message))
            case Verdict.FAIL:
                if self.ended and error.code == "session_finished":
                    return Reaction()
                return Reaction(failure=failure_of(error))
            case _:
                return self._postponed(error, now)

    def _postponed(self, error: ServerError, now: float) -> Reaction:
        if self._refused_since is None:
            self._refused_since = now
        waited = now - self._refused_since
        self._backlog_full = error.code == "backlog_full"
        if not self._backlog_full and waited > self._policy.patience_seconds:
            return Reaction(failure=failure_of(error))
        try:
            if error.resend_from is None:
                self.outbox.repeat_controls()
            else:
                self.outbox.refused(error.resend_from, paused=error.code == "illegal_transition")
        except SessionError as forgotten:
            return Reaction(failure=forgotten)
        return Reaction(hold=pause_seconds(error, self._policy.retry_seconds))

    def _told(self, event: Event) -> Reaction:
        number = getattr(event, "event", None)
        if number is not None:
            if number <= self.last_event:
                return Reaction()
            self.last_event = number
        if self.told.before(event):
            return Reaction()
        # Statuses and warnings come of a new connection itself.
        if number is not None and not isinstance(event, Status | Warned):
            self._progress()
        if isinstance(event, Utterance):
            self.utterances.append(event)
        elif isinstance(event, Warned) and number is not None:
            self.warnings.append(event)
        elif isinstance(event, Completed):
            if self.outbox.stored < self.outbox.last and self.ended is None:
                return Reaction(failure=_finished_early())
            event = self.completed = replace(
                event, utterances=tuple(self.utterances), warnings=tuple(self.warnings)
            )
        return Reaction(event=event)

    def _progress(self) -> None:
        self._owed_since = self._refused_since = None
        self.backoff.progress()


def _stands_behind() -> SessionError:
    return SessionError("audio_forgotten", "the server has lost what it had called done")


def _finished_early() -> SessionError:
    return SessionError(
        "session_finished", "the server finished the session before all audio had arrived"
    )
