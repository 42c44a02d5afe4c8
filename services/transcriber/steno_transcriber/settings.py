"""Settings of recognition."""

from dataclasses import dataclass, field
from typing import Literal

from steno_common.naming import ALSO_BARE
from steno_transcriber.domain.fitting import Fitting
from steno_transcriber.domain.hypothesis import Task

EngineName = Literal["auto", "whisper", "pocketsphinx", "aws", "scripted", "numbered"]


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
    """Words that are likely to be said, with commas between them."""

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

    enable_emotion_detection: bool = field(default=True, metadata=ALSO_BARE)
    """Measure volume, rate and energy of what is said."""

    decoder_processes: int = 0
    """Processes of the pocketsphinx engine; 0 for one per core."""

    scripted_window_seconds: float = 0.0
    """What each window takes the engine for tests."""
    scripted_realtime_factor: float = 0.0
    """What each second of its audio takes beside that."""

    whisper_model: str = "base"
    """A size name, a hub id or a local folder."""
    model_fetch_seconds: float = 60.0
    """Longest download of a model."""
    device: str = "auto"
    """`auto`, `cpu` or `cuda`."""
    compute_type: str = "auto"
    """A compute type of CTranslate2; `auto`: int8 on a CPU, float16 on a GPU."""
    device_index: int = 0
    """Which GPU; a worker process uses one."""
    cpu_threads: int = 0
    """Threads of one Whisper batch on a CPU; 0: one for models up to base, 4 for larger ones."""
    whisper_workers: int = 0
    """Whisper batches at once; 0: as many as the cores have threads for, one on a GPU."""
    whisper_max_batch: int = 0
    """Windows in one batch; 0: as many as are worth it, measured at the start."""
    whisper_beam_size: int = 5
    """Beams of a final; a partial takes one."""
    whisper_window: Fitting = "fit"
    """`full`: windows padded to 30 s as Whisper was trained; `fit`: only as far as needed."""
    whisper_padding_seconds: float = 2.6
    """Silence behind the audio of a fitted window, at least."""
    whisper_max_tokens: int = 224
    """Tokens of text in one window."""
