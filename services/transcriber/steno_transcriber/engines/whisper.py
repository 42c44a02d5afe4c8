"""Whisper by CTranslate2: batches of windows of many sessions, each padded to 30 s."""

import asyncio
import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import ctranslate2
from faster_whisper import WhisperModel

from steno_transcriber.domain.hypothesis import Hypothesis, Window
from steno_transcriber.engines.base import EngineError, EngineUnavailable
from steno_transcriber.engines.model_folder import find_model
from steno_transcriber.engines.whisper_decoding import WhisperDecoder
from steno_transcriber.settings import RecognitionSettings

log = logging.getLogger(__name__)

_BATCH_ON_CPU = 4
_BATCH_ON_GPU = 16


class WhisperEngine:
    """Runs a decoder on one thread of its own; CTranslate2 lets the others go on meanwhile."""

    name = "whisper"
    pause_seconds = 0.6
    max_segment_seconds = 25.0
    window_limit_seconds = 30.0
    partial_interval_seconds = 0.5
    concurrency = 1

    def __init__(self, decoder: WhisperDecoder, executor: ThreadPoolExecutor) -> None:
        self._decoder = decoder
        self._executor = executor
        self.max_batch = _BATCH_ON_GPU if decoder.device == "cuda" else _BATCH_ON_CPU

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis]:
        """Decode a batch."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._decoder.decode, windows)
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"whisper: {error}") from error

    async def aclose(self) -> None:
        """Wait for the batch that is running."""
        await asyncio.to_thread(self._executor.shutdown)


def _load(folder: Path, settings: RecognitionSettings) -> WhisperDecoder:
    device = settings.device
    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    compute_type = settings.compute_type
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    model = WhisperModel(
        str(folder),
        device=device,
        compute_type=compute_type,
        cpu_threads=settings.cpu_threads,
        local_files_only=True,
    )
    return WhisperDecoder(model, device, settings.whisper_beam_size)


async def open_engine(settings: RecognitionSettings) -> WhisperEngine:
    """Find the model, load it, decode a moment of silence with it.

    Raises EngineUnavailable.
    """
    folder = await find_model(settings.whisper_model, settings.model_fetch_seconds)
    executor = ThreadPoolExecutor(1, thread_name_prefix="whisper")
    loop = asyncio.get_running_loop()
    try:
        decoder = await loop.run_in_executor(executor, _load, folder, settings)
        await loop.run_in_executor(executor, decoder.warm_up)
    except (RuntimeError, ValueError, OSError) as error:
        executor.shutdown(wait=False)
        raise EngineUnavailable(f"model {settings.whisper_model}: {error}") from error
    return WhisperEngine(decoder, executor)
