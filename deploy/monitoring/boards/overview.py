"""Is all well, and if not, where."""

from typing import Final

from deploy.monitoring.panels import Board, graph, number

OVERVIEW: Final = Board(
    "steno-overview",
    "Overview",
    "Whether all is well; if not, which part to look at.",
    (
        number("Alerts", "Alerts of Steno that fire now.", "short",
               'count(ALERTS{alertname=~"Steno.+", alertstate="firing"}) or vector(0)', alarm=1),
        number("Violations", "Broken invariants in the last hour; any is a fault of ours.", "short",
               "sum(increase(steno_invariant_violation_total[1h]))", alarm=1),
        number("Live sessions", "Sessions that have not come to their end.", "short",
               "sum(max by (state) (steno_sessions))"),
        number("Audio waiting", "Seconds of audio that wait for each transcriber; scale from 5 s"
               " on.", "s", "steno:audio_waiting_seconds:per_transcriber", warn=5, alarm=10),
        number("Finals in time", "Share of finals within the promised 300 ms.", "percentunit",
               "steno:final_seconds:ratio_300ms", warn=0.95, alarm=0.5, low_is_bad=True),
        number("Redis memory", "Share of its memory that Redis uses.", "percentunit",
               "max(steno_redis_used_memory_ratio)", warn=0.7, alarm=0.85),
        graph("Processes", "How many of each service answer.", "short",
              ("count by (service) (steno_build_info)", "{{service}}")),
        graph("Not ready", "Processes that fail a check of readiness, by check.", "short",
              ("count by (job, check) (steno_ready == 0)", "{{job}} {{check}}"),
              ("sum by (job) (steno_draining) > 0", "{{job}} drains")),
        graph("Starts", "Starts of processes in the last 15 minutes.", "short",
              ('sum by (job) (changes(process_start_time_seconds{job=~"steno-.+"}[15m]))',
               "{{job}}")),
        graph("Finals", "95 of 100 finals come within this time; the promise is 300 ms.", "s",
              ("steno:final_seconds:p95", "p95"), alarm=3),
        graph("Faults", "Share of requests that end in a fault of ours.", "percentunit",
              ("steno:gateway_faults:ratio", "faults"), alarm=0.01),
        graph("Loop lag", "How late one timer in a hundred runs; beyond 200 ms heartbeats are at"
              " risk.", "s", ("steno:event_loop_lag_seconds:p99", "{{job}} {{instance}}"),
              alarm=0.2),
        graph("CPU", "Cores in use by each process.", "short",
              ('rate(process_cpu_seconds_total{job=~"steno-.+"}[$__rate_interval])',
               "{{job}} {{instance}}")),
        graph("Memory", "Resident memory of each process.", "bytes",
              ('process_resident_memory_bytes{job=~"steno-.+"}', "{{job}} {{instance}}")),
        graph("Memory pressure", "What gateways do for want of memory, of Redis or their machine:"
              " refuse sessions, hold audio back, warn, end sessions.", "short",
              ("sum by (state) (steno_gateway_memory_pressure)", "{{state}}")),
        graph("Memory left", "What each gateway may still use of its machine or group.", "bytes",
              ("steno_gateway_memory_available_bytes", "{{instance}}")),
        graph("Open files", "Share of the files and sockets that each process may open.",
              "percentunit",
              ('process_open_fds{job=~"steno-.+"} / process_max_fds', "{{job}} {{instance}}")),
    ),
)  # fmt: skip
