"""Dashboards of Grafana: panels in rows, without the many words of its format."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
"""The dashboard's variable: whoever looks chooses the Prometheus."""

COLUMNS: Final = 24
HEIGHT: Final = 8

Unit = Literal["s", "bytes", "percentunit", "short", "ops", "none"]


@dataclass(frozen=True, slots=True)
class Query:
    """One expression of PromQL, with the legend of its series."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One graph, or one big number."""

    title: str
    description: str
    """One sentence: what it shows, what is good."""
    unit: Unit
    queries: tuple[Query, ...]
    kind: Literal["timeseries", "stat"] = "timeseries"
    warn: float | None = None
    alarm: float | None = None
    """Values from which on it is drawn in yellow, in red."""
    low_is_bad: bool = False
    """What lies below `alarm`, `warn` is drawn so."""

    @property
    def width(self) -> int:
        """Columns of the 24 that a dashboard has."""
        return 4 if self.kind == "stat" else 8


@dataclass(frozen=True, slots=True)
class Board:
    """One dashboard."""

    uid: str
    title: str
    description: str
    panels: tuple[Panel, ...]


def graph(
    title: str, description: str, unit: Unit, *queries: tuple[str, str], **look: Any
) -> Panel:
    """Give a panel with curves; each query is an expression with its legend."""
    return Panel(title, description, unit, tuple(Query(*each) for each in queries), **look)


def number(title: str, description: str, unit: Unit, expression: str, legend: str = "",
           **look: Any) -> Panel:  # fmt: skip
    """Give a panel with the newest value of an expression."""
    return Panel(title, description, unit, (Query(expression, legend),), "stat", **look)


def per_second(series: str, *by: str) -> str:
    """Give the rate of a counter, summed up but for these labels."""
    return f"sum{_by(*by)} (rate({series}[$__rate_interval]))"


def quantile(share: float, family: str, *by: str) -> str:
    """Give a quantile of a histogram, separately for these labels."""
    rate = f"rate({family}_bucket[$__rate_interval])"
    return f"histogram_quantile({share:g}, sum{_by('le', *by)} ({rate}))"


def latency(family: str) -> tuple[tuple[str, str], ...]:
    """Give the usual three quantiles of a histogram."""
    return tuple((quantile(share / 100, family), f"p{share}") for share in (50, 95, 99))


def _by(*labels: str) -> str:
    return f" by ({', '.join(labels)})" if labels else ""


def model(board: Board) -> dict[str, Any]:
    """Give a dashboard as Grafana reads it."""
    return {
        "uid": board.uid,
        "title": f"Steno / {board.title}",
        "description": board.description,
        "tags": ["steno"],
        "editable": False,
        "graphTooltip": 1,
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "",
        "links": [
            {"type": "dashboards", "title": "Steno", "tags": ["steno"], "asDropdown": False,
             "includeVars": True, "keepTime": True}
        ],
        "templating": {
            "list": [{"name": "datasource", "label": "Prometheus", "type": "datasource",
                      "query": "prometheus", "current": {}, "hide": 0}]
        },
        "panels": list(_panels(board)),
    }  # fmt: skip


def _panels(board: Board) -> Iterator[dict[str, Any]]:
    x = y = 0
    for number_, panel in enumerate(board.panels, 1):
        if x + panel.width > COLUMNS:
            x, y = 0, y + HEIGHT
        yield {
            "id": number_,
            "type": panel.kind,
            "title": panel.title,
            "description": panel.description,
            "datasource": SOURCE,
            "gridPos": {"x": x, "y": y, "w": panel.width, "h": HEIGHT},
            "targets": list(_targets(panel)),
            "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
            "options": _options(panel),
        }
        x += panel.width


def _targets(panel: Panel) -> Iterator[dict[str, Any]]:
    for letter, query in zip("ABCDEF", panel.queries, strict=False):
        yield {
            "refId": letter,
            "datasource": SOURCE,
            "expr": query.expression,
            "legendFormat": query.legend or "__auto",
            "instant": panel.kind == "stat",
            "range": panel.kind != "stat",
        }


def _defaults(panel: Panel) -> dict[str, Any]:
    found: dict[str, Any] = {"unit": panel.unit, "min": 0}
    found["thresholds"] = {"mode": "absolute", "steps": list(_steps(panel))}
    if panel.kind == "timeseries":
        found["custom"] = {"fillOpacity": 10, "showPoints": "never", "spanNulls": False}
    return found


def _steps(panel: Panel) -> Iterator[dict[str, Any]]:
    """Give the colours from the lowest value up; each holds from its value on."""
    borders = [(None, "green"), (panel.warn, "yellow"), (panel.alarm, "red")]
    if panel.low_is_bad:
        borders = [(None, "red"), (panel.alarm, "yellow"), (panel.warn, "green")]
    for place, (value, colour) in enumerate(borders):
        if place == 0 or value is not None:
            yield {"color": colour, "value": value}


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "stat":
        return {
            "colorMode": "background" if panel.alarm is not None else "value",
            "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
            "textMode": "auto",
        }
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
