"""Direct recognition of files, without Redis or other services."""

import argparse
import asyncio
import json
import logging
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from steno_audio import AudioError, decode_file
from steno_common.errors import SettingsError
from steno_common.messages import Word
from steno_common.settings import load
from steno_common.units import to_samples, to_seconds
from steno_common.utterances import join_text, split_utterances
from steno_transcriber.domain.samples import from_bytes
from steno_transcriber.engines.base import EngineError
from steno_transcriber.recogniser import Partial, Span
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings


@dataclass(frozen=True, slots=True)
class DirectSettings:
    """What joins finals into utterances."""

    silence_seconds: float = 3.0


@dataclass(frozen=True, slots=True)
class Spoken:
    """The final of one span, with the bounds of its speech in samples."""

    start: int
    end: int
    text: str
    confidence: float
    language: str | None
    words: tuple[Word, ...]


@dataclass(slots=True)
class Heard:
    """All that was recognised of one file."""

    samples: int = 0
    finals: list[Spoken] = field(default_factory=list)
    complete: bool = True
    """False if the engine failed on a segment."""

    async def take(self, event: Partial | Span) -> None:
        """Keep the finals."""
        if isinstance(event, Partial):
            return
        self.samples = event.end
        lost = event.reason == "engine_failed" and event.speech_start < event.speech_end
        self.complete &= not lost
        if (said := event.hypothesis) is not None:
            self.finals.append(
                Spoken(
                    event.speech_start,
                    event.speech_end,
                    said.text,
                    said.confidence,
                    said.language,
                    said.words,
                )
            )


async def recognise(recognition: Recognition, path: str) -> Heard:
    """Recognise one file. Raises AudioError if it cannot be decoded."""
    heard = Heard()
    recogniser = recognition.recogniser(path, heard.take, partials=False)
    pieces = decode_file(path)
    try:
        while piece := await asyncio.to_thread(next, pieces, b""):
            await recogniser.feed(from_bytes(piece))
        await recogniser.flush()
    finally:
        await recogniser.aclose()
    return heard


def lines(heard: Heard, silence: int) -> Iterator[str]:
    """Give each utterance as a line of text."""
    for finals in split_utterances(heard.finals, silence):
        yield join_text(final.text for final in finals)


def as_json(path: str, heard: Heard, silence: int) -> dict[str, Any]:
    """Give everything, times in seconds."""
    return {
        "file": path,
        "duration": to_seconds(heard.samples),
        "complete": heard.complete,
        "utterances": [
            {
                "text": join_text(final.text for final in finals),
                "start": to_seconds(finals[0].start),
                "end": to_seconds(finals[-1].end),
                "finals": [_final_as_json(final) for final in finals],
            }
            for finals in split_utterances(heard.finals, silence)
        ],
    }


def _final_as_json(final: Spoken) -> dict[str, Any]:
    return {
        "text": final.text,
        "start": to_seconds(final.start),
        "end": to_seconds(final.end),
        "confidence": final.confidence,
        "language": final.language,
        "words": [
            {
                "text": word.text,
                "start": to_seconds(word.start),
                "end": to_seconds(word.end),
                "confidence": word.confidence,
            }
            for word in final.words
        ],
    }


async def _print_all(files: Sequence[str], *, with_json: bool) -> int:
    settings = load(RecognitionSettings)
    silence = to_samples(load(DirectSettings).silence_seconds)
    status = 0
    async with open_recognition(settings) as recognition:
        for path in files:
            try:
                heard = await recognise(recognition, path)
            except (AudioError, OSError) as error:
                sys.stderr.write(f"{path}: {error}\n")
                status = 1
                continue
            if not heard.complete:
                sys.stderr.write(f"{path}: the engine failed on a part of it\n")
                status = 1
            if with_json:
                sys.stdout.write(json.dumps(as_json(path, heard, silence)) + "\n")
                continue
            if len(files) > 1:
                sys.stdout.write(f"# {path}\n")
            sys.stdout.writelines(f"{line}\n" for line in lines(heard, silence))
            sys.stdout.flush()
    return status


def main(arguments: Sequence[str]) -> int:
    """Print what the services would say of each file; 0 if all of them were recognised."""
    parser = argparse.ArgumentParser(
        prog="steno-transcriber recognise",
        description="Recognise files directly, without Redis or other services: one line for each "
        "utterance. The engine and its settings come from STENO_ variables.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="any file that PyAV opens")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object a file, with words and times"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    try:
        return asyncio.run(_print_all(options.files, with_json=options.json))
    except (SettingsError, EngineError) as error:
        sys.stderr.write(f"steno-transcriber: {error}\n")
        return 2
