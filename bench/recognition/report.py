"""Figures as a dictionary for machines, as a table for people."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from bench.recognition.cost import ROLES
from bench.recognition.figures import Spread, spread
from bench.recognition.limit import Limit
from bench.recognition.measure import Measured
from bench.recognition.quality import Quality

_LATENCIES: Final = {
    "first partial, after 0.5 s of speech": "partial_after_half_second",
    "first partial, after the speech began": "partial_after_start",
    "final, after the last word's end": "final_after_word",
    "final, after the pause that ends it": "final_after_pause",
    "final, after the segment's last chunk": "final_after_segment",
}
_WORKER: Final = "steno_transcriber_"


def figures(measured: Measured) -> dict[str, Any]:
    """Give everything that one run measured; seconds, MiB."""
    latencies = measured.latencies
    audio = measured.audio_seconds
    return {
        "sessions": measured.load.sessions,
        "completed": measured.completed,
        "faults": list(measured.faults),
        "words": None if measured.quality is None else _words(measured.quality),
        "latency_seconds": {
            name: asdict(spread(getattr(latencies, field))) for name, field in _LATENCIES.items()
        },
        "segments_without_partial": latencies.without_partial,
        "finals_where_nobody_spoke": latencies.invented,
        "audio_seconds": audio,
        "cpu_per_audio_second": {
            role: seconds / audio if audio else None
            for role, (seconds, _) in measured.costs.items()
        },
        "peak_mib": {role: memory for role, (_, memory) in measured.costs.items()},
        "worker": _worker(measured),
        "texts": None if measured.quality is None else list(measured.texts),
        "warnings": dict(measured.warnings),
        "load_late_seconds": measured.late,
        "load_held_seconds": measured.held,
    }


def _words(quality: Quality) -> dict[str, Any]:
    rates = {
        "error_rate": quality.truth.rate,
        "offline_error_rate": quality.offline_truth.rate,
        "error_rate_against_offline": quality.offline.rate,
        "lost_clips": quality.lost_clips,
    }
    return rates | asdict(quality)


def _worker(measured: Measured) -> dict[str, Any]:
    page, seconds = measured.page, measured.load.seconds
    batches = page.total(f"{_WORKER}batch_windows_count")
    windows = page.total(f"{_WORKER}batch_windows_sum")
    audio = measured.audio_seconds
    wait = f"{_WORKER}window_wait_seconds"
    return {
        "batches": batches,
        "windows": windows,
        "windows_per_second": windows / seconds,
        "mean_batch": windows / batches if batches else None,
        "busy_share": page.total(f"{_WORKER}batch_seconds_sum") / seconds,
        "windows_by_kind_and_seconds": [
            labels | {"windows": value} for labels, value in page.samples(f"{_WORKER}windows_total")
        ],
        "wait_p95": {kind: page.quantile(wait, 0.95, kind=kind) for kind in ("final", "partial")},
        "final_p50": page.quantile(f"{_WORKER}final_seconds", 0.5),
        "final_p95": page.quantile(f"{_WORKER}final_seconds", 0.95),
        "final_p99": page.quantile(f"{_WORKER}final_seconds", 0.99),
        "finals": page.total(f"{_WORKER}final_seconds_count"),
        "partials_per_audio_second": (
            page.total(f"{_WORKER}partials_total") / audio if audio else None
        ),
    }


def table(measured: Measured) -> Iterator[str]:
    """Give the lines of one run."""
    found = figures(measured)
    worker, words = found["worker"], found["words"]
    yield f"{'':40}{'count':>8}{'p50':>8}{'p95':>8}{'p99':>8}   (ms)"
    for name, values in found["latency_seconds"].items():
        yield _latency(name, Spread(**values))
    yield _latency("final, in the worker (from its histogram)", Spread(int(worker["finals"]), *(
        worker[key] or 0.0 for key in ("final_p50", "final_p95", "final_p99")
    )))  # fmt: skip
    yield ""
    yield f"{'':24}" + "".join(f"{name:>12}" for name in (*ROLES, "sum"))
    for name, values in (("CPU s per audio s", found["cpu_per_audio_second"]),
                         ("peak MiB", found["peak_mib"])):  # fmt: skip
        row = [*(values[role] or 0.0 for role in ROLES)]
        form = "12.0f" if name == "peak MiB" else "12.4f"
        yield f"{name:24}" + "".join(f"{value:{form}}" for value in (*row, sum(row)))
    yield ""
    yield (
        f"batches {worker['batches']:.0f} of {worker['mean_batch'] or 0:.1f} windows, "
        f"{worker['windows_per_second']:.1f} windows/s, engine busy {worker['busy_share']:.0%}, "
        f"partials {worker['partials_per_audio_second'] or 0:.2f} per audio s"
    )
    waits = ", ".join(f"{kind} {1000 * (s or 0):.0f} ms" for kind, s in worker["wait_p95"].items())
    yield (
        f"wait for a batch p95: {waits}; segments without a partial "
        f"{found['segments_without_partial']}, finals where nobody spoke "
        f"{found['finals_where_nobody_spoke']}"
    )
    if words is not None:
        yield (
            f"words {words['truth']['words']}: error rate {words['error_rate']:.1%}, "
            f"offline {words['offline_error_rate']:.1%}, against offline "
            f"{words['error_rate_against_offline']:.1%}; lost clips {words['lost_clips']}"
        )
    yield (
        f"sessions completed {found['completed']} of {found['sessions']}; load late by "
        f"{1000 * measured.late:.0f} ms at most, held back {measured.held:.1f} s at most"
    )
    yield from (f"warned {count} times: {code}" for code, count in measured.warnings.items())
    yield from (f"FAULT {fault}" for fault in measured.faults[:20])


def _latency(name: str, values: Spread) -> str:
    times = "".join(f"{1000 * each:8.0f}" for each in (values.p50, values.p95, values.p99))
    return f"{name:40}{values.count:8}{times}"


STEPS: Final = "".join(
    f"{name:>13}"
    for name in ("sessions", "in time", "partial p95", "final p95", "windows/s", "batch", "CPU s/s")
)
"""Heads of the columns of a ladder; times in ms, CPU of all processes per second of audio."""


def step(measured: Measured, *, in_time: bool) -> str:
    """Give one line of a ladder."""
    found = figures(measured)
    latencies, worker = measured.latencies, found["worker"]
    values = (
        f"{found['sessions']}",
        "yes" if in_time else "lost" if measured.faults else "no",
        f"{1000 * spread(latencies.partial_after_half_second).p95:.0f}",
        f"{1000 * spread(latencies.final_after_segment).p95:.0f}",
        f"{worker['windows_per_second']:.1f}",
        f"{worker['mean_batch'] or 0:.1f}",
        f"{sum(cpu or 0.0 for cpu in found['cpu_per_audio_second'].values()):.4f}",
    )
    return "".join(f"{value:>13}" for value in values)


def limit_table(found: Sequence[Limit]) -> Iterator[str]:
    """Give the lines of the machine's limit."""
    yield f"{'inter_threads':>14}{'intra_threads':>14}{'batch':>8}{'windows/s':>12}"
    for each in found:
        split = each.split
        yield (f"{split.inter:14}{split.intra:14}{each.batch:8}{each.windows_per_second:12.1f}")
