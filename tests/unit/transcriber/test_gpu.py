"""R2, "GPU available and used": as NVIDIA's library tells of it, or not there at all."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from prometheus_client import REGISTRY

from steno_common.measured import GpuUse
from steno_transcriber.gpu import LIBRARY, find_gpu, no_gpu


class NVMLError(Exception):
    """What the library raises."""


class Nvml(ModuleType):
    """The library on a machine with some GPUs."""

    NVMLError = NVMLError

    def __init__(self, gpus: int) -> None:
        super().__init__(LIBRARY)
        self.gpus, self.lost, self.begun = gpus, False, False

    def nvmlInit(self) -> None:  # noqa: N802
        if not self.gpus:
            raise NVMLError("Driver Not Loaded")
        self.begun = True

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        assert self.begun
        if index >= self.gpus:
            raise NVMLError("Invalid Argument")
        return index

    def nvmlDeviceGetName(self, handle: int) -> str:  # noqa: N802
        return f"GPU {handle}"

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:  # noqa: N802
        if self.lost:
            raise NVMLError("GPU is lost")
        return SimpleNamespace(used=3_000_000_000 + handle, total=16_000_000_000)

    def nvmlDeviceGetUtilizationRates(self, handle: int) -> Any:  # noqa: N802
        return SimpleNamespace(gpu=43, memory=12)


def installed(monkeypatch: pytest.MonkeyPatch, nvml: Nvml | None) -> None:
    monkeypatch.setitem(sys.modules, LIBRARY, nvml)


def test_the_gpu_of_the_worker_is_told_of_and_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, Nvml(2))
    assert find_gpu(1)() == GpuUse("GPU 1", 0.43, 3_000_000_001, 16_000_000_000)
    name = "steno_transcriber_gpu_memory_bytes"
    assert REGISTRY.get_sample_value(name, {"kind": "used"}) == 3_000_000_001
    assert REGISTRY.get_sample_value(name, {"kind": "total"}) == 16_000_000_000
    assert REGISTRY.get_sample_value("steno_transcriber_gpu_busy_ratio") == 0.43


@pytest.mark.parametrize("nvml", [None, Nvml(0), Nvml(1)], ids=["library", "driver", "number"])
def test_without_library_driver_or_gpu_there_is_none(
    nvml: Nvml | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed(monkeypatch, nvml)
    assert find_gpu(1) is no_gpu
    assert no_gpu() is None


def test_a_gpu_that_is_lost_is_none_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = Nvml(1)
    installed(monkeypatch, nvml)
    look = find_gpu()
    nvml.lost = True
    assert look() is None
    nvml.lost = False
    assert look() is not None
