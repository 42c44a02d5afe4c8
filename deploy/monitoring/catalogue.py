"""Every metric of the code, as its modules declare it."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

MODULES: Final = {
    "every service": "steno_common.telemetry",
    "gateway": "steno_gateway.metrics",
    "transcriber": "steno_transcriber.metrics",
    "aggregator": "steno_aggregator.metrics",
    "notifier": "steno_notifier.metrics",
    "transcriber, aggregator": "steno_common.waiting",
}
"""Where metrics are declared, and nowhere else."""

_SUFFIXES: Final = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_sum", "_count"),
    "info": ("_info",),
}
_UNITS: Final = ("seconds", "bytes", "ratio")


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric of one service."""

    service: str
    family: str
    """Name without the suffixes of its type."""
    kind: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def name(self) -> str:
        """What to look for in Prometheus; of a histogram the family."""
        return self.family if self.kind == "histogram" else self.series[0]

    @property
    def series(self) -> tuple[str, ...]:
        """Names under which Prometheus keeps it."""
        return tuple(self.family + suffix for suffix in _SUFFIXES.get(self.kind, ("",)))

    @property
    def unit(self) -> str:
        """Unit, which is the last word of the family's name if it has one."""
        last = self.family.rpartition("_")[2]
        return last if last in _UNITS else "" if self.kind == "info" else "number"


def metrics() -> list[Metric]:
    """Give the metrics of all services, in the order of their modules."""
    return [metric for service in MODULES for metric in _declared(service)]


def _declared(service: str) -> Iterator[Metric]:
    seen: set[str] = set()
    for value in vars(importlib.import_module(MODULES[service])).values():
        if not isinstance(value, MetricWrapperBase) or value._labelvalues:
            continue  # of something else, or one series of a metric that has a name of its own
        (described,) = value.describe()
        if described.name not in seen:
            seen.add(described.name)
            meaning = described.documentation.rstrip(".")
            yield Metric(service, described.name, described.type, value._labelnames, meaning)
