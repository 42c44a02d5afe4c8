"""Held-out clips with what is said in them and when."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench.random_whisper import MARK
from numpy.typing import NDArray

from steno_audio import decode_file


@dataclass(frozen=True, slots=True)
class Spoken:
    """One word with its bounds in samples."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A recording with its truth."""

    name: str
    text: str
    words: tuple[Spoken, ...]
    audio: NDArray[np.int16]


def read_clips(fixture: Path) -> list[Clip]:
    """Read the folder `heldout` of a fixture.

    Each line of `transcripts.tsv` holds a clip's name and text, `words.json` maps the name to a
    list of [word, first sample, sample after the last], the audio is NAME.flac. Raises OSError,
    KeyError or ValueError where that is not so.
    """
    folder = fixture / "heldout"
    words = json.loads((folder / "words.json").read_text())
    clips = []
    for line in (folder / "transcripts.tsv").read_text().splitlines():
        name, text = line.split("\t")
        spoken = tuple(Spoken(*word) for word in words[name])
        pcm = b"".join(decode_file(folder / f"{name}.flac"))
        clips.append(Clip(name, text, spoken, np.frombuffer(pcm, dtype="<i2").astype(np.int16)))
    return clips


def understands_speech(model: Path) -> bool:
    """Whether a model's words can be compared with the truth: random weights know nothing."""
    return not (model / MARK).exists()
