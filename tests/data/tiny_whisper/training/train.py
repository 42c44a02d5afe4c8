"""Training from scratch against the wall clock: python train.py WORK_FOLDER MINUTES."""

import math
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, multiprocessing
from torch.nn import functional as F

import noise
import pool
import tokens
from clips import Source
from model import Whisper
from windows import IGNORED, Batch, Windows

PEAK, WARM_UP, SEED = 1.6e-3, 300, 7


def phoneme_classes(records: list[pool.Record]) -> dict[str, int]:
    """Number the phonemes from 1; pauses are 0."""
    names = {name for record in records for _, name in record["phonemes"]}
    names = {name for name in names if not name.startswith("_")}
    return {name: index for index, name in enumerate(sorted(names), start=1)}


def produce(
    folder: Path, begun: float, seconds: float, queue: "multiprocessing.Queue[Batch]"
) -> None:
    """Fill the queue with batches until the process is ended."""
    torch.set_num_threads(1)
    audio, records = pool.load(folder)
    classes = phoneme_classes(records)
    rng = np.random.default_rng(SEED)
    source = Source(audio, records, classes, noise.bank(rng, audio), rng)
    windows = Windows(source, tokens.Text(folder / "tokenizer.json"))
    while True:
        queue.put(windows.batch((time.time() - begun) / seconds))


def guidance(scores: Tensor, spans: Tensor) -> Tensor:
    """Return the mean divergence of attention (b, t, s) from uniform over the spans (b, t, 2)."""
    steps = torch.arange(scores.shape[-1])
    inside = (steps >= spans[..., :1]) & (steps < spans[..., 1:])
    size = inside.sum(-1)
    known = size > 0
    logs = torch.log_softmax(scores.float()[known], dim=-1)
    means = (logs * inside[known]).sum(-1) / size[known]
    return -(means + torch.log(size[known])).mean() if len(means) else scores.sum() * 0


def timestamp_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the cross-entropy of time tokens; neighbours within 40 ms count in part."""
    shifts = torch.arange(-2, 3)
    weights = torch.exp(-0.5 * (shifts / 0.8) ** 2)
    near = (targets[:, None] + shifts).clamp(tokens.FIRST_TIMESTAMP, tokens.SIZE - 1)
    logs = torch.log_softmax(logits, dim=-1).gather(1, near)
    return -(logs @ (weights / weights.sum())).mean() if len(targets) else logits.sum() * 0


def losses(model: Whisper, batch: Batch, progress: float) -> tuple[Tensor, Tensor]:
    """Return the loss with (right, all) counts of the text tokens."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model.encode(batch.features, batch.offset)
        phonemes = model.phonemes(states)
        decoded, first, last = model.decode(batch.tokens, states)
        wanted = batch.targets != IGNORED
        logits = model.logits(decoded[wanted])
    flat, targets = logits.float(), batch.targets[wanted]
    timed = targets >= tokens.FIRST_TIMESTAMP
    text = ~timed
    help_now = max(0.15, 0.4 * (1 - progress))
    loss = (
        F.cross_entropy(flat[text], targets[text])
        + 0.3 * timestamp_loss(flat[timed], targets[timed])
        + max(0.2, help_now)
        * F.cross_entropy(phonemes.float().flatten(0, 1), batch.phonemes.flatten())
        + help_now * (guidance(first, batch.now) + guidance(last, batch.then))
    )
    right = (flat[text].argmax(-1) == targets[text]).sum()
    return loss, torch.stack([right, text.sum()])


def save(model: Whisper, path: Path) -> None:
    """Write the weights so that a reader never sees half a file."""
    partial = path.with_suffix(".partial")
    torch.save(model.state_dict(), partial)
    partial.rename(path)


def optimizer_of(model: Whisper) -> torch.optim.AdamW:
    """Return the optimizer; biases and norms do not decay."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    vectors = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.98), fused=True)


def learn(
    model: Whisper, optimizer: torch.optim.Optimizer, batch: Batch, rate: float, progress: float
) -> tuple[float, Tensor]:
    """Take one step; returns the loss with (right, all) counts of the text tokens."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    loss, count = losses(model, batch, progress)
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    return loss.item(), count


def main(folder: Path, minutes: float) -> None:
    """Train for the given time, with a line of figures and a checkpoint per minute."""
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    _, records = pool.load(folder)
    model = Whisper(tokens.SIZE, len(phoneme_classes(records)) + 1, tokens.FIRST_TIMESTAMP)
    optimizer = optimizer_of(model)
    spawn = multiprocessing.get_context("spawn")
    queue: multiprocessing.Queue[Batch] = spawn.Queue(12)
    begun, seconds = time.time(), minutes * 60
    spawn.Process(target=produce, args=(folder, begun, seconds, queue), daemon=True).start()
    step, shown, frames = 0, begun, 0
    counts: dict[str, Tensor] = {}
    while (progress := (time.time() - begun) / seconds) < 1:
        batch = queue.get()
        rate = PEAK * min(1, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * progress))
        loss, count = learn(model, optimizer, batch, rate, progress)
        step += 1
        frames += batch.features.shape[0] * batch.features.shape[2]
        counts[batch.kind] = counts.get(batch.kind, torch.zeros(2)) + count
        if time.time() - shown > 60:
            speed = frames / 100 / (time.time() - shown)
            right = " ".join(f"{k} {float(c[0] / c[1]):.3f}" for k, c in sorted(counts.items()))
            now = (time.time() - begun) / 60
            print(
                f"{now:.1f} min, step {step}, loss {loss:.3f}, {speed:.0f} x, right: {right}",
                flush=True,
            )
            save(model, folder / "model.pt")
            shown, frames, counts = time.time(), 0, {}
    save(model, folder / "model.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
