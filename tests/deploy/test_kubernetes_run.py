"""The CPU overlay for real: speech goes through, Redis comes back in its place.

Takes minutes and an engine, so it runs only when asked for: STENO_TEST_KUBE=podman, as root. The
images are built from this tree; what Podman is given: kubernetes_podman.py.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from tests.deploy.kubernetes_objects import SERVICES, Rendered
from tests.deploy.kubernetes_podman import PREFIX, playable, prefixed, secrets, stored, volumes
from tests.deploy.kubernetes_render import overlay

from steno_common.health import PORT_OFFSETS

ROOT = Path(__file__).parents[2]
HELLO = ROOT / "samples/hello.wav"
THREE = ROOT / "samples/three-utterances.flac"
KEY = "0123456789abcdef0123456789abcdef"
READY_SECONDS = 120
KILL = """for each in /proc/[0-9]*; do
  [ "$(cat $each/comm)" != redis-server ] || kill -9 "${each#/proc/}"
done"""

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        os.environ.get("STENO_TEST_KUBE") != "podman",
        reason="runs pods only if STENO_TEST_KUBE says podman",
    ),
]


def podman(*arguments: str, given: str = "", check: bool = True) -> str:
    found = subprocess.run(
        ["podman", *arguments], cwd=ROOT, input=given, check=False,
        capture_output=True, text=True, timeout=800,
    )  # fmt: skip
    said = (found.stdout + found.stderr)[-3000:]
    assert found.returncode == 0 or not check, f"{arguments}\n{said}"
    return found.stdout.strip()


def container(name: str) -> str:
    return f"{prefixed(name)}-{name}"


@dataclass(frozen=True)
class Cluster:
    """Pods that make up an installation."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ready(self, service: str) -> bool:
        script = ("/usr/local/bin/python", "-IS", "/usr/local/lib/steno/healthcheck.py")
        command = ["podman", "exec", container(service), *script, str(PORT_OFFSETS[service])]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def wait_ready(self) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not all(self.ready(service) for service in SERVICES):
            assert time.monotonic() < deadline, "not ready"
            time.sleep(0.2)

    def transcribing(self, recording: Path, pace: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "steno_client.cli", "transcribe", str(recording)]
        return subprocess.Popen(
            [*command, "--pace", pace, "--url", self.url],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "STENO_API_KEY": KEY},
        )  # fmt: skip


def remove() -> None:
    for kind, listing in (
        ("pod", ("pod", "ls", "--format", "{{.Name}}")),
        ("volume", ("volume", "ls", "-q")),
        ("secret", ("secret", "ls", "--format", "{{.Name}}")),
        ("network", ("network", "ls", "--format", "{{.Name}}")),
    ):
        for name in podman(*listing).split():
            if name.startswith(PREFIX):
                force = ["-f"] if kind == "pod" else []
                podman(kind, "rm", *force, name, check=False)


def make(rendered: Rendered) -> None:
    """Make what the pods find when they start."""
    podman("network", "create", PREFIX)
    for name, in_memory in volumes(rendered).items():
        memory = ("--opt=type=tmpfs", "--opt=device=tmpfs") if in_memory else ()
        podman("volume", "create", *memory, "--opt=o=uid=10001,gid=10001", name)
    for name, secret in secrets("ab12" * 8).items():
        podman("secret", "create", prefixed(name), "-", given=stored(secret))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if shutil.which("podman") is None:
        pytest.skip("no podman")
    for service in SERVICES:
        options = ("--format=docker", "--pull=never", "--network=host")
        dockerfile = f"services/{service}/Dockerfile"
        podman("build", *options, "-t", f"steno-{service}", "-f", dockerfile, ".")
    with socket.create_server(("127.0.0.1", 0)) as server:
        cluster = Cluster(int(server.getsockname()[1]))
    rendered = Rendered(overlay("cpu"))
    file = tmp_path_factory.mktemp("kube") / "all.yaml"
    played = playable(rendered, cluster.port, f"test:{KEY}\n", STENO_ENGINE="pocketsphinx")
    file.write_text(yaml.safe_dump_all(played))
    remove()
    try:
        make(rendered)
        podman("kube", "play", "--network", PREFIX, str(file))
        cluster.wait_ready()
        yield cluster
    finally:
        remove()


def printed(client: subprocess.Popen[str]) -> str:
    out, err = client.communicate(timeout=120)
    assert client.returncode == 0, err[-3000:]
    return out.strip()


@pytest.fixture(scope="module")
def expected() -> dict[Path, str]:
    """What the engine of recognition prints when a recording is fed to it directly."""
    found = {}
    for path in (HELLO, THREE):
        command = [sys.executable, "-m", "steno_transcriber", "recognise", str(path)]
        environment = {**os.environ, "STENO_ENGINE": "pocketsphinx"}
        found[path] = subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=120, env=environment
        ).stdout.strip()
    return found


def test_a_recording_goes_through_the_pods(cluster: Cluster, expected: dict[Path, str]) -> None:
    assert printed(cluster.transcribing(HELLO, "fast")) == expected[HELLO] != ""


def test_nobody_comes_in_without_a_key(cluster: Cluster) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(cluster.url + "/api/transcripts", timeout=10)


@pytest.mark.parametrize("name", ["redis", *SERVICES])
def test_a_container_is_confined(cluster: Cluster, name: str) -> None:
    touch = ["podman", "exec", container(name), "/bin/sh", "-c", "touch /etc/x"]
    refused = subprocess.run(touch, capture_output=True, check=False, text=True)
    assert "Read-only file system" in refused.stderr
    status = podman("exec", container(name), "/bin/cat", "/proc/1/status")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split() == ["10001"] * 4
    assert int(fields["CapEff"], 16) == int(fields["CapPrm"], 16) == 0
    assert fields["NoNewPrivs"] == "1"


def test_redis_writes_to_memory_alone(cluster: Cluster) -> None:
    mounts = podman("exec", container("redis"), "/bin/cat", "/proc/mounts")
    assert [line.split()[2] for line in mounts.splitlines() if " /memory " in line] == ["tmpfs"]


def test_redis_is_started_again_in_its_container(
    cluster: Cluster, expected: dict[Path, str]
) -> None:
    client = cluster.transcribing(THREE, "realtime")
    started = podman("inspect", "-f", "{{.State.StartedAt}}", container("redis"))
    for _ in range(2):
        time.sleep(3)  # within the recording
        podman("exec", container("redis"), "/bin/sh", "-c", KILL)
    assert printed(client) == expected[THREE]
    assert podman("inspect", "-f", "{{.State.StartedAt}}", container("redis")) == started
