"""What must hold of a session at its end, whatever went wrong on the way."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from tests.contract.machine.promises import groups
from tests.contract.machine.state import AudioEntry, State
from tests.simulation.engine import SETTINGS, heard
from tests.simulation.speaker import Speaker

from steno_aggregator.domain.window import NumberedFinal, utterance
from steno_client.domain import events as shown
from steno_common.messages import Completed, Ended, Event, Final, Idle, Status, Utterance, Warned
from steno_common.units import SAMPLE_BYTES, to_seconds
from steno_common.utterances import join_text
from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Hypothesis, Request
from steno_transcriber.engines.scripted import ScriptedEngine
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.recognition import rules_for
from steno_transcriber.reports import span_report
from steno_transcriber.scheduler import ignore
from steno_transcriber.speech import start_loudness
from steno_transcriber.tools import Start, Tools
from steno_transcriber.window_recogniser import WindowRecogniser

HARMLESS = ("high_latency", "engine_changed")
"""Warnings after which nothing is missing."""


@dataclass
class Direct:
    """The recogniser alone with the audio and the markers of one session: the right answer."""

    events: list[Event] = field(default_factory=list)
    speech: int = 0
    silence: int = 0
    _position: int = 0
    _context: str = ""

    async def run(self, entries: Sequence[AudioEntry]) -> "Direct":
        """Take the whole session, in order."""
        recogniser = self._fresh()
        for _, marker, pcm, *_ in entries:
            samples = np.frombuffer(pcm, dtype="<i2")
            self._position += len(samples)
            await recogniser.feed(samples)
            if marker:
                await recogniser.flush()
                recogniser = self._fresh()
            if marker == "idle":
                self.events.append(Idle(self._position))
            elif marker == "end":
                self.events.append(Ended(self._position))
        return self

    def _fresh(self) -> WindowRecogniser:
        start = Start("direct", self._position, self._context, partials=False)
        tools = Tools(
            decode=self._decode, start_detector=start_loudness, executor=None,  # type: ignore[arg-type]
            rules=rules_for(SETTINGS, ScriptedEngine()), partial_interval=1,
            pace=Pace(), observe=ignore,
        )  # fmt: skip
        return WindowRecogniser(start, self._take, tools)

    @staticmethod
    async def _decode(_session: str, request: Request) -> Hypothesis:
        return heard(request.window)

    async def _take(self, span: Partial | Span) -> None:
        assert isinstance(span, Span)
        length = span.end - span.start
        spoken = length if span.speech_end > span.speech_start else 0
        self.speech, self.silence = self.speech + spoken, self.silence + length - spoken
        self._context = span.context
        report = span_report(span, 0, 0, 0)
        if report is not None:
            self.events.append(report)


def _essence(events: Sequence[Event]) -> list[Any]:
    """Give what must not depend on anything but the audio and the markers."""
    return [
        (e.text, e.words, e.start, e.end, e.confidence, e.language, e.prosody)
        if isinstance(e, Final)
        else e
        for e in events
        if isinstance(e, Final | Idle | Ended)
    ]


def changes(events: Sequence[Event]) -> list[str]:
    """Give what the client was told of other engines."""
    told = [event for event in events if isinstance(event, Warned)]
    return [event.message for event in told if event.code == "engine_changed"]


@dataclass
class Oracle:
    """One session, seen from all sides."""

    speaker: Speaker
    state: State
    entries: Sequence[AudioEntry]
    direct: Direct
    files: dict[str, bytes]
    silence: int
    calm: bool

    def faults(self) -> Iterator[str]:
        """Give everything that is wrong."""
        if self.speaker.failure is not None:
            yield f"the session failed: {self.speaker.failure!r}"
            return
        yield from self._stored()
        yield from self._committed()
        yield from self._utterances()
        yield from self._told("speaker", self.speaker.heard)
        if self.speaker.listens_after is not None:
            yield from self._told("listener", self.speaker.overheard)
        yield from self._completed()
        if self.calm and self.state.connections != 1:
            yield f"nothing went wrong, and the client connected {self.state.connections} times"

    def _stored(self) -> Iterator[str]:
        pcm = b"".join(entry[2] for entry in self.entries)
        said = self.speaker.said
        if pcm != said[: len(said) - len(said) % SAMPLE_BYTES]:
            yield f"stored audio is not what was said: {len(pcm)} of {len(said)} bytes"
        chunks = [entry[0] for entry in self.entries if not entry[1]]
        if chunks != [f"{number}-0" for number in range(1, len(chunks) + 1)]:
            yield f"chunks are not numbered in order: {chunks}"
        markers = [
            (entry[1], int(entry[0].partition("-")[0])) for entry in self.entries if entry[1]
        ]
        if [kind for kind, _ in markers].count("end") != 1 or markers[-1] != ("end", len(chunks)):
            yield f"the end is not where it should be: {markers}"
        asked = {number for deed, number in self.speaker.orders if deed != "resume"}
        invented = [n for kind, n in markers if kind == "finalize" and n not in asked]
        if invented:
            yield f"nobody asked for finals behind chunks {invented}"

    def _committed(self) -> Iterator[str]:
        if _essence(self.state.events) != _essence(self.direct.events):
            yield "the log is not what the recogniser alone makes of the audio"
        skipped = [e for e in self.state.events if isinstance(e, Warned) and e.code not in HARMLESS]
        if skipped:
            yield f"something was given up: {skipped}"
        if any(before == after for before, after in pairwise(changes(self.state.events))):
            yield "the same engine was told twice in a row"
        counted = (self.state.received, self.state.transcribed, self.state.silence)
        samples = len(self.speaker.said) // SAMPLE_BYTES
        if counted != (samples, self.direct.speech, self.direct.silence):
            yield f"the accounting is {counted}, not of {samples} samples"
        if self.state.indexed or not self.state.finished:
            yield "the session is over, and the indexes still name it"

    def _utterances(self) -> Iterator[str]:
        log = self.state.events
        wanted = []
        for index, numbers in enumerate(groups(log, self.silence)):
            finals = [NumberedFinal(n, e) for n in numbers if isinstance(e := log[n - 1], Final)]
            wanted.append(utterance(index, finals))
        if [event for event in log if isinstance(event, Utterance)] != wanted:
            yield "the utterances are not those of the finals"

    def _told(self, who: str, events: Sequence[shown.Event]) -> Iterator[str]:
        numbers = [number for event in events if (number := getattr(event, "event", None))]
        told = Final | Utterance | Status | Warned | Completed
        wanted = [n for n, event in enumerate(self.state.events, 1) if isinstance(event, told)]
        if any(after <= before for before, after in pairwise(numbers)):
            yield f"the {who} was told in this order: {numbers}"
        if numbers != wanted:
            yield f"the {who} was told events {numbers} of {wanted}"
        finals_told = [(e.text, e.start, e.end) for e in events if isinstance(e, shown.Final)]
        finals = [event for event in self.state.events if isinstance(event, Final)]
        if finals_told != [(f.text, to_seconds(f.start), to_seconds(f.end)) for f in finals]:
            yield f"the {who} was told other finals than those of the log"

    def _completed(self) -> Iterator[str]:
        completed = self.speaker.completed
        if completed is None:
            yield "the session did not complete"
            return
        log = self.state.events
        text = join_text(event.text for event in log if isinstance(event, Final))
        saved = json.loads(self.files["json"]) if self.files else {}
        texts = {completed.text, saved.get("text"), text}
        texts |= {e.text for e in self.speaker.overheard if isinstance(e, shown.Completed)}
        if len(texts) != 1:
            yield f"there are several transcripts: {texts}"
        shown_utterances = [utterance.text for utterance in completed.utterances]
        saved_utterances = [each["text_content"] for each in saved.get("utterances", ())]
        wanted = [event.text for event in log if isinstance(event, Utterance)]
        if not shown_utterances == saved_utterances == wanted:
            yield "client, archive and log do not have the same utterances"
        counted = completed.statistics
        if counted.received_samples != counted.transcribed_samples + counted.silence_samples:
            yield f"the client's accounting does not balance: {counted}"
