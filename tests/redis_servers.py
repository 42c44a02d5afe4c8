"""Real Redis servers for tests: every one that this machine can run.

A test takes the fixture `redis_server` for one server, or `each_redis` to run once on every server
found. Both are empty and alive when the test begins. `STENO_TEST_REDIS_URL` names a server to use
instead of all these; its databases are emptied.
"""

import os
import secrets
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from urllib.parse import urlsplit

import docker
import pytest
import redis
from bench.ports import free_port
from docker.errors import DockerException
from redis.backoff import NoBackoff
from redis.retry import Retry
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from steno_standalone.child import tethered
from steno_standalone.domain.binaries import Binary
from steno_standalone.find import find_binaries
from steno_standalone.private_redis import private_redis

GIVEN_URL = "STENO_TEST_REDIS_URL"
IMAGE = "redis:7"
_START_SECONDS = 120.0
_ANSWER_SECONDS = 30


class RedisServer(ABC):
    """One server: `url` and `name` stay as they are through kills and restarts."""

    def __init__(self, name: str, url: str) -> None:
        self.name = name
        self.url = url

    @property
    def version(self) -> tuple[int, ...]:
        """The version of Redis it is, or claims to be compatible with."""
        with self.client() as client:
            text = str(client.info("server")["redis_version"])
        return tuple(int(part) for part in text.split("."))

    def client(self) -> redis.Redis:
        """Make a blocking client without retries."""
        return redis.Redis.from_url(self.url, socket_timeout=60, retry=Retry(NoBackoff(), 0))

    @abstractmethod
    def kill(self) -> None:
        """Kill the server as `kill -9` does; what it acknowledged is kept for `start`."""

    @abstractmethod
    def start(self) -> None:
        """Start the server, unless it runs, and wait until it answers."""

    def pids(self) -> list[int]:
        """Ids of its processes; empty when they are not ours to stop."""
        return []

    def restart(self) -> None:
        """Kill the server and start it again with what it had acknowledged."""
        self.kill()
        self.start()

    def clean(self) -> None:
        """Make the server one that no test has used."""
        self.start()
        with self.client() as client:
            client.flushall()
            client.script_flush()

    def answers(self) -> bool:
        """Whether anybody listens at `url`."""
        return listens(self.url)

    def _wait_until_it_answers(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                with self.client() as client:
                    if not self.answers():
                        raise redis.ConnectionError(f"{self.name} does not answer")
                    client.ping()
                return
            except (redis.RedisError, OSError):
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.01)


class BinaryServer(RedisServer):
    """A server program with a folder and a socket of its own."""

    def __init__(self, name: str, url: str, launch: Callable[[], subprocess.Popen[bytes]]) -> None:
        super().__init__(name, url)
        self._launch = launch
        self._process: subprocess.Popen[bytes] | None = None

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def start(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self._process = self._launch()
            self._wait_until_it_answers()

    def pids(self) -> list[int]:
        with self.client() as client:
            return [int(client.info("server")["process_id"])]


class ContainerServer(RedisServer):
    """A server in a container."""

    def __init__(self, name: str, url: str, container: DockerContainer) -> None:
        super().__init__(name, url)
        self._container = container.get_wrapped_container()

    def kill(self) -> None:
        with suppress(DockerException):
            self._container.kill()
        self._container.wait()

    def start(self) -> None:
        self._container.reload()
        if self._container.status != "running":
            self._container.start()
        self._wait_until_it_answers()


class GivenServer(RedisServer):
    """A server that somebody else runs."""

    def kill(self) -> None:
        pytest.skip(f"a Redis given by {GIVEN_URL} cannot be killed")

    def start(self) -> None:
        self._wait_until_it_answers()


@dataclass(frozen=True)
class Candidate:
    """A server that can be opened; `name` is the same on every machine that has it."""

    name: str
    binary: Binary | None = None

    @contextmanager
    def open(self) -> Iterator[RedisServer]:
        """Run the server."""
        if self.binary is not None:
            with open_binary(self.name, self.binary) as server:
                yield server
        elif self.name == "given":
            yield GivenServer(self.name, os.environ[GIVEN_URL])
        else:
            with open_container(self.name) as server:
                yield server


@cache
def candidates() -> tuple[Candidate, ...]:
    """Every server that this machine can run, the default first; empty when there is none.

    Of several copies of one version the first counts.
    """
    if os.environ.get(GIVEN_URL):
        return (Candidate("given"),)
    binaries: dict[str, Binary] = {}
    for binary in find_binaries():
        binaries.setdefault(f"{binary.path.rsplit('/', 1)[-1]}-{binary.version}", binary)
    found = [Candidate(name, binary) for name, binary in binaries.items()]
    return (*found, *([Candidate("container")] if docker_has_image() else []))


def listens(url: str) -> bool:
    """Whether anybody accepts connections at a `unix:`, `redis:` or `tcp:` address.

    Asked before a client library is, because some forget to close a socket that found nobody.
    """
    address = urlsplit(url)
    unix = address.scheme == "unix"
    with socket.socket(socket.AF_UNIX if unix else socket.AF_INET) as probe:
        probe.settimeout(_ANSWER_SECONDS)
        target = address.path if unix else (address.hostname, address.port or 6379)
        return probe.connect_ex(target) == 0


def docker_has_image() -> bool:
    """Whether Docker answers, soon, with the image at hand: no test waits for a download."""
    if not listens(os.environ.get("DOCKER_HOST") or "unix:///var/run/docker.sock"):
        return False
    client = None
    try:
        client = docker.from_env(timeout=_ANSWER_SECONDS)
        client.images.get(IMAGE)
    except (DockerException, OSError):
        return False
    finally:
        if client is not None:
            client.close()
    return True


@contextmanager
def open_binary(name: str, binary: Binary) -> Iterator[RedisServer]:
    """Run a server program, the way the standalone installation does."""
    with private_redis(binary) as private:

        def launch() -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                tethered(private.program.argv),
                env=dict(private.program.environment),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            assert process.stdin is not None
            with process.stdin as config:
                config.write(private.program.stdin)
            return process

        server = BinaryServer(name, private.url, launch)
        try:
            server.start()
            yield server
        finally:
            server.kill()


@contextmanager
def open_container(name: str) -> Iterator[RedisServer]:
    """Run a server in a container, on a port that stays the same through restarts."""
    port = free_port()
    # The helper that removes forgotten containers is one more image to fetch; ours is removed here.
    testcontainers_config.ryuk_disabled = True
    password = secrets.token_hex(16)
    container = DockerContainer(
        IMAGE,
        # A Redis without a password refuses whoever comes from outside its container.
        command=f"redis-server --bind 0.0.0.0 --requirepass {password} "
        "--appendonly yes --appendfsync no --save '' --maxmemory-policy noeviction",
    ).with_bind_ports(6379, port)
    with container:
        # A published port is one of this machine's, unless Docker runs elsewhere and we are told.
        host = testcontainers_config.tc_host_override or "127.0.0.1"
        url = f"redis://:{password}@{host}:{port}/0"
        server = ContainerServer(name, url, container)
        server.start()
        yield server


class Opener(Protocol):
    """What can be opened once for all tests."""

    @property
    def name(self) -> str: ...

    def open(self) -> AbstractContextManager[RedisServer]: ...


class RedisServers:
    """The servers that tests have asked for, each started once."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._servers: dict[str, RedisServer] = {}

    def clean(self, candidate: Opener) -> RedisServer:
        """Give the candidate's server, running and empty."""
        if candidate.name not in self._servers:
            self._servers[candidate.name] = self._open.enter_context(candidate.open())
        server = self._servers[candidate.name]
        server.clean()
        return server

    def close(self) -> None:
        """Stop every server."""
        self._open.close()
