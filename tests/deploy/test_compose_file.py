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
    ordinary = [name for name in CONTAINERS if "profiles" not in container(name)]
    assert sorted([*SERVICES, "redis", "memory"]) == ordinary


def test_what_only_some_want_is_in_a_profile() -> None:
    profiles = {name: found["profiles"] for name, found in compose()["services"].items()
                if "profiles" in found}  # fmt: skip
    assert profiles == {
        "transcriber-gpu": ["gpu"],
        "prometheus": ["monitoring"],
        "grafana": ["monitoring"],
        "collector": ["monitoring"],
    }


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
        user, _, group = container(name)["user"].partition(":")
        expected = {"prometheus": "65534", "grafana": "472"}.get(name, "10001")
        assert (user, group) == (expected, expected)


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_built_from_the_root_with_the_dockerfile_of_its_service(name: str) -> None:
    assert container(name)["build"] == {
        "context": ".",
        "dockerfile": f"services/{name}/Dockerfile",
    }


def test_only_gateway_and_dashboards_are_published_and_only_to_this_machine() -> None:
    assert {
        name: container(name).get("ports") for name in CONTAINERS if "ports" in container(name)
    } == {
        "gateway": ["${STENO_PUBLISH:-127.0.0.1:8080}:8080"],
        "grafana": ["${STENO_GRAFANA:-127.0.0.1:3000}:3000"],
    }


def test_redis_is_only_on_a_network_without_a_way_out() -> None:
    assert compose()["networks"]["inside"] == {"internal": True}
    assert container("redis")["networks"] == container("memory")["networks"] == ["inside"]
    outside = [name for name in CONTAINERS if "outside" in container(name)["networks"]]
    assert outside == ["gateway", "grafana", "notifier", "transcriber", "transcriber-gpu"]


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


def test_a_transcriber_on_a_gpu_is_the_same_but_for_its_image() -> None:
    own = {"profiles", "image", "build", "networks", "deploy"}
    plain, with_gpu = container("transcriber"), container("transcriber-gpu")
    assert {key: value for key, value in with_gpu.items() if key not in own} == {
        key: value for key, value in plain.items() if key not in own
    }
    libraries = {"args": {"DEVICE": "nvidia-cublas-cu12 nvidia-ml-py"}}
    assert with_gpu["build"] == plain["build"] | libraries
    (device,) = with_gpu["deploy"]["resources"]["reservations"]["devices"]
    assert device == {"driver": "nvidia", "count": 1, "capabilities": ["gpu"]}
    assert with_gpu["networks"]["inside"] == {"aliases": ["transcriber"]}


MONITORING = ["collector", "grafana", "prometheus"]


@pytest.mark.parametrize("name", MONITORING)
def test_images_of_others_are_pinned_and_read_what_is_in_this_tree(name: str) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z-]+:v?\d+\.\d+\.\d+", container(name)["image"])
    bound = [volume.split(":") for volume in container(name)["volumes"] if volume[0] == "."]
    assert bound
    for source, _, mode in bound:
        assert (ROOT / source).is_dir()
        assert mode == "ro"


def test_prometheus_finds_every_replica_of_every_service() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    found = {job["job_name"]: job["dns_sd_configs"][0] for job in config["scrape_configs"]}
    assert found == {
        f"steno-{service}": {
            "names": [service], "type": "A", "port": 8080 + offset, "refresh_interval": "15s",
        }
        for service, offset in PORT_OFFSETS.items()
    }  # fmt: skip
    assert all("inside" in container(service)["networks"] for service in SERVICES)
    assert container("prometheus")["networks"] == ["inside"]


def test_prometheus_keeps_its_figures_and_grafana_nothing() -> None:
    assert "metrics:/prometheus" in container("prometheus")["volumes"]
    assert not any(volume[0] != "." for volume in container("grafana")["volumes"])


def test_grafana_reports_to_nobody_and_lets_nobody_change_anything() -> None:
    environment = container("grafana")["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert environment["GF_ANALYTICS_REPORTING_ENABLED"] == "false"
    assert all(isinstance(value, str) for value in environment.values())


def test_the_parts_of_the_collector_are_those_it_is_told_to_use() -> None:
    config = yaml.safe_load((ROOT / "deploy/otel/collector.yml").read_text())
    (pipeline,) = config["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(config[kind])
