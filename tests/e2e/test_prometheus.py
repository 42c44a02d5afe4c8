"""A real Prometheus with our rules scrapes a running Steno: nothing is dropped, all is there."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest
import yaml
from bench.ports import free_port
from deploy.monitoring.catalogue import metrics
from deploy.monitoring.reference import FOR_DIAGNOSIS
from deploy.monitoring.uses import RULES, recorded
from tests.e2e.machine import SAMPLES, SERVICES, Machine, printed, running, steno

from steno_common.health import PORT_OFFSETS

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(
        shutil.which("prometheus") is None, reason="no Prometheus: install the package prometheus"
    ),
]

NOT_OF_A_PLAIN_SESSION = {
    "steno_gateway_listeners",
    "steno_notifier_dead_letters_total",
    "steno_notifier_delivery_seconds",
    "steno_notifier_pipeline_partials_total",
    "steno_notifier_resent_total",
    "steno_notifier_retries_total",
    "steno_notifier_tries_total",
    "steno_redis_errors_total",
    "steno_transcriber_gpu_memory_bytes",
    "steno_transcriber_window_failures_total",
}
"""Metrics with labels that one plain session, delivered nowhere, gives no value."""


def configuration(machine: Machine) -> dict[str, Any]:
    """Give the configuration of the compose file with this machine's addresses, at more haste."""
    config: dict[str, Any] = yaml.safe_load((RULES / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(RULES / name) for name in config["rule_files"]]
    base = int(machine.url.rpartition(":")[2])
    for job in config["scrape_configs"]:
        (found,) = job.pop("dns_sd_configs")
        target = f"127.0.0.1:{base + found['port'] - 8080}"
        job["static_configs"] = [{"targets": [target]}]
    return config


@dataclass(frozen=True)
class Prometheus:
    """A Prometheus of our own."""

    url: str

    def get(self, path: str, **query: str) -> Any:
        """Give the data of an answer of its API."""
        address = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)["data"]

    def ask(self, expression: str) -> dict[tuple[str, ...], float]:
        """Give the values of an expression by the values of its labels."""
        found = self.get("query", query=expression)["result"]
        return {tuple(sorted(each["metric"].values())): float(each["value"][1]) for each in found}

    def number(self, expression: str) -> float:
        """Give the one value of an expression, 0 if there is none."""
        return sum(self.ask(expression).values())


def wait(holds: Callable[[], object], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            if holds():
                return
        except OSError:
            pass  # it does not listen yet
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


@pytest.fixture(scope="module")
def prometheus(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """Scrapes from before the first session until the last test."""
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration(machine)))
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["prometheus", f"--config.file={folder / 'prometheus.yml'}",
             f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
    found = Prometheus(f"http://127.0.0.1:{port}")
    try:
        wait(lambda: found.number("sum(up)") == len(SERVICES))
        printed(steno(machine, "transcribe", str(SAMPLES / "three-utterances.flac")))
        wait(lambda: found.number('steno_aggregator_sessions_total{outcome="completed"}') == 1)
        # Each service is scraped at a moment of its own: all of them once more.
        completed = time.time()
        wait(lambda: found.number("min(timestamp(up))") > completed)
        wait(lambda: found.ask("steno:final_seconds:p95"))
        yield found
        complaints = [line for line in (folder / "log").read_text().splitlines()
                      if "level=warn" in line or "level=error" in line]  # fmt: skip
        assert complaints == []
    finally:
        process.terminate()
        process.wait(60)


def test_every_service_is_scraped_without_an_error(prometheus: Prometheus) -> None:
    targets = prometheus.get("targets", state="active")["activeTargets"]
    assert {target["labels"]["job"] for target in targets} == {f"steno-{s}" for s in PORT_OFFSETS}
    assert [(target["health"], target["lastError"]) for target in targets] == [("up", "")] * 4
    assert prometheus.number("min(min_over_time(up[1m]))") == 1


def test_no_sample_is_dropped_or_counted_twice(prometheus: Prometheus) -> None:
    scraped = prometheus.number("sum(scrape_samples_scraped)")
    assert scraped > 300
    assert prometheus.number("sum(scrape_samples_post_metric_relabeling)") == scraped
    with urllib.request.urlopen(f"{prometheus.url}/metrics", timeout=60) as answer:
        own = answer.read().decode()
    for trouble in ("exceeded_sample_limit", "sample_duplicate_timestamp", "sample_out_of_bounds",
                    "sample_out_of_order", "exemplar_out_of_order"):  # fmt: skip
        assert f"prometheus_target_scrapes_{trouble}_total 0" in own
    assert "prometheus_rule_evaluation_failures_total{" in own
    failures = [
        line for line in own.splitlines()
        if line.startswith("prometheus_rule_evaluation_failures_total{")
    ]  # fmt: skip
    assert all(line.endswith(" 0") for line in failures)


def test_every_metric_is_there_after_one_session(prometheus: Prometheus) -> None:
    names = set(prometheus.get("label/__name__/values"))
    missing = {metric.name for metric in metrics() if not names & set(metric.series)}
    assert missing == NOT_OF_A_PLAIN_SESSION
    assert names >= FOR_DIAGNOSIS
    assert not any(name.endswith("_created") for name in names)


def test_every_recorded_series_has_a_value(prometheus: Prometheus) -> None:
    for name in recorded():  # one may stand on another, which then comes a moment earlier
        wait(partial(prometheus.ask, name))


def test_no_alert_fires_while_all_is_well(prometheus: Prometheus) -> None:
    rules = [rule for group in prometheus.get("rules")["groups"] for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}
    firing = 'ALERTS{alertname!~"StenoFinalsLate|StenoLoopLag", alertstate="firing"}'
    assert prometheus.ask(firing) == {}


def test_the_figures_are_those_of_the_session(prometheus: Prometheus) -> None:
    ask = prometheus.number
    assert ask("sum(steno_aggregator_utterances_total)") == 3
    assert ask("sum(steno_invariant_violation_total)") == 0
    assert ask('sum(steno_transcriber_commits_total{result="fenced"})') == 0
    assert ask("sum(steno_transcriber_final_seconds_count)") >= 3
    assert ask('sum(steno_gateway_delivery_seconds_count{kind="final"})') >= 3
    assert ask('sum(steno_gateway_chunks_total{result="stored"})') == ask(
        "sum(steno_gateway_append_seconds_count)"
    )
    assert ask("steno_gateway_queued_bytes") == 0
    assert ask('steno_ready{job="steno-gateway", check="redis"}') == 1
    assert 0 < ask("max(steno_redis_used_memory_ratio)") < 0.5
    assert ask("min(steno_redis_aof_enabled)") == 1
    assert ask("min(steno_redis_aof_ok)") == 1
    assert ask('sum(steno_redis_round_trip_seconds_count{script="commit"})') >= 3
