"""Three Redis with their Sentinels for real: none of what a replica has is lost with a master.

Takes a minute and an engine, so it runs only when asked for: STENO_TEST_KUBE=podman, as root.
"""

import os
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.deploy.kubernetes_objects import Rendered
from tests.deploy.kubernetes_podman import IMAGES
from tests.deploy.kubernetes_render import Object, overlay

PREFIX = "stenosentinel"
PASSWORD = "0123456789abcdef"
NAMES = ("redis-0", "redis-1", "redis-2")
SUBNET = "10.213.77.0/24"
ADDRESSES = {name: f"10.213.77.1{number}" for number, name in enumerate(NAMES)}
"""Of the Service of each pod, which stays with another pod."""

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        os.environ.get("STENO_TEST_KUBE") != "podman" or shutil.which("podman") is None,
        reason="runs pods only if STENO_TEST_KUBE says podman",
    ),
]


def podman(*arguments: str, check: bool = True) -> str:
    found = subprocess.run(
        ["podman", *arguments], check=False, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0 or not check, f"{arguments}\n{found.stderr[-2000:]}"
    return found.stdout.strip()


def wait_for(holds: Callable[[], bool], seconds: float) -> float:
    began = time.monotonic()
    while not holds():
        assert time.monotonic() < began + seconds, "it did not happen in time"
        time.sleep(0.1)
    return time.monotonic() - began


@dataclass(frozen=True)
class Redises:
    """The pods of the StatefulSet, made and removed as it would."""

    scripts: Path
    pod: Object

    def container(self, name: str, kind: str) -> Object:
        (found,) = (each for each in self.pod[kind] if each["name"] == name)
        return found  # type: ignore[no-any-return]

    def begin(self, name: str) -> None:
        pod = f"{PREFIX}-{name}"
        podman("volume", "create", "--opt=type=tmpfs", "--opt=device=tmpfs",
               "--opt=o=mode=0700,uid=10001,gid=10001", pod)  # fmt: skip
        podman("pod", "create", "--name", pod, "--network", PREFIX,
               "--ip", ADDRESSES[name], "--network-alias", name)  # fmt: skip
        first = shlex.join(self.container("prepare", "initContainers")["command"])
        prepared = "until [ -s /memory/sentinel.conf ]; do sleep 0.1; done"
        for kind, before in (("redis", first), ("sentinel", prepared)):
            command = shlex.join(self.container(kind, "containers")["command"])
            podman(
                *("run", "-d", "--pod", pod, "--name", f"{pod}-{kind}", "--user", "10001:10001"),
                *("--read-only", "--cap-drop=ALL", "-e", f"POD_NAME={name}"),
                *("-e", f"REDISCLI_AUTH={PASSWORD}", "-v", f"{pod}:/memory"),
                *("-v", f"{self.scripts}:/etc/steno:ro", IMAGES["redis"]),
                *("/bin/sh", "-c", f"{before} && exec {command}"),
            )

    def end(self, name: str) -> None:
        """Take a pod away with all that it holds, without a word."""
        podman("pod", "kill", f"{PREFIX}-{name}", check=False)
        podman("pod", "rm", "-f", "-t", "0", f"{PREFIX}-{name}", check=False)
        podman("volume", "rm", f"{PREFIX}-{name}", check=False)

    def run(self, name: str, *command: str) -> str:
        return podman("exec", f"{PREFIX}-{name}-redis", *command, check=False)

    def cli(self, name: str, *words: str) -> str:
        return self.run(name, "redis-cli", *words)

    def ready(self, name: str) -> bool:
        probe = self.container("redis", "containers")["readinessProbe"]["exec"]["command"]
        command = ["podman", "exec", f"{PREFIX}-{name}-redis", *probe]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    def master(self, asked: str) -> str:
        said = self.cli(asked, "-p", "26379", "sentinel", "get-master-addr-by-name", "steno")
        found = {address: name for name, address in ADDRESSES.items()}
        return found.get(said.partition("\n")[0], "")

    def masters(self) -> list[str]:
        return [name for name in NAMES if self.cli(name, "role").startswith("master")]

    def complete(self) -> bool:
        """Whether one is the master of two others, as all Sentinels say."""
        masters = self.masters()
        return (
            len(masters) == 1
            and all(self.master(name) == masters[0] for name in NAMES)
            # One that is still being given its copy is connected too.
            and self.cli(masters[0], "info", "replication").count("state=online") == 2
        )

    def remove(self) -> None:
        for name in NAMES:
            self.end(name)
        podman("network", "rm", PREFIX, check=False)


@pytest.fixture(scope="module")
def redises(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redises]:
    rendered = Rendered(overlay("ha"))
    folder = tmp_path_factory.mktemp("scripts")
    for name, text in rendered.named("ConfigMap", "redis")["data"].items():
        (folder / name).write_text(text)
    folder.chmod(0o755)
    for parent in folder.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o011)
    redis = rendered.named("StatefulSet", "redis")["spec"]["template"]["spec"]
    redises = Redises(folder, redis)
    redises.remove()
    podman("network", "create", "--subnet", SUBNET, PREFIX)
    try:
        for name in NAMES:
            redises.begin(name)
            wait_for(lambda name=name: redises.ready(name), 60)  # type: ignore[misc]
        wait_for(redises.complete, 60)
        yield redises
    finally:
        redises.remove()


def test_the_first_is_the_master_of_the_others(redises: Redises) -> None:
    assert redises.masters() == ["redis-0"]


@pytest.mark.parametrize("again_at_once", [True, False])
def test_a_master_that_is_gone_takes_nothing_with_it(redises: Redises, again_at_once: bool) -> None:
    (old,) = redises.masters()
    key = f"told-{again_at_once}"
    assert redises.cli(old, "set", key, "yes") == "OK"
    assert int(redises.cli(old, "wait", "1", "2000")) >= 1
    redises.end(old)
    others = [name for name in NAMES if name != old]
    if not again_at_once:
        wait_for(lambda: redises.master(others[0]) not in ("", old), 60)
    redises.begin(old)
    wait_for(redises.complete, 60)
    assert redises.masters() != [old]
    for name in NAMES:
        assert redises.cli(name, "get", key) == "yes", name


def test_a_master_that_leaves_hands_over_first(redises: Redises) -> None:
    (old,) = redises.masters()
    hook = redises.container("redis", "containers")["lifecycle"]["preStop"]["exec"]["command"]
    redises.run(old, *hook)
    assert redises.masters() != [old]
    wait_for(redises.complete, 60)


def test_a_killed_process_is_back_in_its_place(redises: Redises) -> None:
    (old,) = redises.masters()
    assert redises.cli(old, "set", "kept", "yes") == "OK"
    kill = """for each in /proc/[0-9]*; do
      [ "$(cat $each/comm)" != redis-server ] || kill -9 "${each#/proc/}"
    done"""
    redises.run(old, "/bin/sh", "-c", kill)
    wait_for(redises.complete, 60)
    (now,) = redises.masters()
    assert redises.cli(now, "get", "kept") == "yes"
