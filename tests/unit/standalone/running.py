"""A supervisor in a process of its own, over four tiny stand-ins for the services."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

OFFSETS = {"gateway": 0, "transcriber": 1, "aggregator": 2, "notifier": 3}

SERVICE = """
    import http.server, os, signal
    name, port = {name!r}, int(os.environ["STENO_PORT"]) + {offset}

    def leave(*_):
        print(name, "leaves", flush=True)
        os._exit(0)

    signal.signal(signal.SIGTERM, leave)

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass

    http.server.HTTPServer(("127.0.0.1", port), Ready).serve_forever()
"""


def wait_for(question: Callable[[], T | None], seconds: float = 60.0) -> T:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := question():
            return answer
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")


def wait_until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    wait_for(lambda: condition() or None, seconds)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


class Supervisor:
    """`python -m steno_standalone`, seen from outside."""

    def __init__(self, folder: Path, port: int, **environment: str) -> None:
        self.port = port
        self._stdout, self._stderr = folder / "stdout", folder / "stderr"
        with self._stdout.open("wb") as out, self._stderr.open("wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "steno_standalone"],
                cwd=folder,
                env=os.environ | {"STENO_PORT": str(port)} | environment,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    @property
    def stdout(self) -> str:
        return self._stdout.read_text()

    @property
    def stderr(self) -> str:
        return self._stderr.read_text()

    @property
    def folders(self) -> list[Path]:
        return list(Path("/dev/shm").glob(f"steno-redis-{self.process.pid}-*"))

    def children(self) -> dict[str, int]:
        """Process ids by name of what the supervisor has running, once it is what it will be."""
        pid = self.process.pid
        found = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            command = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
            if "tether.py" in command or not command:
                continue
            name = command.partition("-m steno_")[2].strip() or "redis"
            found[name] = int(child)
        return found

    def wait_ready(self) -> dict[str, int]:
        wait_for(lambda: "Ready" in self.stdout or self.process.poll() is not None)
        assert "Ready" in self.stdout, self.stdout + self.stderr
        return self.children()

    def wait_for_another(self, name: str, old: int) -> int:
        return wait_for(lambda: (new := self.children().get(name, old)) != old and new)

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        return self.process.wait(timeout=60)


Start = Callable[..., Supervisor]
