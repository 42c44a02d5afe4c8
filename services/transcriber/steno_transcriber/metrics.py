"""Names of the transcriber's metrics."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from steno_transcriber.scheduler import Measure

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

SESSIONS: Final = Gauge("steno_transcriber_sessions", "Sessions this worker owns")
CLAIMS: Final = Counter("steno_transcriber_claims_total", "Sessions claimed")
COMMITS: Final = Counter(
    "steno_transcriber_commits_total", "Commits by what became of them", ["result"]
)
AUDIO: Final = Counter(
    "steno_transcriber_audio_seconds_total", "Audio committed, by what it held", ["kind"]
)
PARTIALS: Final = Counter("steno_transcriber_partials_total", "Partials sent")
FINAL: Final = Histogram(
    "steno_transcriber_final_seconds",
    "From the arrival of a segment's last chunk to its commit",
    buckets=(*_SECONDS, 20, 60),
)
_BATCH: Final = Histogram(
    "steno_transcriber_batch_seconds", "Time of one batch in the engine", buckets=_SECONDS
)
_WINDOWS: Final = Histogram(
    "steno_transcriber_batch_windows", "Windows in one batch", buckets=(1, 2, 4, 8, 16, 32)
)
_WAIT: Final = Histogram(
    "steno_transcriber_window_wait_seconds",
    "Time a window waits for its batch",
    ["kind"],
    buckets=_SECONDS,
)
_FAILURES: Final = Counter(
    "steno_transcriber_window_failures_total", "Windows the engine failed on", ["kind"]
)


def observe(measure: Measure, value: float) -> None:
    """Count what the scheduler and the recognisers observe."""
    match measure:
        case "batch_seconds":
            _BATCH.observe(value)
        case "batch_windows":
            _WINDOWS.observe(value)
        case "final_wait_seconds" | "partial_wait_seconds":
            _WAIT.labels(measure.partition("_")[0]).observe(value)
        case "partial_failures" | "final_retries" | "final_failures":
            _FAILURES.labels(measure).inc(value)
