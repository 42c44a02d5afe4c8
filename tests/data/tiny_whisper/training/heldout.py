"""The held-out clips: sentences and voices never trained on. python heldout.py FOLDER."""

import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

import noise
import voices
from grammar import SLOTS, is_held_out, sentence
from speech import SAMPLE_RATE, Espeak

Word = tuple[str, int, int]
_DIGITS = set(SLOTS["digit"].split())


@dataclass(frozen=True)
class Recording:
    """Audio at 16 kHz with its text and its words, times in samples."""

    name: str
    audio: npt.NDArray[np.float32]
    text: str
    words: list[Word]


def draw(rng: random.Random, fits: Callable[[list[str]], bool], *, salad: float = 0.0) -> str:
    """Return a held-out sentence whose lower-case words fit."""
    while True:
        text = sentence(rng, salad=salad)
        if is_held_out(text) and fits(text.lower().rstrip(".?").split()):
            return text


def is_command(words: list[str]) -> bool:
    """Tell whether words are a short command."""
    return len(words) <= 5 and not _DIGITS.issuperset(words)


def is_long(words: list[str]) -> bool:
    """Tell whether words are a longer sentence."""
    return len(words) >= 7 and not _DIGITS.issuperset(words)


def is_digits(words: list[str]) -> bool:
    """Tell whether words are a string of digits."""
    return _DIGITS.issuperset(words)


def speak(
    espeak: Espeak, rng: random.Random, texts: Sequence[str], gaps: tuple[float, float]
) -> tuple[npt.NDArray[np.float32], list[Word]]:
    """Speak texts with held-out voices, a pause of so many seconds between them."""
    parts = [np.zeros(int(0.3 * SAMPLE_RATE), np.float32)]
    words: list[Word] = []
    for text in texts:
        spoken = espeak.say(text, voices.draw(rng, held_out=True))
        begin = sum(len(part) for part in parts)
        spans = zip(text.lower().split(), spoken.words, strict=True)
        words += [(word.rstrip(".?"), begin + a, begin + b) for word, (a, b) in spans]
        level = 0.1 / float(np.sqrt(np.mean(spoken.audio**2)))
        parts += [spoken.audio * level, np.zeros(int(rng.uniform(*gaps) * SAMPLE_RATE), np.float32)]
    parts[-1] = np.zeros(int(0.4 * SAMPLE_RATE), np.float32)
    return np.concatenate(parts).astype(np.float32), words


def record(
    espeak: Espeak,
    rng: random.Random,
    name: str,
    texts: Sequence[str],
    *,
    gaps: tuple[float, float] = (0.3, 0.7),
    noise_decibels: float | None = None,
) -> Recording:
    """Return one recording, with coloured noise if a level below the speech is given."""
    audio, words = speak(espeak, rng, texts, gaps)
    if noise_decibels is not None:
        sound = noise.coloured(np.random.default_rng(rng.randrange(2**32)))
        audio = audio + np.resize(sound, len(audio)) * 0.1 * 10 ** (-noise_decibels / 20)
    return Recording(name, np.clip(audio, -1, 1).astype(np.float32), " ".join(texts), words)


def recordings() -> list[Recording]:
    """Return all held-out clips."""
    espeak, rng = Espeak(), random.Random(2024)
    said: set[str] = set()

    def texts(count: int, fits: Callable[[list[str]], bool], salad: float = 0.0) -> list[str]:
        chosen: list[str] = []
        while len(chosen) < count:
            if (text := draw(rng, fits, salad=salad)) not in said:
                said.add(text)
                chosen.append(text)
        return chosen

    def many(name: str, count: int, fits: Callable[[list[str]], bool]) -> list[Recording]:
        return [record(espeak, rng, f"{name}_{i}", texts(1, fits)) for i in range(1, count + 1)]

    clips = many("command", 6, is_command) + many("sentence", 5, is_long)
    clips += many("digits", 3, is_digits)
    clips += [
        record(espeak, rng, f"noisy_{level}_db", texts(1, is_long), noise_decibels=level)
        for level in (20, 15, 10)
    ]
    clips.append(record(espeak, rng, "two_sentences", texts(2, is_long)))
    clips.append(record(espeak, rng, "pauses", texts(5, is_command), gaps=(0.9, 2.0)))
    clips.append(record(espeak, rng, "dense", texts(16, lambda _: True, 0.1), gaps=(0.2, 0.5)))
    return clips


def write_flac(path: Path, audio: npt.NDArray[np.float32]) -> None:
    """Write 16 kHz mono FLAC."""
    frame_audio = (audio * 32767).astype(np.int16)[None, :]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(frame_audio, format="s16", layout="mono")
        frame.sample_rate = SAMPLE_RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)


def main(folder: Path) -> None:
    """Write the clips with transcripts.tsv and words.json."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = recordings()
    for clip in clips:
        write_flac(folder / f"{clip.name}.flac", clip.audio)
    lines = [f"{clip.name}\t{clip.text}\n" for clip in clips]
    (folder / "transcripts.tsv").write_text("".join(lines))
    times = [f" {json.dumps(clip.name)}: {json.dumps(clip.words)}" for clip in clips]
    (folder / "words.json").write_text("{\n" + ",\n".join(times) + "\n}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
