"""The words that faster-whisper itself gives for the clips, each decoded alone."""

from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np
from bench.recognition.fixture import Clip
from faster_whisper import WhisperModel

from steno_transcriber.settings import RecognitionSettings


def device_of(settings: RecognitionSettings) -> tuple[str, str]:
    """Give device and compute type as the engine chooses them."""
    device, compute_type = settings.device, settings.compute_type
    if device == "auto":
        device = "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    if compute_type == "auto":
        compute_type = "float16" if device == "cuda" else "int8"
    return device, compute_type


def transcribe_offline(
    model: Path, clips: Sequence[Clip], settings: RecognitionSettings
) -> dict[str, str]:
    """Give the text of each clip by its name, with faster-whisper's defaults but Steno's beam."""
    device, compute_type = device_of(settings)
    whisper = WhisperModel(str(model), device=device, compute_type=compute_type)
    # The fallback of its defaults draws at random.
    ctranslate2.set_random_seed(1)
    texts = {}
    for clip in clips:
        segments, _ = whisper.transcribe(
            clip.audio.astype(np.float32) / 32_768, beam_size=settings.whisper_beam_size
        )
        texts[clip.name] = " ".join(segment.text.strip() for segment in segments)
    return texts
