"""Recognition of a process: the engine with all that its recognisers share."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from steno_common.logs import about
from steno_common.units import to_samples
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.scan import SpeechProbability
from steno_transcriber.domain.segmenter import Rules
from steno_transcriber.engines.base import StreamEngine, WindowEngine
from steno_transcriber.engines.choice import open_engine
from steno_transcriber.measuring import measured_prosody, no_prosody
from steno_transcriber.recogniser import Emit, Recogniser
from steno_transcriber.scheduler import Observe, Scheduler, ignore
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.speech import SileroModel, start_loudness
from steno_transcriber.stream_recogniser import StreamRecogniser
from steno_transcriber.streams import Streams
from steno_transcriber.tools import MeasureProsody, Start, StreamTools, Tools
from steno_transcriber.watch import Watch
from steno_transcriber.window_recogniser import WindowRecogniser

log = logging.getLogger(__name__)

Make = Callable[[Start, Emit], Recogniser]
Detector = Callable[[], SpeechProbability]

WITHOUT_MODEL: Final = ("scripted", "numbered")
"""Engines of tests: their speech is whatever is loud."""
LONGEST_CALL_SECONDS: Final = 60.0
"""An engine that takes this long for a batch is too slow for live audio, if it works at all."""


class Recognition:
    """Makes the recogniser of each session."""

    def __init__(self, engine_name: str, defaults: Options, make: Make) -> None:
        self.engine_name = engine_name
        self.places = 1
        """Batches that the engine runs at once, or streams."""
        self.window_seconds = 0.0
        """Time of a place that an ordinary window takes, 0 if it was not measured."""
        self.max_sessions: int | None = None
        """Sessions that the engine can bear at all; None: as many as are fast enough."""
        self.rules: Rules | None = None
        """Of segments, where the engine does not find them itself."""
        self.measures_emotion = True
        """Whether how a session sounds is measured."""
        self.watch = Watch(engine_name)
        """Says whether the engine is there at all."""
        self.busy_seconds: Callable[[], float] = lambda: 0.0
        """Says how long the engine has owed the oldest of its answers, 0 if it owes none."""
        self._defaults = defaults
        self._make = make

    @property
    def hangs(self) -> bool:
        """Whether the engine has owed an answer for so long that it will not come."""
        return self.busy_seconds() > LONGEST_CALL_SECONDS

    def recogniser(
        self,
        session: str,
        emit: Emit,
        *,
        position: int = 0,
        context: str = "",
        options: Options | None = None,
        partials: bool = True,
    ) -> Recogniser:
        """Give a recogniser that goes on at a checkpoint: sample position, context of its span.

        What the options leave open is as in the settings. Without partials only spans are
        emitted, at less cost.
        """
        wanted = self._wanted(options or Options())
        return self._make(Start(session, position, context, wanted, partials), emit)

    def _wanted(self, options: Options) -> Options:
        """Fill what a session leaves open with the settings."""
        defaults = self._defaults
        return Options(
            language=options.language or defaults.language,
            task=options.task or defaults.task,
            prompt=options.prompt or defaults.prompt,
            hotwords=options.hotwords or defaults.hotwords,
            locale=options.locale,
        )


@asynccontextmanager
async def open_recognition(
    settings: RecognitionSettings, observe: Observe = ignore
) -> AsyncIterator[Recognition]:
    """Open the engine that the settings name; recognition is ready when this yields.

    Raises EngineUnavailable.
    """
    defaults = Options(settings.language, settings.task, settings.prompt, settings.hotwords)
    with ThreadPoolExecutor(1, thread_name_prefix="speech") as executor:
        async with open_engine(settings) as engine:
            detector = await _detector(engine.name, executor)
            if isinstance(engine, StreamEngine):
                streams = StreamTools(
                    Streams(engine), detector, executor, prosody=_prosody(settings)
                )
                yield on_streams(engine, defaults, streams)
                return
            async with Scheduler(engine, observe) as scheduler:
                tools = _tools(settings, engine, scheduler, (detector, executor))
                yield on_windows(engine, scheduler, defaults, tools)


def on_windows(
    engine: WindowEngine, scheduler: Scheduler, defaults: Options, tools: Tools
) -> Recognition:
    """Give recognition by an engine that decodes windows."""
    recognition = Recognition(
        engine.name, defaults, lambda start, emit: WindowRecogniser(start, emit, tools)
    )
    recognition.places = engine.concurrency
    recognition.window_seconds = engine.window_seconds
    recognition.rules = tools.rules
    recognition.measures_emotion = tools.prosody is not no_prosody
    recognition.watch = scheduler.watch
    recognition.busy_seconds = lambda: scheduler.busy_seconds
    return recognition


def on_streams(engine: StreamEngine, defaults: Options, tools: StreamTools) -> Recognition:
    """Give recognition by an engine that is sent streams."""
    recognition = Recognition(
        engine.name, defaults, lambda start, emit: StreamRecogniser(start, emit, tools)
    )
    recognition.places = recognition.max_sessions = engine.rules.max_streams
    recognition.watch = tools.streams.watch
    recognition.measures_emotion = tools.prosody is not no_prosody
    return recognition


async def _detector(engine: str, executor: Executor) -> Detector:
    if engine in WITHOUT_MODEL:
        return start_loudness
    try:
        model = await asyncio.get_running_loop().run_in_executor(executor, SileroModel)
    except (ImportError, OSError, RuntimeError) as error:
        log.warning("no model of speech, loudness serves", extra=about(error=str(error)))
        return start_loudness
    return model.start


def _tools(
    settings: RecognitionSettings,
    engine: WindowEngine,
    scheduler: Scheduler,
    listening: tuple[Detector, Executor],
) -> Tools:
    start_detector, executor = listening
    return Tools(
        decode=scheduler.decode,
        start_detector=start_detector,
        executor=executor,
        rules=rules_for(settings, engine),
        partial_interval=to_samples(
            engine.partial_interval_seconds
            if settings.partial_interval_seconds is None
            else settings.partial_interval_seconds
        ),
        pace=scheduler.pace,
        observe=scheduler.observe,
        prosody=_prosody(settings),
    )


def _prosody(settings: RecognitionSettings) -> MeasureProsody:
    return measured_prosody if settings.enable_emotion_detection else no_prosody


def rules_for(settings: RecognitionSettings, engine: WindowEngine) -> Rules:
    """Give the rules of segments: those of the settings, else the engine's own."""
    pause, longest = settings.pause_seconds, settings.max_segment_seconds
    return Rules(
        pause=to_samples(engine.pause_seconds if pause is None else pause),
        max_segment=to_samples(
            engine.max_segment_seconds
            if longest is None
            else min(longest, engine.window_limit_seconds)
        ),
        pad=to_samples(settings.pad_seconds),
        min_speech=to_samples(settings.min_speech_seconds),
    )
