"""The pool of training utterances: one file of audio with one line of times per utterance."""

import json
import multiprocessing
import random
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

import voices
from grammar import is_held_out, sentence
from speech import Espeak

Record = dict[str, Any]


def _speak(part: tuple[int, int, Path]) -> list[Record]:
    seed, count, path = part
    rng, espeak = random.Random(seed), Espeak()
    records: list[Record] = []
    with path.open("wb") as file:
        while len(records) < count:
            text = sentence(rng)
            if is_held_out(text):
                continue
            voice = voices.draw(rng)
            spoken = espeak.say(text, voice)
            level = 0.15 / max(float(np.sqrt(np.mean(spoken.audio**2))), 1e-4)
            audio = np.clip(spoken.audio * level, -1, 1) * 32767
            file.write(audio.astype(np.int16).tobytes())
            records.append(
                {
                    "text": text,
                    "samples": len(audio),
                    "words": spoken.words,
                    "phonemes": spoken.phonemes,
                }
            )
    return records


def build(folder: Path, count: int, processes: int = 2) -> None:
    """Speak `count` utterances into folder/audio.s16 with folder/pool.jsonl beside it."""
    parts = [(seed, count // processes, folder / f"part{seed}") for seed in range(processes)]
    with multiprocessing.Pool(processes) as workers:
        results = workers.map(_speak, parts)
    with (folder / "audio.s16").open("wb") as audio, (folder / "pool.jsonl").open("w") as lines:
        for (_, _, path), records in zip(parts, results, strict=True):
            audio.write(path.read_bytes())
            path.unlink()
            lines.writelines(json.dumps(record) + "\n" for record in records)
    seconds = sum(record["samples"] for records in results for record in records) / 16000
    print(f"{count} utterances, {seconds / 3600:.1f} h")


def load(folder: Path) -> tuple[npt.NDArray[np.int16], list[Record]]:
    """Return the audio as a memory map with the records, whose `first` is their first sample."""
    first, records = 0, []
    for line in (folder / "pool.jsonl").open():
        record = json.loads(line)
        records.append(record | {"first": first})
        first += record["samples"]
    return np.memmap(folder / "audio.s16", np.int16, mode="r"), records


if __name__ == "__main__":
    build(Path(sys.argv[1]), int(sys.argv[2]))
