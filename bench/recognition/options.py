"""The command line."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.random_whisper import SHAPES
from bench.recognition.windows import Group, parse_groups
from bench.recognition.workload import Load

from steno_audio import SAMPLE_RATE

GPU_MODELS = ("fixture", *(f"random:{shape}" for shape in SHAPES if "nano" not in shape))

WHISPER_PAUSE: Final = 0.6
"""Seconds; the engine's own choice."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be measured."""

    mode: str
    """`run`, `saturate`, `ladder` or `limit`."""
    load: Load
    models: tuple[str, ...]
    workers: int
    most: int
    """Sessions at which a ladder ends."""
    environment: dict[str, str]
    """STENO_ variables."""
    window: str
    groups: tuple[Group, ...]
    limit_seconds: float
    json: Path | None


def parse(arguments: Sequence[str]) -> Asked:
    """Read the command line; a wrong one ends the program with 2."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    if asked.gpu:
        asked.mode, asked.set = "ladder", ["STENO_DEVICE=cuda", *asked.set]
    models = asked.model or (GPU_MODELS if asked.gpu else ("fixture",))
    if len(models) > 1 and asked.mode != "ladder":
        parser.error("several models: only with --ladder or --gpu")
    environment = {"STENO_ENGINE": "whisper"}
    if asked.window:
        environment["STENO_WHISPER_WINDOW"] = asked.window
    environment |= dict(pair.partition("=")[::2] for pair in asked.set)
    return Asked(
        mode=asked.mode,
        load=Load(
            fixture=asked.fixture,
            sessions=asked.sessions,
            seconds=asked.seconds,
            chunk=asked.chunk_ms * SAMPLE_RATE // 1000,
            spread_seconds=asked.spread,
            warm_seconds=asked.warm,
            drain_seconds=asked.drain,
            seed=asked.seed,
            pause_seconds=float(environment.get("STENO_PAUSE_SECONDS", WHISPER_PAUSE)),
        ),
        models=tuple(models),
        workers=asked.workers,
        most=asked.most,
        environment=environment,
        window=environment.get("STENO_WHISPER_WINDOW", "fit"),
        groups=tuple(asked.mix),
        limit_seconds=asked.limit_seconds,
        json=asked.json,
    )


def _setting(text: str) -> str:
    if not text.startswith("STENO_") or "=" not in text:
        raise argparse.ArgumentTypeError(f"not STENO_NAME=VALUE: {text}")
    return text


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.recognition",
        description="Measure recognition under live sessions on a private Steno.",
        epilog="Exit 1 when anything was lost or wrong.",
    )
    add = parser.add_argument
    add("--sessions", type=int, default=64, help="of a ladder: where it begins")
    add("--seconds", type=float, default=60.0, help="length of the interval that counts")
    add("--fixture", type=Path, default=Path("tests/data/tiny_whisper"))
    add("--model", action="append", metavar="MODEL", help="`fixture`, a folder, or random:SHAPE; "
        "several for a ladder")  # fmt: skip
    add("--window", choices=("fit", "full"), help="STENO_WHISPER_WINDOW")
    add("--workers", type=int, default=1, help="STENO_TRANSCRIBERS")
    add("--set", action="append", default=[], type=_setting, metavar="STENO_X=Y")
    add("--chunk-ms", type=int, default=100)
    add("--spread", type=float, default=5.0, help="seconds over which sessions begin")
    add("--warm", type=float, default=5.0, help="seconds after that which do not count")
    add("--drain", type=float, default=120.0, help="seconds to complete after the last sample")
    add("--seed", type=int, default=1)
    add("--json", type=Path, metavar="FILE")
    mode = parser.add_mutually_exclusive_group()
    for name, text in (
        ("saturate", "compare throughput with the machine's limit"),
        ("ladder", "find the most sessions that are served in time"),
        ("limit", "measure only the machine's limit"),
    ):
        flag = "--limit-only" if name == "limit" else f"--{name}"
        mode.add_argument(flag, dest="mode", action="store_const", const=name, help=text)
    mode.add_argument("--gpu", action="store_true", help="a ladder of every shape on CUDA")
    parser.set_defaults(mode="run")
    add("--most", type=int, default=4096, help="sessions at which a ladder ends")
    add("--mix", type=parse_groups, default=parse_groups("partial:6=1"), metavar="KIND:SECONDS=N,…",
        help="windows of --limit-only")  # fmt: skip
    add("--limit-seconds", type=float, default=3.0, help="time of each figure of the limit")
    return parser
