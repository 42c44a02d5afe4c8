"""The receivers of docs/examples, as processes."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.ports import free_port

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


class Example:
    """An example as a process, that can die and come back at the same port."""

    def __init__(self, name: str, log: Path, secrets: str) -> None:
        self.port = free_port()
        self._command = [sys.executable, str(EXAMPLES / name), str(self.port)]
        self._log = log
        self._secrets = secrets
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as out:
            self._process = subprocess.Popen(
                self._command, stdout=out, stderr=out,
                env=os.environ | {"WEBHOOK_SECRET": self._secrets},
            )  # fmt: skip

    def kill(self, number: int = signal.SIGKILL) -> None:
        os.kill(self._process.pid, number)
        self._process.wait()

    @property
    def said(self) -> list[str]:
        return [
            line for line in self._log.read_text().splitlines()
            if not line.startswith(("=", "(Press"))
        ]  # fmt: skip


@contextmanager
def example(name: str, folder: Path, secrets: str = "") -> Iterator[Example]:
    """Run an example; `secrets` are those that a webhook's receiver believes."""
    running = Example(name, folder / f"{name}.log", secrets)
    try:
        yield running
    finally:
        running.kill()
