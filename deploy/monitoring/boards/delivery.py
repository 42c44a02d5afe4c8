"""The way of results back to clients."""

from typing import Final

from deploy.monitoring.panels import Board, graph, latency, per_second, quantile

DELIVERY: Final = Board(
    "steno-delivery",
    "Delivery",
    "How results find their way back to clients.",
    (
        graph("To the client", "From the making of a result until its client has it, 95 of 100.",
              "s", ("steno:delivery_seconds:p95", "{{kind}}")),
        graph("Median and slowest", "The same: the middle of all results, one in a hundred.", "s",
              *((quantile(share / 100, "steno_gateway_delivery_seconds"), f"p{share}")
                for share in (50, 99))),
        graph("Results", "Results that clients got, by kind.", "ops",
              (per_second("steno_gateway_delivery_seconds_count", "kind"), "{{kind}}")),
        graph("Doorbells", "Rings read by notifiers, and what is sent of them.", "ops",
              (per_second("steno_notifier_rings_total", "kind"), "read, {{kind}}"),
              (per_second("steno_notifier_published_total"), "sent"),
              (per_second("steno_notifier_heard_total"), "heard")),
        graph("Fan-out", "From the reading of a batch of rings until it is sent.", "s",
              *latency("steno_notifier_publish_seconds")),
        graph("Missed doorbells", "Events that only the sweep of a gateway found.", "ops",
              (per_second("steno_gateway_doorbell_missed_total"), "missed")),
        graph("Utterances", "Utterances closed.", "ops",
              (per_second("steno_aggregator_utterances_total"), "closed")),
        graph("Late closing", "From the moment an utterance could be closed until it was.", "s",
              *latency("steno_aggregator_close_lateness_seconds")),
    ),
)  # fmt: skip
