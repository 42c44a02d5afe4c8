"""The GPU that a worker uses, as NVIDIA's management library tells of it."""

import importlib
import logging
from collections.abc import Callable
from typing import Any, Final

from steno_common.logs import about
from steno_common.measured import GpuUse
from steno_transcriber import metrics

log = logging.getLogger(__name__)

LIBRARY: Final = "pynvml"
"""Of the distribution `nvidia-ml-py`, which is optional."""

LookAtGpu = Callable[[], GpuUse | None]


def no_gpu() -> GpuUse | None:
    """Say that there is none."""
    return None


def find_gpu(index: int = 0) -> LookAtGpu:
    """Give what looks at a GPU, by its number; without the library or a GPU it sees none.

    A GPU that fails later is seen no more until it answers again.
    """
    try:
        nvml: Any = importlib.import_module(LIBRARY)
    except ImportError:
        return no_gpu
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        name = nvml.nvmlDeviceGetName(handle)
    except nvml.NVMLError as error:
        log.info("no GPU is watched", extra=about(reason=str(error)))
        return no_gpu

    def look() -> GpuUse | None:
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu
        except nvml.NVMLError:
            return None
        metrics.GPU_MEMORY.labels("used").set(memory.used)
        metrics.GPU_MEMORY.labels("total").set(memory.total)
        metrics.GPU_BUSY.set(busy / 100)
        return GpuUse(str(name), busy / 100, int(memory.used), int(memory.total))

    return look
