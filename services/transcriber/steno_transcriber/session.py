"""One claimed session: its audio in order through the recogniser, its spans into the store."""

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, assert_never

import numpy as np

from steno_common import tracing
from steno_common.errors import StoreError
from steno_common.logs import about
from steno_common.messages import Ended, Event, Idle
from steno_common.store.link import patiently
from steno_common.store.work import Checkpoint, Claim, Commit, Entry, WorkStore
from steno_common.units import SAMPLE_BYTES, to_seconds
from steno_transcriber import metrics, traces
from steno_transcriber.clock import RedisClock
from steno_transcriber.domain.lateness import Complaint
from steno_transcriber.domain.ledger import Consumed, Ledger
from steno_transcriber.domain.stay import Stay
from steno_transcriber.domain.tally import Outcome
from steno_transcriber.inbox import Inbox, Piece
from steno_transcriber.measuring import Measuring
from steno_transcriber.recogniser import Partial, Recogniser, Span
from steno_transcriber.recognition import Recognition
from steno_transcriber.reports import (
    late_report,
    options_of,
    partial_report,
    skipped_report,
    span_report,
    with_change,
)

log = logging.getLogger(__name__)

POISON_TRIES: Final = 8
"""Claims without a commit after which the audio itself is taken for the cause, and passed over."""


class LostError(Exception):
    """The session belongs to another worker now."""


class ElsewhereError(Exception):
    """The session stands at a border, where an engine that it prefers goes on with it."""


class PassedOnError(Exception):
    """The engine failed behind a border, where another one goes on with the session."""


@dataclass(slots=True)
class Session:
    """A session from its claim until a marker, a loss, or the worker's end."""

    store: WorkStore
    claim: Claim
    checkpoint: Checkpoint
    recognition: Recognition
    clock: RedisClock
    stay: Stay
    goes_on_elsewhere: Callable[[Stay], bool]
    """Says whether another engine may go on with it now."""
    worker: str = ""
    """Name of the transcriber among the others."""
    leaving: bool = False
    """At its next border it is to be given back."""
    inbox: Inbox = field(init=False)
    _ledger: Ledger = field(init=False)
    _recogniser: Recogniser = field(init=False)
    _commits: int = field(init=False)
    _border: int = field(init=False)
    _context: str = field(init=False)
    _measuring: Measuring = field(init=False)
    _complaint: Complaint = field(default_factory=Complaint)

    def __post_init__(self) -> None:
        held = self.checkpoint
        self.inbox = Inbox(held.consumed)
        self._ledger = Ledger(held.consumed, held.done, held.offset)
        self._commits, self._border, self._context = held.commits, held.border, held.context
        self._measuring = Measuring(
            self.claim.session_id,
            held.border,
            held.measured,
            worker=self.worker,
            emotion=self.recognition.measures_emotion,
        )
        self._recogniser = self.recognition.recogniser(
            self.claim.session_id,
            self._emit,
            position=held.border,
            context=held.context,
            options=options_of(held.session),
        )

    @property
    def waiting(self) -> int:
        """Samples that are read and not yet decoded."""
        queued, taken = self.inbox.samples
        return queued + max(taken, self._recogniser.pending)

    @property
    def late_seconds(self) -> float:
        """How late the oldest of them is."""
        return self.inbox.late_ms(self.clock.now_ms()) / 1000

    @property
    def emotion_known(self) -> bool:
        """Whether its newest emotion dynamics are known."""
        return self._measuring.emotion_known

    async def run(self) -> None:
        """Work until a marker ends the claim; raises LostError, ElsewhereError, PassedOnError."""
        try:
            if self.claim.tries > POISON_TRIES:
                await self._pass_over()
            while not await self._take(await self.inbox.next_run()):
                pass
        finally:
            await self._recogniser.aclose()

    async def _take(self, run: Sequence[Piece]) -> bool:
        """Recognise a run; says whether it was the marker that ends this claim."""
        if run[0].entry.marker:
            await self._take_marker(run[0].entry)
            return True
        position = self._ledger.end
        for piece in run:
            self._note(piece.entry, piece.due_ms)
        metrics.FEED.observe(max(0.0, (self.clock.now_ms() - run[0].entry.arrival_ms) / 1000))
        await self._feed(position, b"".join(piece.entry.pcm for piece in run))
        return False

    def _note(self, entry: Entry, due_ms: float) -> None:
        samples = len(entry.pcm) // SAMPLE_BYTES
        place = entry.entry_id, entry.sequence, samples, entry.arrival_ms
        self._ledger.add(*place, due_ms=due_ms)

    async def _feed(self, position: int, pcm: bytes) -> None:
        """Feed what lies behind the checkpoint's border."""
        known = max(self.checkpoint.border - position, 0)
        samples = np.frombuffer(pcm, dtype="<i2")[known:]
        if len(samples):
            self._measuring.hear(samples)
            await self._recogniser.feed(samples)

    async def _take_marker(self, entry: Entry) -> None:
        tail = len(entry.pcm) // SAMPLE_BYTES
        # The tail belongs to the marker's own entry, which is consumed by the marker's commit.
        place = self._ledger.end
        await self._feed(place, entry.pcm)
        await self._recogniser.flush()
        position = place + tail
        self._ledger.consume(place)
        consumed = self._ledger.pass_marker(entry.entry_id, tail)
        events: tuple[Event, ...] = ()
        if entry.marker == "idle":
            events = (Idle(position),)
        elif entry.marker == "end":
            events = (Ended(position),)
        await self._commit(consumed, position, events, closing=bool(events))

    async def _emit(self, event: Partial | Span) -> None:
        match event:
            case Partial():
                await self._publish(event)
            case Span():
                await self._finish(event)
            case _:
                assert_never(event)

    async def _publish(self, partial: Partial) -> None:
        place, now_ms = self._ledger.covering(partial.end), self.clock.now_ms()
        sequence = place.sequence if place else self._ledger.done
        prosody = self._measuring.emotion() if partial.words else None
        message = partial_report(partial, sequence, self._commits, now_ms, prosody)
        with contextlib.suppress(StoreError):  # a newer one follows
            await self.store.publish(self.claim.session_id, message)
            if not partial.words:
                return
            metrics.PARTIALS.inc()
            if place:
                metrics.PARTIAL.observe(max(0.0, (self.clock.now_ms() - place.arrival_ms) / 1000))

    async def _finish(self, span: Span) -> None:
        if span.reason == "engine_failed":
            if self.goes_on_elsewhere(self.stay):
                raise PassedOnError
            if span.start == span.end:
                return
        place = self._ledger.covering(span.decided)
        sequence = self._ledger.sequence_at(span.end)
        now_ms = self.clock.now_ms()
        report = span_report(span, sequence, self._commits + 1, now_ms)
        events: tuple[Event, ...] = () if report is None else (report,)
        late_ms = now_ms - place.due_ms if place else 0
        # Behind the final, so that nothing of the final hangs on it.
        if events and self._complaint.is_due(now_ms, late_ms):
            events += (late_report(span, late_ms / 1000),)
            metrics.LATE.inc()
        self._context = span.context
        spoken = span.end - span.start if span.speech_end > span.speech_start else 0
        arrival_ms = place.arrival_ms if place else 0
        waited = max(0.0, now_ms - arrival_ms) / 1000 if place else 0.0
        if spoken:
            lost = self._chunks_of(span) if span.reason == "engine_failed" else 0
            self._measuring.finished(Outcome(span.hypothesis, span.engine_seconds, lost))
        consumed = self._ledger.consume(span.end)
        with traces.segment(self.claim.session_id, span, number=self._commits + 1, waited=waited,
                            engine=self.recognition.engine_name):  # fmt: skip
            await self._commit(consumed, span.end, events, speech=spoken, arrival_ms=arrival_ms)

    def _chunks_of(self, span: Span) -> int:
        first, last = span.speech_start + 1, span.speech_end
        return self._ledger.sequence_at(last) - self._ledger.sequence_at(first) + 1

    async def _commit(
        self,
        consumed: Consumed,
        border: int,
        events: tuple[Event, ...],
        *,
        speech: int = 0,
        closing: bool = False,
        arrival_ms: int = 0,
    ) -> None:
        length = border - self._border
        if self.stay.changed and self._commits == self.checkpoint.commits:
            events = with_change(events, self.stay.engine, self._border)
        commit = Commit(
            number=self._commits + 1,
            consumed=consumed.entry_id,
            done=consumed.done,
            offset=consumed.offset,
            border=border,
            context=self._context,
            heard=border,
            speech=speech,
            silence=length - speech,
            events=events,
            closing=closing,
            arrival_ms=arrival_ms,
            measured=self._measuring.encoded(self.clock.now_ms()),
            engine=self.stay.engine,
        )
        committed = await patiently(lambda: self.store.commit(self.claim, commit))
        metrics.COMMITS.labels(committed.value).inc()
        tracing.note(outcome=committed.value)
        if not committed:
            raise LostError
        metrics.AUDIO.labels("speech").inc(to_seconds(speech))
        metrics.AUDIO.labels("silence").inc(to_seconds(length - speech))
        if arrival_ms and speech:
            metrics.FINAL.observe(max(0.0, (self.clock.now_ms() - arrival_ms) / 1000))
        self._commits, self._border = commit.number, border
        if self.leaving:
            raise ElsewhereError

    async def _pass_over(self) -> None:
        """Give up on audio that brought down worker after worker; the client is told."""
        metrics.PASSED_OVER.inc()
        log.error("audio passed over", extra=about(self.claim.session_id, attempt=self.claim.tries))
        found = await self.store.read({self.claim.session_id: self.inbox.read_id}, count=100)
        entries = found.get(self.claim.session_id, [])
        chunks = list(takewhile(lambda entry: not entry.marker, entries))
        if not chunks:
            return
        for entry in chunks:
            self._note(entry, entry.arrival_ms)
        border = self._ledger.end
        warning = skipped_report(self._border, border)
        self._measuring.finished(Outcome(lost_chunks=len(chunks)))
        await self._commit(self._ledger.consume(border), border, (warning,))
        # The recogniser stands before what was passed over: the next claim begins behind it.
        raise LostError
