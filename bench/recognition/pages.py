"""Numbers out of the /metrics pages of transcribers."""

import math
from collections import defaultdict
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families

Labels = tuple[tuple[str, str], ...]


class Page:
    """The samples of one or many pages, added up."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.values: dict[tuple[str, Labels], float] = defaultdict(float)
        for text in texts:
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    self.values[sample.name, tuple(sorted(sample.labels.items()))] += sample.value

    def since(self, earlier: "Page") -> "Page":
        """Give what has been counted after an earlier reading; of gauges the difference."""
        page = Page()
        for key, value in self.values.items():
            page.values[key] = value - earlier.values.get(key, 0.0)
        return page

    def total(self, name: str, **labels: str) -> float:
        """Add up the samples of a name that carry these labels."""
        return sum(value for _, value in self.samples(name, **labels))

    def samples(self, name: str, **labels: str) -> list[tuple[dict[str, str], float]]:
        """Give the samples of a name that carry these labels."""
        return [
            (dict(own), value)
            for (sample, own), value in self.values.items()
            if sample == name and labels.items() <= dict(own).items()
        ]

    def quantile(self, name: str, share: float, **labels: str) -> float | None:
        """Estimate a quantile of a histogram within its bucket; None where it counted nothing.

        What lies beyond the last border counts as that border.
        """
        counts: dict[float, float] = defaultdict(float)
        for own, value in self.samples(f"{name}_bucket", **labels):
            counts[float(own["le"])] += value
        borders = sorted(counts)
        if not borders or not counts[borders[-1]]:
            return None
        wanted = share * counts[borders[-1]]
        low, before = 0.0, 0.0
        for border in borders:
            if counts[border] >= wanted and counts[border] > before:
                if math.isinf(border):
                    return low
                return low + (border - low) * (wanted - before) / (counts[border] - before)
            low, before = border, counts[border]
        return low
