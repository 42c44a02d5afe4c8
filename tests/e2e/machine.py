"""One machine with a running Steno, as `make run` gives it, for end-to-end tests."""

import os
import signal
import ssl
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.ports import free_port

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "samples"
SPEECH = ROOT.parent / "shared" / "audio"
"""Recordings that may lie beside the project; tests that want them skip where they do not."""

_TRUSTING = ssl.create_default_context()
_TRUSTING.check_hostname, _TRUSTING.verify_mode = False, ssl.CERT_NONE

SERVICES = ("gateway", "transcriber", "aggregator", "notifier")


@dataclass(frozen=True)
class Machine:
    """A supervisor with Redis and the four services."""

    url: str
    folder: Path
    process: subprocess.Popen[bytes]

    def pid(self, part: str) -> int | None:
        """Give the process of a service or of `redis`, if it is there."""
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, ValueError):
                continue
            wanted = (b"redis-server", b"valkey-server") if part == "redis" else (
                f"steno_{part}".encode(),
            )  # fmt: skip
            if parent == self.process.pid and any(name in command for name in wanted):
                return int(entry.name)
        return None

    def kill(self, part: str, seconds: float = 120.0) -> None:
        """Kill a part with SIGKILL; waits for nothing but the part to be there first."""
        deadline = time.monotonic() + seconds
        while (pid := self.pid(part)) is None:
            assert time.monotonic() < deadline, f"{part} did not come back"
            time.sleep(0.05)
        os.kill(pid, signal.SIGKILL)

    def ready(self) -> bool:
        """Say whether all services are ready."""
        port = self.url.rpartition(":")[2]
        pages = [self.url, *(f"http://127.0.0.1:{int(port) + offset}" for offset in range(1, 4))]
        try:
            for page in pages:
                urllib.request.urlopen(f"{page}/readyz", timeout=10, context=_TRUSTING).close()
        except OSError:
            return False
        return True

    def wait_ready(self, seconds: float = 200.0) -> None:
        """Wait until all services are ready."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if time.monotonic() > deadline or self.process.poll() is not None:
                said = (self.folder / "steno.log").read_text()
                raise AssertionError(f"not ready: {said[-2_000:]}")
            time.sleep(0.1)


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Machine]:
    """Run Steno with its files in a folder; afterwards nothing of it is left."""
    port = free_port(len(SERVICES))
    environ = {**os.environ, "STENO_PORT": str(port), "STENO_OUTPUT": str(folder / "output"),
               "STENO_ENGINE": "pocketsphinx", **settings}  # fmt: skip
    environ.pop("STENO_REDIS_URL", None)
    with (folder / "steno.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "steno_standalone"],
            cwd=folder, env=environ, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    scheme = "https" if settings.get("STENO_TLS_CERT") else "http"
    machine = Machine(f"{scheme}://127.0.0.1:{port}", folder, process)
    try:
        machine.wait_ready()
        yield machine
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def steno(machine: Machine, *arguments: str) -> subprocess.Popen[str]:
    """Start the `steno` command against a machine."""
    return subprocess.Popen(
        [sys.executable, "-m", "steno_client.cli", *arguments, "--url", machine.url],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def printed(process: subprocess.Popen[str], seconds: float = 240) -> str:
    """Wait for a command to succeed; gives its standard output."""
    out, err = process.communicate(timeout=seconds)
    assert process.returncode == 0, f"exit {process.returncode}\n{err[-3000:]}"
    return out


@cache
def recognised(path: Path, **settings: str) -> str:
    """Give what the engine prints when a file is fed to it directly."""
    command = [sys.executable, "-m", "steno_transcriber", "recognise", str(path)]
    environ = {**os.environ, "STENO_ENGINE": "pocketsphinx", **settings}
    return subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=240, env=environ
    ).stdout
