"""Redis, as Steno's own services see it."""

from typing import Final

from deploy.monitoring.panels import Board, graph, number, per_second, quantile

REDIS: Final = Board(
    "steno-redis",
    "Redis",
    "How full Redis is, whether it keeps its log, how fast it answers.",
    (
        number("Full", "Share of its memory that Redis uses; at 1 it takes no more audio.",
               "percentunit", "max(steno_redis_used_memory_ratio)", warn=0.7, alarm=0.85),
        number("Log is written", "1 while the last write to the append-only file succeeded.",
               "short", "min(steno_redis_aof_ok)", warn=1, alarm=1, low_is_bad=True),
        number("Log is kept", "1 while there is an append-only file; without it a crash loses"
               " sessions.", "short", "min(steno_redis_aof_enabled)"),
        number("Connections", "Connections to Redis.", "short", "max(steno_redis_clients)"),
        number("Replicas", "Replicas that follow.", "short", "max(steno_redis_replicas)"),
        number("Answers", "1 while Redis answers at least one service.", "short",
               'max(steno_ready{check="redis"})', warn=1, alarm=1, low_is_bad=True),
        graph("Memory", "Memory in use, with what may be used.", "bytes",
              ("max(steno_redis_used_memory_bytes)", "used"),
              ("max(steno_redis_memory_limit_bytes)", "limit")),
        graph("Round trips", "Round trips a second by script.", "ops",
              (per_second("steno_redis_round_trip_seconds_count", "script"), "{{script}}")),
        graph("Slow round trips", "99 of 100 round trips end within this time, by script.", "s",
              (quantile(0.99, "steno_redis_round_trip_seconds", "script"), "{{script}}")),
        graph("By service", "99 of 100 round trips of a service end within this time.", "s",
              (quantile(0.99, "steno_redis_round_trip_seconds", "job"), "{{job}}")),
        graph("Errors", "Failed calls; those that are unavailable are repeated.", "ops",
              (per_second("steno_redis_errors_total", "script", "code"), "{{script}} {{code}}")),
    ),
)  # fmt: skip
