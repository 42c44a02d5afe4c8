"""Which alerts and dashboards use which series."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from deploy.monitoring.boards import BOARDS

RULES: Final = Path(__file__).parents[1] / "prometheus"
_NAME: Final = re.compile(r"(?<![\w:{\"])(?:steno[_:][\w:]+)")


def names(expression: str) -> set[str]:
    """Give the series of Steno in an expression, recorded ones (`steno:`) among them."""
    return set(_NAME.findall(expression))


@cache
def rules(file: str) -> tuple[dict[str, Any], ...]:
    """Read the rules of a file, in their order."""
    groups = yaml.safe_load((RULES / file).read_text())["groups"]
    return tuple(rule for group in groups for rule in group["rules"])


def expressions() -> Iterator[tuple[str, str]]:
    """Give each expression with the alert or the dashboard that it belongs to."""
    for rule in rules("alerts.yml"):
        yield rule["alert"], rule["expr"]
    for board in BOARDS:
        for panel in board.panels:
            for query in panel.queries:
                yield board.title, query.expression


def recorded() -> dict[str, str]:
    """Give the expressions of recorded series by name."""
    return {rule["record"]: rule["expr"] for rule in rules("recording.yml")}


def resolved(expression: str) -> set[str]:
    """Give the series behind an expression, those behind recorded ones too."""
    known = recorded()
    found: set[str] = set()
    open_names = names(expression)
    while open_names:
        name = open_names.pop()
        if name not in found:
            found.add(name)
            open_names |= names(known.get(name, ""))
    return found


@cache
def uses() -> Mapping[str, set[str]]:
    """Give for each series the alerts and dashboards in which it appears."""
    found: dict[str, set[str]] = defaultdict(set)
    for user, expression in expressions():
        for name in resolved(expression):
            found[name].add(user)
    return found
