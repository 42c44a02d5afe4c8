"""Recognition of a process: the engine with all that its recognisers share."""

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Final

from steno_common.units import to_samples
from steno_transcriber.domain.hypothesis import Options
from steno_transcriber.domain.segmenter import Rules
from steno_transcriber.engines.base import WindowEngine
from steno_transcriber.engines.choice import open_engine
from steno_transcriber.recogniser import Emit, Recogniser
from steno_transcriber.scheduler import Observe, Scheduler, ignore
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.speech import SileroModel, start_loudness
from steno_transcriber.tools import Start, Tools
from steno_transcriber.window_recogniser import WindowRecogniser

WITHOUT_MODEL: Final = ("scripted", "numbered")
"""Engines of tests: their speech is whatever is loud."""
LONGEST_CALL_SECONDS: Final = 60.0
"""An engine that takes this long for a batch is too slow for live audio, if it works at all."""


class Recognition:
    """Makes the recogniser of each session."""

    def __init__(
        self, engine: WindowEngine, scheduler: Scheduler, defaults: Options, tools: Tools
    ) -> None:
        self.engine_name = engine.name
        self.places = engine.concurrency
        """Batches that the engine runs at once."""
        self.window_seconds = engine.window_seconds
        """Time of a place that an ordinary window takes, 0 if it was not measured."""
        self.rules = tools.rules
        self._scheduler = scheduler
        self._defaults = defaults
        self._tools = tools

    @property
    def hangs(self) -> bool:
        """Whether the engine has owed an answer for so long that it will not come."""
        return self._scheduler.busy_seconds > LONGEST_CALL_SECONDS

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
        start = Start(session, position, context, self._wanted(options or Options()), partials)
        return WindowRecogniser(start, emit, self._tools)

    def _wanted(self, options: Options) -> Options:
        """Fill what a session leaves open with the settings."""
        defaults = self._defaults
        return Options(
            language=options.language or defaults.language,
            task=options.task or defaults.task,
            prompt=options.prompt or defaults.prompt,
            hotwords=options.hotwords or defaults.hotwords,
        )


@asynccontextmanager
async def open_recognition(
    settings: RecognitionSettings, observe: Observe = ignore
) -> AsyncIterator[Recognition]:
    """Open the engine that the settings name; recognition is ready when this yields.

    Raises EngineUnavailable.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="speech") as executor:
        async with open_engine(settings) as engine, Scheduler(engine, observe) as scheduler:
            defaults = Options(settings.language, settings.task, settings.prompt, settings.hotwords)
            tools = await _tools(settings, engine, scheduler, executor)
            yield Recognition(engine, scheduler, defaults, tools)


async def _tools(
    settings: RecognitionSettings, engine: WindowEngine, scheduler: Scheduler, executor: Executor
) -> Tools:
    if engine.name in WITHOUT_MODEL:
        start_detector = start_loudness
    else:
        model = await asyncio.get_running_loop().run_in_executor(executor, SileroModel)
        start_detector = model.start
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
    )


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
