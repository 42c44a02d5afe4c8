"""Where figures come from: machine, versions, settings."""

import dataclasses
import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from bench.recognition.offline import device_of

from steno_transcriber.settings import RecognitionSettings

_PACKAGES: Final = ("ctranslate2", "faster-whisper", "onnxruntime", "numpy", "aiohttp", "redis")


def cores() -> int:
    """Say how many cores this process may use."""
    return len(os.sched_getaffinity(0))


def describe(settings: RecognitionSettings) -> dict[str, Any]:
    """Give all that figures depend on beside the load."""
    device, compute_type = device_of(settings)
    return {
        "cpu": _cpu(),
        "cores": cores(),
        "gpu": _gpu() if device == "cuda" else None,
        "device": device,
        "compute_type": compute_type,
        "python": platform.python_version(),
        "system": platform.platform(),
        "versions": {name: _version(name) for name in _PACKAGES},
        "settings": dataclasses.asdict(settings),
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _gpu() -> str | None:
    program = shutil.which("nvidia-smi")
    if program is None:
        return None
    wanted = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(wanted, capture_output=True, text=True, timeout=20, check=False)
    return answer.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
