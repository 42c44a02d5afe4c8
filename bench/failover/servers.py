"""Redis servers on ports of this machine, started from their programs."""

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import redis
from bench.ports import free_port, is_free
from redis.backoff import NoBackoff
from redis.retry import Retry

from steno_standalone.child import tethered

HOST: Final = "127.0.0.1"
BUS: Final = 10_000
"""A node of a Cluster speaks to the others on its port and so many more."""
START_SECONDS: Final = 120.0
DOWN_MS: Final = 800
"""A server of a set that is silent for this long counts as gone."""

Port = tuple[int, int]
"""Where a server listens, where others find it."""


def free_ports(count: int) -> list[int]:
    """Find ports that nobody has, with a free one for a Cluster's bus beside each."""
    found: list[int] = []
    while len(found) < count:
        if is_free((port := free_port()) + BUS):
            found.append(port)
    return found


def until(holds: Callable[[], object], what: str, seconds: float = START_SECONDS) -> None:
    """Wait until something holds of servers; a server that does not answer yet holds nothing."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except (redis.RedisError, OSError, KeyError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)


class Server:
    """One server; `announced` is the port by which others know it."""

    def __init__(
        self, binary: str, folder: Path, port: int, *, announced: int | None = None
    ) -> None:
        self.binary = binary
        self.folder = folder
        self.port = port
        self.announced = announced or port
        self._argv: list[str] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._client: redis.Redis | None = None

    def start(self, *options: str) -> None:
        """Start it, with these options or those of the last time."""
        if options:
            self._argv = [self.binary, *options]
        self._process = subprocess.Popen(
            tethered(tuple(self._argv)), env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            cwd=self.folder, start_new_session=True,
        )  # fmt: skip

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def kill(self) -> None:
        """Kill it as `kill -9` does."""
        self.forget()
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def forget(self) -> None:
        """Close the connection of `ask`."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def ask(self, *command: Any) -> Any:
        """Run one command."""
        if self._client is None:
            self._client = redis.Redis(
                HOST, self.port, socket_timeout=30, protocol=2, retry=Retry(NoBackoff(), 0)
            )
        return self._client.execute_command(*command)  # type: ignore[no-untyped-call]

    def options(self, **more: object) -> list[str]:
        """Give the options of every data server: nothing is kept on a disk."""
        plain: dict[str, object] = {
            "port": self.port, "bind": HOST, "dir": self.folder, "save": "", "appendonly": "no",
            "repl_diskless_sync": "yes", "repl_diskless_sync_delay": 0,
        }  # fmt: skip
        return [
            word
            for name, value in (plain | more).items()
            for word in (f"--{name.replace('_', '-')}", *str(value).split(" "))
        ]


def answering(servers: Iterable[Server]) -> None:
    """Wait until servers answer."""
    for server in servers:
        until(partial(server.ask, "PING"), "a server answers")


def kill_all(servers: Iterable[Server]) -> None:
    """Kill servers."""
    for server in servers:
        server.kill()


def plain_ports(count: int) -> list[Port]:
    """Find free ports for servers that others find where they listen."""
    return [(port, port) for port in free_ports(count)]


def make_servers(binary: str, folder: str, ports: Sequence[Port]) -> list[Server]:
    """Make servers with a folder of their own each; they do not run yet."""
    made = []
    for port, announced in ports:
        own = Path(folder, str(port))
        own.mkdir()
        made.append(Server(binary, own, port, announced=announced))
    return made
