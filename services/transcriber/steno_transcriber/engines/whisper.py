"""Whisper by CTranslate2: batches of windows of many sessions."""

import asyncio
import logging
import re
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import ctranslate2
from faster_whisper import WhisperModel

from steno_common.units import to_samples, to_seconds
from steno_transcriber.domain.fitting import HOP, Fit
from steno_transcriber.domain.hypothesis import Again, Hypothesis, Window
from steno_transcriber.engines.base import DeviceLost, EngineError, EngineUnavailable
from steno_transcriber.engines.calibration import Calibration, calibrate
from steno_transcriber.engines.cores import usable_cores
from steno_transcriber.engines.model_folder import find_model
from steno_transcriber.engines.priority import computing_threads
from steno_transcriber.engines.whisper_decoding import Choices, WhisperDecoder
from steno_transcriber.settings import RecognitionSettings

log = logging.getLogger(__name__)

LARGEST_BATCH: Final = {"cpu": 16, "cuda": 64}
PADDED_STEP: Final = {"cpu": 50, "cuda": 500}
"""Frames. A GPU pads for almost nothing, and wants large batches."""

SMALL_MODEL_BYTES: Final = 250_000_000
"""Up to Whisper base: one thread decodes a window in time, so cores decode windows side by side."""

THREADS_OF_LARGE: Final = 4

CALIBRATION_SECONDS: Final = 2.0

_OF_CUDA: Final = re.compile("cuda|cublas|cudnn", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Places:
    """How a device is shared by the batches that run at once."""

    device: str
    batches: int
    """Batches in the model at once."""
    threads: int
    """Of each, on a CPU."""

    @property
    def concurrency(self) -> int:
        """Batches at work: a GPU has the next one prepared while it decodes."""
        return self.batches + (self.device == "cuda")


class WhisperEngine:
    """Runs a decoder on threads of its own; CTranslate2 lets the others go on meanwhile."""

    name = "whisper"
    pause_seconds = 0.6
    max_segment_seconds = 25.0
    window_limit_seconds = 30.0
    partial_interval_seconds = 0.5
    reserve = 0

    def __init__(
        self, decoder: WhisperDecoder, executor: ThreadPoolExecutor, found: Calibration, places: int
    ) -> None:
        self._decoder = decoder
        self._executor = executor
        self.concurrency = places
        self.max_batch = found.max_batch
        self.max_partials = found.max_partials
        self.window_seconds = found.window_seconds

    def padded_seconds(self, window: Window) -> float:
        """Give the length with the silence behind the audio."""
        return to_seconds(self._decoder.group(window).frames * HOP)

    def group(self, window: Window) -> Hashable:
        """Group windows by padded length, prompt length and search."""
        return self._decoder.group(window)

    async def decode(self, windows: Sequence[Window]) -> list[Hypothesis | Again]:
        """Decode a batch."""
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, self._decoder.decode, windows)
        except (RuntimeError, ValueError) as error:
            if of_the_device(error):
                raise DeviceLost(f"whisper: {error}") from error
            raise EngineError(f"whisper: {error}") from error

    async def aclose(self) -> None:
        """Wait for the batches that are running."""
        await asyncio.to_thread(self._executor.shutdown)


def of_the_device(error: Exception) -> bool:
    """Say whether an error is CUDA's: after one, the context of the process is undefined."""
    return isinstance(error, RuntimeError) and _OF_CUDA.search(str(error)) is not None


def places_for(settings: RecognitionSettings, device: str, model_bytes: int) -> Places:
    """Share the machine: side by side for small models, a few threads each for larger ones."""
    if device == "cuda":
        return Places(device, settings.whisper_workers or 1, 0)
    cores = usable_cores()
    threads = settings.cpu_threads
    if not threads:
        threads = 1 if model_bytes <= SMALL_MODEL_BYTES else min(THREADS_OF_LARGE, cores)
    return Places(device, settings.whisper_workers or max(1, cores // threads), threads)


def _load(folder: Path, settings: RecognitionSettings) -> tuple[WhisperDecoder, Places]:
    device = settings.device
    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    compute_type = settings.compute_type
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    places = places_for(settings, device, (folder / "model.bin").stat().st_size)
    with computing_threads():
        model = WhisperModel(
            str(folder),
            device=device,
            # Workers that are numbered on share GPUs.
            device_index=settings.device_index % max(1, ctranslate2.get_cuda_device_count()),
            compute_type=compute_type,
            cpu_threads=places.threads,
            num_workers=places.batches,
            local_files_only=True,
        )
    padding = to_samples(settings.whisper_padding_seconds) // HOP
    fit = Fit(settings.whisper_window, padding, PADDED_STEP[device])
    choices = Choices(fit, settings.whisper_beam_size, settings.whisper_max_tokens)
    return WhisperDecoder(model, choices), places


def _calibrated(
    decoder: WhisperDecoder, executor: ThreadPoolExecutor, places: Places, largest: int
) -> Calibration:
    def run(size: int) -> float:
        started = time.monotonic()
        running = [executor.submit(decoder.rehearse, size) for _ in range(places.batches)]
        for each in running:
            each.result()
        return time.monotonic() - started

    run(1)  # allocates what later batches find
    found = calibrate(run, largest, CALIBRATION_SECONDS)
    log.info(
        "whisper: batches of %d, %d at once, %.1f ms a window",
        found.max_batch, places.batches, 1000 * found.window_seconds,
    )  # fmt: skip
    return found


async def open_engine(settings: RecognitionSettings) -> WhisperEngine:
    """Find the model, load it, find out how fast it is.

    Raises EngineUnavailable.
    """
    folder = await find_model(settings.whisper_model, settings.model_fetch_seconds)
    try:
        decoder, places = await asyncio.to_thread(_load, folder, settings)
        executor = ThreadPoolExecutor(places.concurrency, thread_name_prefix="whisper")
        largest = settings.whisper_max_batch or LARGEST_BATCH[places.device]
        found = await asyncio.to_thread(_calibrated, decoder, executor, places, largest)
    except (RuntimeError, ValueError, OSError) as error:
        raise EngineUnavailable(f"model {settings.whisper_model}: {error}") from error
    return WhisperEngine(decoder, executor, found, places.concurrency)
