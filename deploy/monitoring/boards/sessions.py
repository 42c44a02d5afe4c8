"""Clients: who is connected, what they send, what they are told."""

from typing import Final

from deploy.monitoring.panels import Board, graph, latency, per_second, quantile

SESSIONS: Final = Board(
    "steno-sessions",
    "Sessions",
    "Who is connected, what they send, what they are told, how sessions end.",
    (
        graph("Live sessions", "Sessions of the installation by state.", "short",
              ("max by (state) (steno_sessions)", "{{state}}")),
        graph("Connections", "Connections that hold a session, with the most that may.", "short",
              ("sum(steno_gateway_sessions)", "connections"),
              ("sum(steno_gateway_sessions_limit)", "limit")),
        graph("Listeners", "Listeners by the way they are connected.", "short",
              ("sum by (transport) (steno_gateway_listeners)", "{{transport}}")),
        graph("Chunks", "Chunks of audio by what became of them; all but few are stored.", "ops",
              (per_second("steno_gateway_chunks_total", "result"), "{{result}}")),
        graph("Append", "From a chunk's acceptance to its acknowledgement by Redis.", "s",
              *latency("steno_gateway_append_seconds")),
        graph("Queued audio", "Audio that gateways hold because Redis has not taken it yet.",
              "bytes", ("sum by (instance) (steno_gateway_queued_bytes)", "{{instance}}")),
        graph("Requests", "Requests by class of status.", "ops",
              (per_second("steno_gateway_requests_total", "status"), "{{status}}")),
        graph("Slow requests", "95 of 100 requests are answered within this time.", "s",
              (quantile(0.95, "steno_gateway_request_seconds", "route"), "{{route}}")),
        graph("Errors", "Errors told to clients by code; most are faults of the client.", "ops",
              (per_second("steno_gateway_errors_total", "code"), "{{code}}")),
        graph("Ends", "Sessions that came to an end.", "ops",
              (per_second("steno_aggregator_sessions_total", "outcome"), "{{outcome}}")),
        graph("Restored", "Sessions that Redis had lost, brought back by their clients.", "ops",
              (per_second("steno_gateway_sessions_restored_total"), "restored")),
        graph("Saving", "Time to compose and save a transcript.", "s",
              *latency("steno_aggregator_save_seconds")),
        graph("Failed steps", "Steps of the aggregator that failed and are tried again.", "ops",
              (per_second("steno_aggregator_failures_total", "step"), "{{step}}")),
    ),
)  # fmt: skip
