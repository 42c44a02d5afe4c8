"""The page that lists every metric."""

from collections.abc import Iterator
from typing import Final

from deploy.monitoring.catalogue import MODULES, Metric, metrics
from deploy.monitoring.uses import recorded, uses

FOR_DIAGNOSIS: Final = {
    "steno_gateway_translations_total",
    "steno_redis_uptime_seconds",
    "steno_transcriber_claims_total",
    "steno_transcriber_emotion_sessions",
    "steno_transcriber_partials_total",
    "steno_transcriber_windows_total",
}
"""Metrics in no alert, on no dashboard: to be asked for when something is looked into."""

_HEAD: Final = """\
# Metrics

Generated from the code: `python -m deploy.monitoring` writes this page.

Every service answers `/metrics` on its port ([operations.md](operations.md)). Names end in their
unit; figures are of one process since its start, unless they say otherwise. No label ever holds a
session, an address or a text. Histograms have edges where a promise is measured: 0.3 s for a final.

Beside these, each page has what the client library measures of its process:
`process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_start_time_seconds`,
`process_open_fds`, `process_max_fds`.

| asked for as | is |
|---|---|
| chunks received | `steno_gateway_chunks_total` |
| receipt to engine | `steno_gateway_append_seconds`, then `steno_transcriber_feed_seconds` |
| buffer size | `steno_gateway_queued_bytes`, `steno_audio_waiting_seconds` |
| validation errors | `steno_gateway_errors_total`, by code |
| latency of finals | `steno_transcriber_final_seconds`, then `steno_gateway_delivery_seconds` |
| forwarding latency | `steno_notifier_delivery_seconds`, by kind of destination |
| pipeline invocations | `steno_notifier_tries_total`, `steno_notifier_pipeline_partials_total` |
| pipeline errors | the same, by outcome |
| pipeline retries | `steno_notifier_retries_total` |
| emotion latency | `steno_transcriber_emotion_seconds` |
| emotion errors | `steno_transcriber_measuring_errors_total` |
| emotion cache size | `steno_transcriber_emotion_sessions` |
| use of the engine | `steno:engine_busy:ratio` |
| use of a GPU | `steno_transcriber_gpu_busy_ratio`, `steno_transcriber_gpu_memory_bytes` |
| scaling signal | `steno:audio_waiting_seconds` |

"Diagnosis": in no alert and on no dashboard. What alerts mean: [alerts.md](alerts.md).
"""

_RECORDED: Final = """
## Recorded by Prometheus

Of the whole installation, from `deploy/prometheus/recording.yml`.

| series | expression |
|---|---|
"""


def page() -> str:
    """Give the text of docs/metrics.md."""
    parts = [_HEAD]
    for service in MODULES:
        found = [metric for metric in metrics() if metric.service == service]
        head = service.capitalize()
        parts.append(f"\n## {head}\n\n| metric | type | labels | unit | meaning | seen in |\n"
                     "|---|---|---|---|---|---|\n")  # fmt: skip
        parts += [_row(metric) for metric in found]
    parts += _recorded()
    return "".join(parts)


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    cells = (f"`{metric.name}`", metric.kind, labels, metric.unit, metric.meaning, _seen(metric))
    return f"| {' | '.join(cells)} |\n"


def _seen(metric: Metric) -> str:
    if metric.name in FOR_DIAGNOSIS:
        return "Diagnosis"
    found = uses()
    return ", ".join(sorted({user for name in metric.series for user in found.get(name, ())}))


def _recorded() -> Iterator[str]:
    yield _RECORDED
    for name, expression in recorded().items():
        cell = expression.replace("|", "\\|")  # within a table
        yield f"| `{name}` | `{cell}` |\n"
