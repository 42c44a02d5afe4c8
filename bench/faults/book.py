"""A history as a file of JSON lines, written and read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec
from bench.faults.history import Record, Run

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


@dataclass(frozen=True, slots=True)
class Book:
    """A history while it is written."""

    file: IO[bytes]
    origin: float

    @property
    def now(self) -> float:
        """Seconds since the run began."""
        return round(time.monotonic() - self.origin, 4)

    def put(self, record: Record) -> None:
        """Add a record."""
        self.file.write(_encode(record) + b"\n")


@contextmanager
def writing(path: Path, command: str, seed: int, lease: float, **of_run: bool) -> Iterator[Book]:
    """Begin a history; what else its first line says is named as there."""
    with path.open("wb") as file:
        book = Book(file, time.monotonic())
        book.put(Run(command, seed, lease, time.time(), **of_run))
        yield book


def read(path: Path) -> list[Record]:
    """Read a history; raises msgspec.DecodeError for what is none."""
    with path.open("rb") as file:
        return [_decode(line) for line in file]
