"""Settings of recognition."""

from dataclasses import dataclass
from typing import Literal

from steno_transcriber.domain.hypothesis import Task

EngineName = Literal["auto", "whisper", "pocketsphinx", "scripted"]


@dataclass(frozen=True, slots=True)
class RecognitionSettings:
    """What is recognised how; None leaves it to the engine."""

    engine: EngineName = "auto"
    """`auto`: Whisper if its model is there or can be fetched in time, else pocketsphinx."""
    language: str | None = None
    """Two letters or `multi`, for sessions that name none; None: found on the first speech."""
    task: Task = "transcribe"
    """`translate` turns speech into English text, where the model can."""
    prompt: str = ""
    """Text as if said before each session that brings none."""
    hotwords: str = ""
    """Words that are likely to be said, with blanks between them."""

    pause_seconds: float | None = None
    """Silence that ends a segment."""
    max_segment_seconds: float | None = None
    """Longer speech is cut at its most silent point."""
    pad_seconds: float = 0.4
    """Audio decoded before and after the detected speech."""
    min_speech_seconds: float = 0.1
    """Shorter speech is a click."""
    partial_interval_seconds: float | None = None
    """New audio between two partials of a session."""

    decoder_processes: int = 0
    """Processes of the pocketsphinx engine; 0 for one per core."""

    whisper_model: str = "base"
    """A size name, a hub id or a local folder."""
    model_fetch_seconds: float = 60.0
    """Longest download of a model."""
    device: str = "auto"
    """`auto`, `cpu` or `cuda`."""
    compute_type: str = "auto"
    """A compute type of CTranslate2; `auto`: int8 on a CPU, float16 on a GPU."""
    cpu_threads: int = 0
    """Threads of one Whisper batch on a CPU; 0 for CTranslate2's choice."""
    whisper_beam_size: int = 5
    """Beams of a final; a partial takes one."""
