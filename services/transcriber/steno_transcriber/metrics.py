"""Names of the transcriber's metrics."""

import math
from typing import Final, Literal, get_args

from prometheus_client import Counter, Gauge, Histogram, Info

from steno_common.telemetry import LATENCY_BUCKETS, violations
from steno_transcriber.domain.stay import Reason
from steno_transcriber.scheduler import Measure

_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)

ENGINE: Final = Info("steno_transcriber_engine", "The `engine` of this worker")
PLACES: Final = Gauge("steno_transcriber_places", "Batches that the engine runs at once")
SESSIONS: Final = Gauge("steno_transcriber_sessions", "Sessions this worker owns")
ENGINE_AWAY: Final = Gauge(
    "steno_transcriber_engine_away",
    "1 while the engine of this worker fails for one session after the other, so that it takes"
    " hardly any",
)
ROOM: Final = Gauge("steno_transcriber_room", "Sessions this worker would claim at once")
DEMAND: Final = Gauge(
    "steno_transcriber_demand",
    "Share of the engine that the sessions need, with partials as often as they should come",
)
REALTIME: Final = Gauge(
    "steno_transcriber_realtime_factor", "Engine seconds spent on a second of audio"
)
FEED: Final = Histogram(
    "steno_transcriber_feed_seconds",
    "From the arrival of audio at Redis until the recogniser has it, by the clock of Redis",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60),
)
GIVEN_UP: Final = Counter(
    "steno_transcriber_given_up_total", "Sessions given up to workers with room"
)
GUESTS: Final = Gauge(
    "steno_transcriber_guests", "Sessions of this worker that prefer another engine"
)
HANDOVERS: Final = Counter(
    "steno_transcriber_handovers_total",
    "Sessions that came to this worker's engine from another one, or although they prefer another:"
    " `overflow` (that one had no room when they began), `failure` (the one before failed, died or"
    " had too much), `return` (an engine that comes before is back)",
    ["reason"],
)
for _reason in get_args(Reason):
    HANDOVERS.labels(_reason)
PASSED_ON: Final = Counter(
    "steno_transcriber_passed_on_total", "Sessions passed on because this worker's engine failed"
)
LATE: Final = Counter(
    "steno_transcriber_late_warnings_total", "Clients told that their finals are late"
)
CLAIMS: Final = Counter("steno_transcriber_claims_total", "Sessions claimed")
FAILED: Final = Counter(
    "steno_transcriber_session_failures_total",
    "Sessions dropped by a fault of this worker; another takes them over",
)
COMMITS: Final = Counter(
    "steno_transcriber_commits_total",
    "Commits by what became of them: `ok`, `repeated` (an answer was lost), `fenced` (the session"
    " belongs to another worker)",
    ["result"],
)
for _result in ("ok", "repeated", "fenced"):
    COMMITS.labels(_result)
PASSED_OVER: Final = violations("audio_passed_over")
AUDIO: Final = Counter(
    "steno_transcriber_audio_seconds_total",
    "Audio committed, by what it held: `speech`, `silence`",
    ["kind"],
)
PARTIALS: Final = Counter("steno_transcriber_partials_total", "Partials sent")
FINAL: Final = Histogram(
    "steno_transcriber_final_seconds",
    "From the arrival of the chunk that ended a segment to its commit",
    buckets=(*LATENCY_BUCKETS, 20, 60),
)
PARTIAL: Final = Histogram(
    "steno_transcriber_partial_seconds",
    "From the arrival of the last chunk that a partial covers until the partial is on its way",
    buckets=LATENCY_BUCKETS,
)
EMOTION: Final = Histogram(
    "steno_transcriber_emotion_seconds",
    "Time to take audio for the emotion dynamics, or to measure a session's newest or a segment",
    buckets=(0.0001, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
)
EMOTION_SESSIONS: Final = Gauge(
    "steno_transcriber_emotion_sessions", "Sessions whose newest emotion dynamics are known"
)
MeasuringKind = Literal["emotion", "quality"]
MEASURING_ERRORS: Final = Counter(
    "steno_transcriber_measuring_errors_total",
    "Faults in what is only measured, `emotion` or `quality`; the session goes on",
    ["kind"],
)
for _kind in ("emotion", "quality"):
    MEASURING_ERRORS.labels(_kind)
GPU_MEMORY: Final = Gauge(
    "steno_transcriber_gpu_memory_bytes",
    "Memory of the GPU that this worker uses: `used` by everybody, `total`; none without a GPU",
    ["kind"],
)
GPU_BUSY: Final = Gauge(
    "steno_transcriber_gpu_busy_ratio",
    "Share of the last moment in which the GPU of this worker was at work; 0 without a GPU",
)
_BATCH: Final = Histogram(
    "steno_transcriber_batch_seconds", "Time of one batch in the engine", buckets=_SECONDS
)
_WINDOWS: Final = Histogram(
    "steno_transcriber_batch_windows", "Windows in one batch", buckets=(1, 2, 4, 8, 16, 32)
)
_WAIT: Final = Histogram(
    "steno_transcriber_window_wait_seconds",
    "Time a window waits for its batch: of a `final`, of a `partial`",
    ["kind"],
    buckets=_SECONDS,
)
_PADDED: Final = Counter(
    "steno_transcriber_windows_total",
    "Windows decoded, by the whole seconds of their padded length",
    ["kind", "seconds"],
)
STREAMS: Final = Gauge(
    "steno_transcriber_streams", "Streams that are open to an engine in the cloud"
)
STREAMS_ABANDONED: Final = Counter(
    "steno_transcriber_streams_abandoned_total",
    "Streams that the engine did not close in time; each counts as open until it is closed",
)
STREAM_LOSSES: Final = Counter(
    "steno_transcriber_stream_losses_total",
    "Streams that were lost, or that the engine did not open, by the `code` of the error",
    ["code"],
)
for _code in ("engine_failed", "engine_limited", "engine_refused", "engine_unavailable"):
    STREAM_LOSSES.labels(_code)
_FAILURES: Final = Counter(
    "steno_transcriber_window_failures_total",
    "Windows the engine failed on: `partial_failures` are left out, `final_retries` are tried"
    " again, `final_failures` are told to the client",
    ["kind"],
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
        case "final_padded_seconds" | "partial_padded_seconds":
            _PADDED.labels(measure.partition("_")[0], str(math.ceil(value))).inc()
        case "partial_failures" | "final_retries" | "final_failures":
            _FAILURES.labels(measure).inc(value)
