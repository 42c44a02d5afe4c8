"""The way of results back to clients, or on to other servers."""

from typing import Final

from deploy.monitoring.panels import Board, graph, latency, per_second, quantile

DELIVERY: Final = Board(
    "steno-delivery",
    "Delivery",
    "How results find their way back to clients, and on to other servers.",
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
        graph("To destinations", "From an event until its destination has it, 95 of 100.", "s",
              (quantile(0.95, "steno_notifier_delivery_seconds", "kind"), "{{kind}}")),
        graph("Tries", "Tries of deliveries, by what became of them.", "ops",
              (per_second("steno_notifier_tries_total", "kind", "outcome"), "{{kind}} {{outcome}}"),
              (per_second("steno_notifier_retries_total", "kind"), "{{kind}} tried before")),
        graph("Live partials to pipelines", "Partials sent, by what became of them.", "ops",
              (per_second("steno_notifier_pipeline_partials_total", "outcome"), "{{outcome}}")),
        graph("To be delivered", "Deliveries that are due, or in flight or put off.", "short",
              ("max by (state) (steno_notifier_deliveries)", "{{state}}")),
        graph("Overdue", "How long the oldest due delivery waits for a notifier.", "s",
              ("max(steno_notifier_overdue_seconds)", "oldest"), warn=5, alarm=30),
        graph("Dead letters", "Events that could not be delivered: those kept, new ones a second, "
              "those sent again, those that had no room.", "short",
              ("max(steno_notifier_letters)", "kept"),
              ("max(steno_notifier_letters_dropped)", "dropped so far"),
              (per_second("steno_notifier_dead_letters_total", "kind"), "{{kind}} new"),
              (per_second("steno_notifier_resent_total", "outcome"), "sent again, {{outcome}}")),
    ),
)  # fmt: skip
