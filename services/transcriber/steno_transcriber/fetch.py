"""`steno-transcriber fetch`: the model of the settings, for transcribers without a network."""

import asyncio
import sys

from steno_common.settings import load
from steno_transcriber.engines.base import EngineUnavailable
from steno_transcriber.engines.model_folder import find_model
from steno_transcriber.settings import RecognitionSettings


def main() -> int:
    """Put the Whisper model where transcribers look for it, print its folder."""
    settings = load(RecognitionSettings)
    try:
        folder = asyncio.run(find_model(settings.whisper_model, settings.model_fetch_seconds))
    except EngineUnavailable as error:
        print(f"{settings.whisper_model}: {error.message}", file=sys.stderr)  # noqa: T201
        return 1
    print(folder)  # noqa: T201
    return 0
