"""What all recognisers of a process share."""

import random
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from steno_common.messages import Prosody
from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Hypothesis, Options, Request
from steno_transcriber.domain.samples import Samples
from steno_transcriber.domain.scan import SpeechProbability
from steno_transcriber.domain.segmenter import Rules
from steno_transcriber.measuring import measured_prosody
from steno_transcriber.scheduler import Observe
from steno_transcriber.streams import Streams

Decode = Callable[[str, Request], Awaitable[Hypothesis]]
"""Gives the hypothesis of a session's request; raises EngineError."""

MeasureProsody = Callable[[Samples], Prosody | None]
"""Measures the speech of a segment; None where that is switched off."""


@dataclass(frozen=True, slots=True)
class Tools:
    """The engine's queue, the detector and the rules."""

    decode: Decode
    start_detector: Callable[[], SpeechProbability]
    executor: Executor
    """One thread for what would hold up the event loop: the detector, prosody."""
    rules: Rules
    partial_interval: int
    """New samples between two partials of a session, without load."""
    pace: Pace
    observe: Observe
    prosody: MeasureProsody = measured_prosody


@dataclass(frozen=True, slots=True)
class StreamTools:
    """The engine's streams with the detector."""

    streams: Streams
    start_detector: Callable[[], SpeechProbability]
    executor: Executor
    """One thread for what would hold up the event loop: the detector, prosody."""
    prosody: MeasureProsody = measured_prosody
    chance: Callable[[], float] = random.random
    """Gives a number from 0 to 1, for waits that differ."""


@dataclass(frozen=True, slots=True)
class Start:
    """Whose audio is recognised, from which checkpoint on."""

    session: str
    position: int = 0
    context: str = ""
    options: Options = field(default_factory=Options)
    partials: bool = True
