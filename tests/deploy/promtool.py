"""Prometheus' own tools, as far as they are installed."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: install the package prometheus"
)


def promtool(*arguments: str | Path, text: str | None = None) -> str:
    """Run promtool; fails with what it says unless it is content."""
    done = subprocess.run(
        ["promtool", *map(str, arguments)],
        input=text, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said
