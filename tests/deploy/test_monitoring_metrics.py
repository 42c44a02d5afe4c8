"""Metrics: named as Prometheus wants it, all of them known, all of them used."""

import ast
import importlib
import re
from pathlib import Path

import pytest
from deploy.monitoring.__main__ import generated
from deploy.monitoring.catalogue import MODULES, metrics
from deploy.monitoring.reference import FOR_DIAGNOSIS
from deploy.monitoring.uses import names, recorded, uses
from prometheus_client import generate_latest
from tests.deploy.promtool import needs_promtool, promtool

ROOT = Path(__file__).parents[2]
SERIES = {name for metric in metrics() for name in metric.series}
LABELS_BY_MEANING = {
    "check", "code", "invariant", "kind", "method", "outcome", "reason", "result", "route",
    "script", "seconds", "state", "status", "step", "transport", "where",
}  # fmt: skip
"""Labels whose values the code itself chooses: none holds what a client says."""


@pytest.mark.parametrize("path", sorted(generated()), ids=str)
def test_what_is_generated_is_as_the_code_has_it_now(path: Path) -> None:
    assert (ROOT / path).read_text() == generated()[path], "run `python -m deploy.monitoring`"


@needs_promtool
def test_prometheus_finds_nothing_to_complain_about_in_the_names() -> None:
    for module in MODULES.values():
        importlib.import_module(module)
    assert promtool("check", "metrics", text=generate_latest().decode()) == ""


def test_every_series_that_is_asked_for_exists() -> None:
    assert uses().keys() <= SERIES | recorded().keys()


def test_every_metric_is_in_an_alert_or_on_a_dashboard_or_said_to_be_for_diagnosis() -> None:
    seen = {metric.name for metric in metrics() if uses().keys() & set(metric.series)}
    assert {metric.name for metric in metrics()} - seen == FOR_DIAGNOSIS


def test_every_recorded_series_is_asked_for() -> None:
    assert recorded().keys() <= uses().keys()


def test_names_are_found_in_expressions_and_values_of_labels_are_not() -> None:
    text = 'sum by (job) (rate(steno_a_total{x="steno_b"}[5m])) / steno:c:p95 * steno_d'
    assert names(text) == {"steno_a_total", "steno:c:p95", "steno_d"}


def test_a_metric_has_one_name_in_one_service() -> None:
    families = [metric.family for metric in metrics()]
    assert len(families) == len(set(families))


def test_no_label_can_hold_a_session_an_address_or_a_text() -> None:
    assert {label for metric in metrics() for label in metric.labels} <= LABELS_BY_MEANING


@pytest.mark.parametrize("metric", metrics(), ids=lambda metric: metric.name)
def test_the_name_of_a_metric_says_its_service_or_what_it_is_about(metric: object) -> None:
    pattern = r"steno_(gateway|transcriber|aggregator|notifier|audio|redis|sessions|build|ready"
    pattern += r"|draining|event_loop|invariant)(_|$)"
    assert re.match(pattern, metric.name)  # type: ignore[attr-defined]


def test_metrics_are_declared_in_these_modules_and_nowhere_else() -> None:
    makers = {"Counter", "Gauge", "Histogram", "Summary", "Info", "Enum"}
    found = set()
    for path in [*ROOT.glob("libs/*/steno_*/**/*.py"), *ROOT.glob("services/*/steno_*/**/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.ImportFrom) or node.module != "prometheus_client":
                continue
            if makers & {alias.name for alias in node.names}:
                found.add(".".join(path.with_suffix("").parts[-2:]))
    assert found == set(MODULES.values())
