"""The way of spans to an OpenTelemetry collector: a bounded queue with a thread of its own."""

import logging
import threading
from collections.abc import Sequence
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Sampler
from opentelemetry.trace import Tracer

from steno_common.telemetry import release

log = logging.getLogger(__name__)

QUEUE_SPANS: Final = 2048
"""That wait for the collector; then the oldest are dropped."""
BATCH_SPANS: Final = 512
DELAY_MS: Final = 5_000
"""Between two requests to the collector."""
EXPORT_SECONDS: Final = 5.0
CLOSE_SECONDS: Final = 1.5
LONGEST_VALUE: Final = 64
"""Characters of a value: the longest word that stands in a span is shorter."""


class _Telling(SpanExporter):
    """Says once that spans are lost, once that they are no more."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._taken = True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans, in the thread of the exporter."""
        result = self._exporter.export(spans)
        taken = result is SpanExportResult.SUCCESS
        if self._taken and not taken:
            log.warning("the collector takes no traces; they are lost until it does")
        elif taken and not self._taken:
            log.info("the collector takes traces again")
        self._taken = taken
        return result

    def shutdown(self) -> None:
        """Send no more."""
        self._exporter.shutdown()


class Export:
    """Spans of one process on their way; whoever ends a span waits for nothing."""

    def __init__(self, service: str, endpoint: str) -> None:
        # It would repeat itself with every batch that a dead collector does not take.
        logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)
        sending = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", timeout=EXPORT_SECONDS)
        self._processor = BatchSpanProcessor(
            _Telling(sending), max_queue_size=QUEUE_SPANS, schedule_delay_millis=DELAY_MS,
            max_export_batch_size=BATCH_SPANS,
        )  # fmt: skip
        self._resource = Resource.create(
            {"service.name": f"steno-{service}", "service.version": release()}
        )

    def tracer(self, sampler: Sampler) -> Tracer:
        """Give what makes spans."""
        provider = TracerProvider(
            sampler, self._resource, shutdown_on_exit=False,
            span_limits=SpanLimits(max_attribute_length=LONGEST_VALUE),
        )  # fmt: skip
        provider.add_span_processor(self._processor)
        return provider.get_tracer("steno")

    def close(self) -> None:
        """Send what is left, for two seconds at most."""
        # The library would wait for a collector that does not answer for half a minute.
        closing = threading.Thread(target=self._processor.shutdown, name="last traces", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)
