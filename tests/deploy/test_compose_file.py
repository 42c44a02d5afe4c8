"""The compose file: confined containers, one way in, a Redis that keeps what it acknowledged."""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from steno_common.health import PORT_OFFSETS
from steno_common.lifecycle import ProcessSettings

ROOT = Path(__file__).parents[2]
SERVICES = sorted(PORT_OFFSETS)
CLOSING_SECONDS = 5
"""What a service may take behind its drain."""


@cache
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


CONTAINERS = sorted(compose()["services"])


def container(name: str) -> Any:
    return compose()["services"][name]


def test_there_is_a_container_per_service_beside_redis_and_its_memory() -> None:
    assert sorted([*SERVICES, "redis", "memory"]) == CONTAINERS


@pytest.mark.parametrize("name", CONTAINERS)
def test_a_container_has_no_rights_and_comes_back(name: str) -> None:
    found = container(name)
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges"]
    assert found["read_only"] is True
    assert found["restart"] == "unless-stopped"
    assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & found.keys()


@pytest.mark.parametrize("name", CONTAINERS)
def test_no_container_runs_as_root(name: str) -> None:
    if "build" in container(name):
        dockerfile = ROOT / container(name)["build"]["dockerfile"]
        assert "\nUSER 10001:10001\n" in dockerfile.read_text()
    else:
        assert container(name)["user"] == "10001:10001"


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_built_from_the_root_with_the_dockerfile_of_its_service(name: str) -> None:
    assert container(name)["build"] == {
        "context": ".",
        "dockerfile": f"services/{name}/Dockerfile",
    }


def test_only_the_gateway_is_published_and_only_to_this_machine() -> None:
    assert {
        name: container(name).get("ports") for name in CONTAINERS if "ports" in container(name)
    } == {"gateway": ["${STENO_PUBLISH:-127.0.0.1:8080}:8080"]}


def test_redis_is_only_on_a_network_without_a_way_out() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    assert container("redis")["networks"] == container("memory")["networks"] == ["inside"]
    outside = [name for name in CONTAINERS if "outside" in container(name)["networks"]]
    assert outside == ["gateway", "transcriber"]


def test_any_number_of_each_service_can_run() -> None:
    assert not any("container_name" in container(name) for name in CONTAINERS)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_time_to_drain(name: str) -> None:
    grace = int(container(name)["stop_grace_period"].removesuffix("s"))
    assert grace >= ProcessSettings().drain_seconds + CLOSING_SECONDS


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_starts_behind_a_redis_that_answers(name: str) -> None:
    assert container(name)["depends_on"]["redis"] == {"condition": "service_healthy"}


def test_the_gateway_stops_before_those_who_work_on_what_it_took() -> None:
    assert {"transcriber", "aggregator", "notifier"} < container("gateway")["depends_on"].keys()


def test_gateway_and_aggregator_share_the_transcripts() -> None:
    assert container("gateway")["volumes"] == container("aggregator")["volumes"]
    for name in ("gateway", "aggregator"):
        text = (ROOT / f"services/{name}/Dockerfile").read_text()
        assert "install -d -o 10001 -g 10001 /output" in text
        assert "STENO_OUTPUT=/output" in text


def test_redis_keeps_what_it_acknowledged_and_evicts_nothing() -> None:
    command = container("redis")["command"]
    options = dict(zip(command[1::2], command[2::2], strict=True))
    assert options["--appendonly"] == "yes"
    assert options["--appendfsync"] == "no"
    assert options["--save"] == ""
    assert options["--maxmemory-policy"] == "noeviction"
    assert all(isinstance(word, str) for word in command)  # YAML reads a bare `no` as false


def test_the_log_of_redis_is_in_memory_with_room_for_a_rewrite() -> None:
    options = compose()["volumes"]["memory"]["driver_opts"]
    assert (options["type"], options["device"]) == ("tmpfs", "tmpfs")
    found = re.search(r"nr_blocks=(\d+)", options["o"])
    assert found is not None
    command = container("redis")["command"]
    stored = int(command[command.index("--maxmemory") + 1].removesuffix("mb")) << 20
    assert int(found[1]) * 4096 >= 4 * stored


def test_the_memory_of_redis_is_held_by_a_container_that_does_nothing_else() -> None:
    assert container("redis")["volumes"] == ["memory:/memory"]
    assert container("memory")["volumes"] == ["memory:/memory:ro"]
    assert container("memory")["entrypoint"] == ["sleep", "infinity"]
    assert "depends_on" not in container("memory")
    assert container("redis")["depends_on"] == ["memory"]
