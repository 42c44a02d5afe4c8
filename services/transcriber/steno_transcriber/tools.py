"""What all recognisers of a process share."""

from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field

from steno_transcriber.domain.cadence import Pace
from steno_transcriber.domain.hypothesis import Hypothesis, Options, Request
from steno_transcriber.domain.scan import SpeechProbability
from steno_transcriber.domain.segmenter import Rules
from steno_transcriber.scheduler import Observe

Decode = Callable[[str, Request], Awaitable[Hypothesis]]
"""Gives the hypothesis of a session's request; raises EngineError."""


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


@dataclass(frozen=True, slots=True)
class Start:
    """Whose audio is recognised, from which checkpoint on."""

    session: str
    position: int = 0
    context: str = ""
    options: Options = field(default_factory=Options)
    partials: bool = True
