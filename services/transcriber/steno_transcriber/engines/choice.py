"""Choice of the engine that the settings ask for."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Final

from steno_common.logs import about
from steno_transcriber.engines.base import EngineUnavailable, StreamEngine, WindowEngine
from steno_transcriber.engines.guarded import GuardedEngine
from steno_transcriber.settings import RecognitionSettings

log = logging.getLogger(__name__)

_MODULES: Final = {
    "whisper": "steno_transcriber.engines.whisper",
    "pocketsphinx": "steno_transcriber.engines.pocketsphinx",
    "aws": "steno_transcriber.engines.aws",
    "scripted": "steno_transcriber.engines.scripted",
    "numbered": "steno_transcriber.engines.numbered",
}
"""Imported on demand: a library that is not used is neither loaded nor required."""


@asynccontextmanager
async def open_engine(settings: RecognitionSettings) -> AsyncIterator[WindowEngine | StreamEngine]:
    """Open the engine, ready to work; it is closed at the end.

    Raises EngineUnavailable; with `auto` only if no engine at all can be opened.
    """
    engine = await _open(settings)
    try:
        yield GuardedEngine(engine) if isinstance(engine, StreamEngine) else engine
    finally:
        await engine.aclose()


async def _open(settings: RecognitionSettings) -> WindowEngine | StreamEngine:
    if settings.engine != "auto":
        engine = await _open_named(settings.engine, settings)
        log.info("engine %s is ready", engine.name, extra=about(engine=engine.name))
        return engine
    try:
        engine = await _open_named("whisper", settings)
    except EngineUnavailable as error:
        engine = await _open_named("pocketsphinx", settings)
        log.info(
            "engine pocketsphinx is ready: Whisper model %s is not available (%s)",
            settings.whisper_model,
            error.message,
            extra=about(engine=engine.name),
        )
    else:
        log.info(
            "engine whisper is ready: model %s",
            settings.whisper_model,
            extra=about(engine=engine.name),
        )
    return engine


async def _open_named(name: str, settings: RecognitionSettings) -> WindowEngine | StreamEngine:
    try:
        module = import_module(_MODULES[name])
    except ImportError as error:
        raise EngineUnavailable(f"engine {name} is not installed: {error}") from error
    engine: WindowEngine | StreamEngine = await module.open_engine(settings)
    return engine
