"""Figures of a model folder: python evaluate.py MODEL_FOLDER HELD_OUT_FOLDER [GENERATED_CLIPS]."""

import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from faster_whisper import WhisperModel, decode_audio

import heldout
import noise
from heldout import Recording
from scoring import FULL, Audio, Direct, Score, plain
from speech import SAMPLE_RATE, Espeak

Transcribe = Callable[[Audio], str]


def read(folder: Path) -> list[Recording]:
    """Return the held-out clips with their texts; their words are not needed here."""
    lines = [line.split("\t") for line in (folder / "transcripts.tsv").read_text().splitlines()]
    return [
        Recording(name, decode_audio(str(folder / f"{name}.flac")), text, [])
        for name, text in lines
    ]


def generated(count: int) -> list[Recording]:
    """Return clips of one or two held-out sentences by held-out voices, a third of them noisy."""
    espeak, rng = Espeak(), random.Random(991)
    clips = []
    for index in range(count):
        texts = [heldout.draw(rng, lambda _: True, salad=0.1) for _ in range(rng.choice([1, 1, 2]))]
        level = rng.choice([10.0, 15.0, 25.0]) if index % 3 == 0 else None
        clips.append(heldout.record(espeak, rng, f"made_{index}", texts, noise_decibels=level))
    return clips


def ways(model: WhisperModel) -> dict[str, Transcribe]:
    """Return the ways to decode one clip."""
    direct = Direct(model)

    def transcribe(beam: int, *, context: bool = True) -> Transcribe:
        def run(audio: Audio) -> str:
            segments, _ = model.transcribe(
                audio, beam_size=beam, condition_on_previous_text=context
            )
            return " ".join(segment.text.strip() for segment in segments)

        return run

    prompt = "Good evening Anna. Send the report to my father."
    return {
        "direct, unpadded": lambda audio: direct.decode([direct.features(audio)])[0].text,
        "direct, zeros to 30 s": lambda audio: (
            direct.decode([direct.features(audio, FULL)])[0].text
        ),
        "direct, 30 s, prompt": lambda audio: (
            direct.decode([direct.features(audio, FULL)], prompt=prompt)[0].text
        ),
        "transcribe, beam 1": transcribe(1),
        "transcribe, beam 5": transcribe(5),
        "transcribe, no context": transcribe(1, context=False),
    }


def word_errors(model: WhisperModel, groups: dict[str, list[Recording]]) -> Iterator[str]:
    """Yield one line per way of decoding; windows over 30 s only by transcribe."""
    missed = defaultdict(list)
    for name, way in ways(model).items():
        cells = []
        for group, clips in groups.items():
            score = Score()
            for clip in clips:
                if len(clip.audio) <= 30 * SAMPLE_RATE or name.startswith("transcribe"):
                    heard = way(clip.audio)
                    if score.add(clip.text, heard) and group != "generated":
                        missed[clip.name].append(f"{name}: {heard}")
            cells.append(f"{group} {score}" if score.words else f"{group} -")
        yield f"{name:24} " + "   ".join(cells)
    for clip_name, answers in missed.items():
        yield f"  {clip_name}: " + " | ".join(answers)


def chained(model: WhisperModel, clips: list[Recording]) -> str:
    """Decode each clip after the true texts of so many clips before it."""
    direct = Direct(model)
    scores = {count: Score() for count in (0, 1, 3, 12)}
    for index, clip in enumerate(clips):
        window = direct.features(clip.audio, FULL)
        for count, score in scores.items():
            prompt = " ".join(before.text for before in clips[max(0, index - count) : index])
            score.add(clip.text, direct.decode([window], prompt=prompt)[0].text)
    return ", ".join(f"after {count} clips {score}" for count, score in scores.items())


def silence(model: WhisperModel, count: int) -> str:
    """Count the runs over sounds without speech that give any word."""
    rng, direct = np.random.default_rng(5), Direct(model)
    speech = np.concatenate([clip.audio for clip in generated(40)]) * 32767
    sounds = noise.bank(rng, speech.astype(np.int16), 2)
    texts: dict[str, list[str]] = {"direct": [], "transcribe": []}
    least, runs = 1.0, 0
    for index in range(count):
        audio = sounds[index % len(sounds)][: int(rng.choice([0.4, 1, 2.5, 6, 11]) * SAMPLE_RATE)]
        level = 10 ** (rng.choice([-60, -40, -25, -15, -10]) / 20) if index % 9 else 0.0
        audio = np.clip(audio * level, -1, 1).astype(np.float32)
        rows = [direct.features(audio, size) for size in (None, FULL)]
        answers = [direct.decode([row])[0] for row in rows]
        least = min(least, *(answer.no_speech for answer in answers))
        texts["direct"] += [answer.text for answer in answers if plain(answer.text)]
        heard = " ".join(segment.text for segment in model.transcribe(audio, beam_size=5)[0])
        texts["transcribe"] += [heard] if plain(heard) else []
        runs += 1
    return (
        f"words in {len(texts['direct'])} of {2 * runs} direct runs, in {len(texts['transcribe'])} "
        f"of {runs} by transcribe (beam 5), least no_speech_prob {least:.3f} {texts}"
    )


def stability(model: WhisperModel, clips: list[Recording], frames: int | None) -> str:
    """Count the steps of 0.3 s in which a word before the last one changed."""
    direct, changed, steps = Direct(model), 0, 0
    for clip in clips:
        before: list[str] = []
        for end in range(4800, min(len(clip.audio), 12 * SAMPLE_RATE) + 1, 4800):
            words = plain(direct.decode([direct.features(clip.audio[:end], frames)])[0].text)
            settled = before[:-1]
            changed += words[: len(settled)] != settled
            steps, before = steps + 1, words
    return f"{100 * changed / steps:.1f} % ({changed}/{steps})"


def word_times(model: WhisperModel, clips: list[Recording]) -> str:
    """Compare word times of exactly transcribed clips, without the first word of a window."""
    starts, ends, seen = [], [], 0
    for clip in clips:
        segments, _ = model.transcribe(clip.audio, beam_size=1, word_timestamps=True)
        words = [word for segment in segments for word in segment.words or ()]
        if [plain(word.word) for word in words] != [[word] for word, _, _ in clip.words]:
            continue
        seen += len(words)
        for word, (_, start, end) in list(zip(words, clip.words, strict=True))[1:]:
            starts.append(1000 * abs(word.start - start / SAMPLE_RATE))
            ends.append(1000 * abs(word.end - end / SAMPLE_RATE))
    shown = [
        f"{name} mean {np.mean(errors):.0f} median {np.median(errors):.0f} "
        f"p95 {np.percentile(errors, 95):.0f} ms"
        for name, errors in (("start", starts), ("end", ends))
    ]
    return f"{', '.join(shown)} ({seen} words)"


def batches(model: WhisperModel, clips: list[Recording]) -> str:
    """Compare each window decoded alone with the same window in a batch of 16."""
    direct, same, scores, widest = Direct(model), 0, 0, 0.0
    windows = [direct.features(clip.audio, FULL) for clip in clips]
    for index, window in enumerate(windows):
        alone = direct.decode([window])[0]
        others = [windows[(index + step) % len(windows)] for step in range(16)]
        together = direct.decode(others)[0]
        same += alone.tokens == together.tokens
        scores += alone.score == together.score
        widest = max(widest, abs(alone.score - together.score))
    total = len(windows)
    return f"tokens equal {same}/{total}, scores equal {scores}/{total}, widest gap {widest:.2g}"


def main(model_folder: Path, held_out: Path, count: int) -> None:
    """Print all figures, decoding in int8 on two threads."""
    model = WhisperModel(str(model_folder), device="cpu", compute_type="int8", cpu_threads=2)
    clips, made = read(held_out), generated(count)
    short = [clip for clip in clips if clip.name != "dense"]
    dense = [clip for clip in clips if clip.name == "dense"]
    for line in word_errors(model, {"short": short, "dense": dense, "generated": made}):
        print(line)
    print("prompt         ", chained(model, made))
    print("no speech      ", silence(model, 90))
    print("earlier words  ", f"unpadded {stability(model, short, None)},")
    print("  changed       ", f"30 s {stability(model, short, FULL)}")
    print("word times     ", word_times(model, made))
    print("alone, batched ", batches(model, short))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 100)
