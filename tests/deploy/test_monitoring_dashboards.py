"""Dashboards: Grafana skips what it cannot read without a word, so it is checked here."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.monitoring.boards import BOARDS
from deploy.monitoring.panels import SOURCE, Board, Panel, graph, model, number
from tests.deploy.promtool import needs_promtool, promtool

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy/grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
PANELS = [(board.title, panel) for board in BOARDS for panel in board.panels]

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
each_panel = pytest.mark.parametrize(
    ("board", "panel"), PANELS, ids=[f"{board}-{panel.title}" for board, panel in PANELS]
)


def loaded(path: Path) -> Any:
    return json.loads(path.read_text())


def test_there_is_a_file_for_every_dashboard_and_no_other() -> None:
    assert [path.stem for path in FILES] == sorted(board.uid for board in BOARDS)
    assert {board.title for board in BOARDS} == {
        "Overview", "Sessions", "Recognition", "Redis", "Delivery",
    }  # fmt: skip


@needs_promtool
def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    found = [
        target["expr"] for path in FILES for panel in loaded(path)["panels"]
        for target in panel["targets"]
    ]  # fmt: skip
    plain = [re.sub(r"\$__\w+", "5m", expression) for expression in found]
    assert len(plain) > 50
    assert not any("$" in expression for expression in plain)
    rules = [{"record": f"probe_{n}", "expr": text} for n, text in enumerate(plain)]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": rules}]}))
    assert f"{len(plain)} rules found" in promtool("check", "rules", file)


@each_file
def test_whoever_looks_chooses_the_prometheus(path: Path) -> None:
    board = loaded(path)
    (variable,) = board["templating"]["list"]
    assert (variable["name"], variable["type"]) == ("datasource", "datasource")
    for panel in board["panels"]:
        sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
        assert sources == [SOURCE] * len(sources)


@each_file
def test_panels_lie_side_by_side_within_the_page(path: Path) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in loaded(path)["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken
        taken |= cells


@each_file
def test_ids_are_unique_and_every_curve_has_a_letter(path: Path) -> None:
    panels = loaded(path)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        letters = [target["refId"] for target in panel["targets"]]
        assert letters
        assert len(set(letters)) == len(letters)


@each_panel
def test_a_panel_says_in_one_sentence_what_it_shows_and_in_which_unit(
    board: str, panel: Panel
) -> None:
    assert re.fullmatch(r"[A-Z0-9][^.]*(\d\.\d[^.]*)*\.", panel.description)
    asks = " ".join(query.expression for query in panel.queries)
    if re.search(r"_seconds(_bucket|:p\d+)|histogram_quantile", asks):
        assert panel.unit == "s"
    if "_bytes" in asks:
        assert panel.unit == "bytes"
    if re.match(r"sum.*\(rate\([a-z_]+_total", panel.queries[0].expression):
        assert panel.unit in ("ops", "none")


@each_panel
def test_curves_can_be_told_apart(board: str, panel: Panel) -> None:
    if panel.kind == "timeseries":
        assert all(query.legend for query in panel.queries)
        assert len({query.legend for query in panel.queries}) == len(panel.queries)
        for query in panel.queries:
            for label in re.findall(r"\{\{(\w+)\}\}", query.legend):
                known = label in ("job", "instance") or label in query.expression
                assert known or query.expression.startswith("steno:"), (label, query)


def colours(**look: Any) -> list[tuple[float | None, str]]:
    panel = number("N", "N.", "short", "steno_n", **look)
    (made,) = model(Board("b", "B", "B.", (panel,)))["panels"]
    return [(step["value"], step["color"])
            for step in made["fieldConfig"]["defaults"]["thresholds"]["steps"]]  # fmt: skip


def test_a_border_is_drawn_from_its_value_on_and_the_other_way_round_where_low_is_bad() -> None:
    assert colours() == [(None, "green")]
    assert colours(warn=5, alarm=10) == [(None, "green"), (5, "yellow"), (10, "red")]
    low = colours(warn=0.9, alarm=0.5, low_is_bad=True)
    assert low == [(None, "red"), (0.5, "yellow"), (0.9, "green")]


def test_a_row_that_is_full_is_followed_by_the_next() -> None:
    panels = tuple(graph(f"P{n}", "P.", "s", ("steno_p", "p")) for n in range(4))
    made = model(Board("b", "B", "B.", panels))["panels"]
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in made]
    assert places == [(0, 0), (8, 0), (16, 0), (0, 8)]


def test_grafana_is_told_where_the_dashboards_and_the_prometheus_of_compose_are() -> None:
    provisioning = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())[
        "datasources"
    ]
    assert (source["type"], source["url"]) == ("prometheus", "http://prometheus:9090")
    assert source["jsonData"]["timeInterval"] == "15s"
    (provider,) = yaml.safe_load((provisioning / "dashboards/steno.yml").read_text())["providers"]
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    mounted = dict(volume.split(":")[:2] for volume in compose["services"]["grafana"]["volumes"])
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"
