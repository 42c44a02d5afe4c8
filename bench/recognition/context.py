"""What a command works with: the model's folder, Steno's environment, the clips."""

from dataclasses import dataclass
from pathlib import Path

from bench.random_whisper import write_random_model
from bench.recognition.fixture import Clip, read_clips
from bench.recognition.options import Asked

from steno_common.settings import load
from steno_transcriber.settings import RecognitionSettings


@dataclass(frozen=True, slots=True)
class Subject:
    """A model as Steno is to run it."""

    model: Path
    environment: dict[str, str]
    """STENO_ variables."""
    settings: RecognitionSettings
    """What a transcriber reads in them."""
    clips: list[Clip]


def prepare(asked: Asked, name: str, folder: Path) -> Subject:
    """Find a model, or write one of random weights into `folder`, and settle how it runs."""
    model = _model(asked, name, folder)
    many = str(max(asked.load.sessions, asked.most if asked.mode == "ladder" else 128))
    room = {
        "STENO_MAX_SESSIONS": many,
        "STENO_MAX_CONNECTIONS_PER_IP": many,
        "STENO_MAX_HANDSHAKES_PER_SECOND_PER_IP": many,
        "STENO_MAX_WORKER_SESSIONS": many,
    }
    chosen = {"STENO_WHISPER_MODEL": str(model.resolve())} | asked.environment
    settings = load(RecognitionSettings, chosen)
    return Subject(model, room | chosen, settings, read_clips(asked.load.fixture))


def _model(asked: Asked, name: str, folder: Path) -> Path:
    if name == "fixture":
        return asked.load.fixture / "model"
    kind, _, shape = name.partition(":")
    return write_random_model(folder / shape, shape) if kind == "random" else Path(name)
