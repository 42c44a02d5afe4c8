"""Every setting is in the documentation as it is in the code, and can be given to compose."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from steno_aggregator.settings import AggregatorSettings
from steno_common.health import PORT_OFFSETS
from steno_common.lifecycle import ProcessSettings
from steno_common.store.limits import Limits
from steno_gateway.settings import GatewaySettings
from steno_notifier.settings import NotifierSettings
from steno_transcriber.app import TranscriberSettings
from steno_transcriber.settings import RecognitionSettings

ROOT = Path(__file__).parents[2]
READ: dict[str, tuple[Any, ...]] = {
    "gateway": (ProcessSettings, Limits, GatewaySettings),
    "transcriber": (ProcessSettings, Limits, TranscriberSettings, RecognitionSettings),
    "aggregator": (ProcessSettings, AggregatorSettings),
    "notifier": (ProcessSettings, NotifierSettings),
}
"""What each service reads from the environment."""

OF_THE_IMAGE = {"STENO_HOST", "STENO_PORT", "STENO_OUTPUT"}
OF_THE_COMMAND = {"DirectSettings"}
"""`steno-transcriber recognise` reads one setting of `Limits` by a class of its own."""


def settings(service: str) -> dict[str, Any]:
    """Give the settings of a service with their defaults."""
    fields = (field for kind in READ[service] for field in dataclasses.fields(kind))
    return {f"STENO_{field.name.upper()}": field.default for field in fields}


def written(default: Any) -> str:
    if default is None or default in ("", ()):
        return "unset" if default is None else "empty"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def rows() -> Iterator[tuple[str, str, str]]:
    """Give name, readers and default of each line of the table."""
    text = (ROOT / "docs/operations.md").read_text()
    section = text.partition("## Settings")[2].partition("\n## ")[0]
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0].startswith("`STENO_"):
            assert cells[3], f"{cells[0]} has no meaning"
            yield cells[0].strip("`"), cells[1], cells[2]


def test_the_table_has_every_setting_with_its_default_and_its_readers() -> None:
    expected = set()
    for name, default in {k: v for service in READ for k, v in settings(service).items()}.items():
        readers = [service for service in READ if name in settings(service)]
        who = "all" if len(readers) == len(READ) else ", ".join(readers)
        expected.add((name, who, written(default)))
    found = list(rows())
    assert set(found) == expected
    assert len(found) == len(expected)


def test_two_services_that_read_the_same_setting_have_the_same_default() -> None:
    defaults: dict[str, Any] = {}
    for service in READ:
        for name, default in settings(service).items():
            assert defaults.setdefault(name, default) == default


def test_no_class_of_settings_is_missing_here() -> None:
    sources = [
        path
        for folder in ("libs/common", *(f"services/{service}" for service in READ))
        for path in (ROOT / folder).rglob("*.py")
    ]
    loaded = {
        name for path in sources for name in re.findall(r"\bload\(([A-Z]\w+)\)", path.read_text())
    }
    known = {kind.__name__ for kinds in READ.values() for kind in kinds}
    assert loaded - OF_THE_COMMAND == known


@pytest.mark.parametrize("service", sorted(PORT_OFFSETS))
def test_compose_hands_every_setting_on_to_the_services_that_read_it(service: str) -> None:
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    environment = compose["services"][service]["environment"]
    assert set(environment) == set(settings(service)) - OF_THE_IMAGE
    given = {name: value for name, value in environment.items() if value is not None}
    assert given == {"STENO_REDIS_URL": "redis://redis:6379/0"}


def test_variables_of_the_compose_file_itself_are_no_settings_and_are_documented() -> None:
    text = (ROOT / "docker-compose.yml").read_text()
    docs = (ROOT / "docs/operations.md").read_text()
    own = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", text))
    assert not own.keys() & {name for service in READ for name in settings(service)}
    for name, default in own.items():
        assert f"| `{name}` | `{default}` |" in docs
