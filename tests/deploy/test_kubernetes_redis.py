"""The scripts of Redis, run as its pods run them."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from bench.ports import free_port
from tests.deploy.kubernetes_objects import Rendered
from tests.deploy.kubernetes_render import overlay

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None or shutil.which("redis-cli") is None,
    reason="no redis-server with redis-cli",
)
PASSWORD = "0123456789abcdef"
Start = Callable[..., subprocess.Popen[str]]


def scripts(name: str) -> dict[str, str]:
    data: dict[str, str] = Rendered(overlay(name)).named("ConfigMap", "redis")["data"]
    return data


@pytest.fixture
def port() -> int:
    return free_port()


def cli(port: int, *words: str) -> str:
    found = subprocess.run(
        ["redis-cli", "-p", str(port), *words], env={**os.environ, "REDISCLI_AUTH": PASSWORD},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return found.stdout.strip()


def wait_for(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start scripts of the overlay with the paths of a pod turned to this test's folder."""
    running: list[subprocess.Popen[str]] = []
    data = scripts("cpu")
    (tmp_path / "memory").mkdir()

    def begin(script: str, *arguments: str) -> subprocess.Popen[str]:
        for name, text in data.items():
            text = text.replace("/memory", f"{tmp_path}/memory")  # noqa: PLW2901
            (tmp_path / name).write_text(text.replace("/etc/steno", str(tmp_path)))
        process = subprocess.Popen(
            ["/bin/sh", str(tmp_path / script), *arguments], text=True, stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL, env={**os.environ, "REDISCLI_AUTH": PASSWORD},
        )  # fmt: skip
        running.append(process)
        return process

    yield begin
    for process in running:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def prepared(start: Start, tmp_path: Path, port: int) -> Path:
    assert start("prepare.sh").wait(timeout=60) == 0
    config = tmp_path / "memory/redis.conf"
    assert config.stat().st_mode & 0o777 == 0o600
    config.write_text(f"{config.read_text()}\nport {port}\nbind 127.0.0.1\n")
    return config


def server_pid(port: int) -> int:
    info = cli(port, "info", "server")
    return int(dict(line.split(":", 1) for line in info.splitlines() if ":" in line)["process_id"])


def test_a_killed_redis_is_back_at_once_with_all_it_acknowledged(
    start: Start, tmp_path: Path, port: int
) -> None:
    config = prepared(start, tmp_path, port)
    start("supervise.sh", "redis-server", str(config))
    wait_for(lambda: cli(port, "ping") == "PONG")
    assert cli(port, "set", "told", "yes") == "OK"
    time.sleep(2)  # what dies younger is left to the kubelet
    killed = server_pid(port)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: cli(port, "ping") == "PONG" and server_pid(port) != killed)
    assert cli(port, "get", "told") == "yes"
    assert cli(port, "config", "get", "maxmemory-policy").split()[1] == "noeviction"


def test_redis_asks_for_the_password(start: Start, tmp_path: Path, port: int) -> None:
    start("supervise.sh", "redis-server", str(prepared(start, tmp_path, port)))
    wait_for(lambda: cli(port, "ping") == "PONG")
    bare = subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True, text=True,
                          timeout=60, check=False)  # fmt: skip
    assert bare.stdout.startswith("NOAUTH")


def test_what_cannot_start_is_left_to_the_kubelet(start: Start) -> None:
    process = start("supervise.sh", "/bin/sh", "-c", "exit 3")
    assert process.wait(timeout=60) == 3


def test_the_supervisor_ends_with_its_server(start: Start, tmp_path: Path, port: int) -> None:
    process = start("supervise.sh", "redis-server", str(prepared(start, tmp_path, port)))
    wait_for(lambda: cli(port, "ping") == "PONG")
    process.terminate()
    assert process.wait(timeout=60) == 0
    assert "refused" in subprocess.run(
        ["redis-cli", "-p", str(port), "ping"], capture_output=True, text=True, check=False,
        timeout=60,
    ).stderr  # fmt: skip
