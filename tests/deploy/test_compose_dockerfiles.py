"""The images: small, unprivileged, rebuilt in the right order."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from steno_common.health import PORT_OFFSETS

ROOT = Path(__file__).parents[2]
SERVICES = sorted(PORT_OFFSETS)


def instructions(service: str) -> list[tuple[str, str]]:
    """Give the instructions of a service's Dockerfile in order, as (name, rest)."""
    text = (ROOT / "services" / service / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, " ".join(rest.split())) for name, _, rest in (x.partition(" ") for x in lines)]


def said(service: str, name: str) -> list[str]:
    return [rest for found, rest in instructions(service) if found == name]


def needed(folder: str) -> set[str]:
    """Give the folders of a distribution and of those of this tree that it depends on."""
    project = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    own = {name for name in project["dependencies"] if name.startswith("steno-")}
    return {folder}.union(*(needed(name.replace("steno-", "libs/", 1)) for name in own))


@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_its_service_and_what_that_depends_on(service: str) -> None:
    copied = {source for source, _ in map(str.split, said(service, "COPY"))}
    folders = {source for source in copied if re.fullmatch(r"(libs|services)/\w+", source)}
    assert folders == needed(f"services/{service}")


@pytest.mark.parametrize("service", SERVICES)
def test_dependencies_are_installed_before_any_code_is_there(service: str) -> None:
    steps = instructions(service)
    first_code = next(
        place
        for place, (name, rest) in enumerate(steps)
        if name == "COPY" and re.match(r"(libs|services)/\w+ ", rest)
    )
    installs = [rest for name, rest in steps[:first_code] if name == "RUN" and "install" in rest]
    assert {f"./{folder}" for folder in needed(f"services/{service}")} <= set(
        " ".join(installs).split()
    )
    assert all(install.count("pip install -c constraints.txt") >= 1 for install in installs)
    later = [rest for name, rest in steps[first_code:] if name == "RUN" and "pip install" in rest]
    assert later
    assert all("--no-deps" in rest for rest in later)


def test_the_first_layers_are_the_same_in_all_images() -> None:
    def shared(service: str) -> list[tuple[str, str]]:
        steps = instructions(service)
        return steps[: [name for name, _ in steps].index("RUN") + 1]

    assert shared("gateway") == shared("transcriber") == shared("aggregator") == shared("notifier")


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_runs_as_nobody_and_hears_signals_itself(service: str) -> None:
    assert said(service, "USER") == ["10001:10001"]
    assert json.loads(said(service, "ENTRYPOINT")[0]) == ["python", "-m", f"steno_{service}"]
    assert said(service, "CMD") == []
    last_root = max(place for place, (name, _) in enumerate(instructions(service)) if name == "RUN")
    assert [name for name, _ in instructions(service)].index("USER") > last_root


@pytest.mark.parametrize("service", SERVICES)
def test_the_health_check_asks_the_port_of_its_service(service: str) -> None:
    offset = PORT_OFFSETS[service]
    check = said(service, "HEALTHCHECK")[0]
    command = json.loads(check[check.index("[") :])
    assert command == ["python", "-IS", "/usr/local/lib/steno/healthcheck.py", str(offset)]
    assert said(service, "EXPOSE") == [str(8080 + offset)]


@pytest.mark.parametrize("service", SERVICES)
def test_no_address_and_no_secret_is_in_a_dockerfile(service: str) -> None:
    text = (ROOT / "services" / service / "Dockerfile").read_text()
    assert "://" not in text
    assert not re.search(r"--(extra-)?index-url|trusted-host|password|token", text, re.IGNORECASE)


def test_everything_an_image_copies_passes_the_ignore_file() -> None:
    patterns = (ROOT / ".dockerignore").read_text().split("\n")
    allowed = [line[1:] for line in patterns if line.startswith("!")]
    assert patterns[1] == "*"
    for service in SERVICES:
        for source in (copy.split()[0] for copy in said(service, "COPY")):
            assert (ROOT / source).exists()
            assert any(source == path or source.startswith(path + "/") for path in allowed), source


def test_the_image_of_the_transcriber_reports_its_use_to_nobody() -> None:
    assert "ORT_DISABLE_TELEMETRY=1" in " ".join(said("transcriber", "ENV"))
