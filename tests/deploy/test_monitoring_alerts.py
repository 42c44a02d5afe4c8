"""Alerts: each is tested at its border, and has a page for whoever it wakes up."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.monitoring.uses import RULES, rules
from tests.deploy.promtool import needs_promtool, promtool

ROOT = Path(__file__).parents[2]
TESTS = Path(__file__).parent / "prometheus/alerts_test.yml"
ALERTS = rules("alerts.yml")
PAGE = (ROOT / "docs/alerts.md").read_text()

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: str(alert["alert"]))


@needs_promtool
def test_prometheus_takes_the_rules_and_its_own_configuration() -> None:
    promtool("check", "rules", RULES / "recording.yml", RULES / "alerts.yml")
    promtool("check", "config", RULES / "prometheus.yml")


@needs_promtool
def test_every_alert_fires_beyond_its_border_and_not_within() -> None:
    promtool("test", "rules", TESTS)


def cases(alert: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Give the tests in which an alert fires, those in which it does not."""
    name = alert["alert"]
    own = [
        case
        for case in yaml.safe_load(TESTS.read_text())["tests"]
        if case["name"].split()[0] == name
    ]
    firing = [
        case
        for case in own
        for test in case.get("promql_expr_test", ())
        if test["expr"].startswith("ALERTS{alertname=") and test["exp_samples"]
        and any(f'alertname="{name}"' in sample["labels"] for sample in test["exp_samples"])
    ]  # fmt: skip
    silent = [
        case
        for case in own
        if " does not fire " in case["name"]
        for test in case["alert_rule_test"]
        if test["alertname"] == name and test["exp_alerts"] == []
    ]
    return firing, silent


@each_alert
def test_an_alert_is_tested_to_fire_and_to_be_silent(alert: dict[str, Any]) -> None:
    firing, silent = cases(alert)
    assert firing
    assert silent


@each_alert
def test_an_alert_says_what_is_wrong_how_bad_it_is_and_where_to_read_on(
    alert: dict[str, Any],
) -> None:
    assert alert["alert"].startswith("Steno")
    assert alert["labels"]["severity"] in ("page", "ticket")
    assert alert["annotations"].keys() == {"summary", "description", "runbook"}
    assert alert["annotations"]["runbook"] == f"docs/alerts.md#{alert['alert'].lower()}"


def section(name: str) -> str:
    return PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


@each_alert
def test_an_alert_has_its_section_with_what_to_do(alert: dict[str, Any]) -> None:
    text = section(alert["alert"])
    assert text.strip().startswith(f"`{alert['labels']['severity']}`. ")
    assert re.search(r"^(- )?Do( at once)?: ", text, re.MULTILINE)


def test_no_section_is_left_of_an_alert_that_is_gone() -> None:
    sections = re.findall(r"^## (\w+)$", PAGE, re.MULTILINE)
    assert sections == [alert["alert"] for alert in ALERTS]


def test_links_within_the_page_lead_somewhere() -> None:
    known = {alert["alert"].lower() for alert in ALERTS}
    assert set(re.findall(r"\(#(\w+)\)", PAGE)) <= known
