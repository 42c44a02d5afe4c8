"""The metrics of one session, as its client reads them."""

from dataclasses import dataclass
from typing import Final

import msgspec

from steno_common.measured import GpuUse, Measured, Report
from steno_common.public import Json, iso, probability, prosody_fields
from steno_common.units import SAMPLE_RATE

_MEGABYTE: Final = 1_000_000


class Figures(msgspec.Struct, frozen=True):
    """What a gateway measures of a connection; fields may be added with a default."""

    at_ms: int = 0
    latency_ms: int | None = None
    """Of the newest partial: from the receipt of a chunk until its words were sent."""
    refused_chunks: int = 0
    errors: int = 0
    """Told to the client."""
    cpu_percent: float = 0.0
    """Of the gateway, of one core."""
    memory_bytes: int = 0
    """Of the gateway."""


_NONE: Final = Figures()
_decoder = msgspec.msgpack.Decoder(Figures)


def encode_figures(figures: Figures) -> bytes:
    """Give the form in the session's hash."""
    return msgspec.msgpack.encode(figures)


def decode_figures(payload: bytes) -> Figures:
    """Read what a gateway has written; nothing, or of an unknown version, says nothing."""
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _NONE


@dataclass(frozen=True, slots=True)
class Counts:
    """What the store counts of a session."""

    session_id: str
    chunks: int
    done: int
    heard: int
    """Samples that are transcribed or silent."""
    connections: int
    final_latency_ms: int | None
    """Mean; None before the first final."""


def metrics_fields(
    counts: Counts, measured: Measured, figures: Figures, report: Report | None
) -> Json:
    """Give `server:metrics` without its type; `report` is of the transcriber, if there is one."""
    heard = counts.heard / SAMPLE_RATE
    known = figures.at_ms > 0
    return {
        "session_id": counts.session_id,
        "measured_at": iso(max(measured.at_ms, figures.at_ms)),
        "latency_ms": figures.latency_ms,
        "final_latency_ms": counts.final_latency_ms,
        "chunks_processed": counts.done,
        "chunks_pending": counts.chunks - counts.done,
        "lost_chunks": measured.lost_chunks,
        "refused_chunks": figures.refused_chunks,
        "errors": figures.errors + measured.failures,
        "connections": counts.connections,
        "audio_quality": measured.quality,
        "confidence": probability(measured.confidence) if measured.words else None,
        "engine_share": round(measured.engine_seconds / heard, 4) if heard else None,
        "gateway": _process(figures.cpu_percent, figures.memory_bytes) if known else None,
        "transcriber": _process(report.cpu_percent, report.memory_bytes) if report else None,
        "gpu": _gpu(report.gpu if report else None),
    }


def emotion_fields(measured: Measured, now_ms: int, ttl_seconds: float) -> Json:
    """Give `emotion` while it is fresh, else nothing."""
    fields = prosody_fields(measured.prosody)
    if fields is None or now_ms - measured.at_ms > ttl_seconds * 1000:
        return {}
    return {"emotion": {**fields, "measured_at": iso(measured.at_ms)}}


def _process(cpu_percent: float, memory_bytes: int) -> Json:
    return {"cpu_percent": cpu_percent, "memory_mb": round(memory_bytes / _MEGABYTE, 1)}


def _gpu(gpu: GpuUse | None) -> Json:
    if gpu is None:
        return {"available": False}
    return {
        "available": True,
        "name": gpu.name,
        "utilisation": round(gpu.utilisation, 3),
        "memory_used_mb": round(gpu.used_bytes / _MEGABYTE, 1),
        "memory_total_mb": round(gpu.total_bytes / _MEGABYTE, 1),
    }
