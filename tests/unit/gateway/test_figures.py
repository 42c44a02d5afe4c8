"""R2, metrics of a session: all of its list, as a client reads it."""

from dataclasses import replace

import msgspec
import pytest

from steno_common.measured import (
    GpuUse,
    Measured,
    Report,
    decode_measured,
    encode_measured,
)
from steno_common.messages import Prosody
from steno_gateway.domain.figures import (
    Counts,
    Figures,
    decode_figures,
    emotion_fields,
    encode_figures,
    metrics_fields,
)

COUNTS = Counts("s", chunks=60, done=50, heard=80_000, connections=2, final_latency_ms=420)
MEASURED = Measured(1_700_000_000_000, "w", Prosody(0.6, 1.2, 0.3), 0.87, 40, 0.91234, 0.6, 3, 1)
FIGURES = Figures(1_700_000_000_500, 640, 2, 4, 12.5, 81_000_000)
GPU = GpuUse("H200", 0.4321, 3_000_000_000, 150_000_000_000)
REPORT = Report(1, 1, strained=False, cpu_percent=150.0, memory_bytes=900_000_000, gpu=GPU)


def test_every_metric_of_the_list_is_there() -> None:
    assert metrics_fields(COUNTS, MEASURED, FIGURES, REPORT) == {
        "session_id": "s",
        "measured_at": "2023-11-14T22:13:20.500Z",
        "latency_ms": 640,
        "final_latency_ms": 420,
        "chunks_processed": 50,
        "chunks_pending": 10,
        "lost_chunks": 3,
        "refused_chunks": 2,
        "errors": 5,
        "connections": 2,
        "audio_quality": 0.87,
        "confidence": 0.912,
        "engine_share": 0.12,
        "gateway": {"cpu_percent": 12.5, "memory_mb": 81.0},
        "transcriber": {"cpu_percent": 150.0, "memory_mb": 900.0},
        "gpu": {
            "available": True, "name": "H200", "utilisation": 0.432,
            "memory_used_mb": 3000.0, "memory_total_mb": 150000.0,
        },
    }  # fmt: skip


def test_what_is_not_known_yet_is_said_to_be_unknown() -> None:
    counts = replace(COUNTS, chunks=0, done=0, heard=0, final_latency_ms=None)
    found = metrics_fields(counts, Measured(), Figures(), None)
    unknown = {name for name, value in found.items() if value is None}
    assert unknown == {
        "latency_ms", "final_latency_ms", "audio_quality", "confidence", "engine_share",
        "gateway", "transcriber",
    }  # fmt: skip
    assert found["gpu"] == {"available": False}
    assert metrics_fields(counts, Measured(), Figures(), msgspec.structs.replace(REPORT, gpu=None))[
        "gpu"
    ] == {"available": False}


@pytest.mark.parametrize("ago_ms", [0, 60_000])
def test_the_newest_emotion_is_told_while_it_is_fresh(ago_ms: int) -> None:
    assert emotion_fields(MEASURED, MEASURED.at_ms + ago_ms, 60.0) == {
        "emotion": {
            "volume": 0.6, "rate": 1.2, "energy": 0.3,
            "measured_at": "2023-11-14T22:13:20.000Z",
        }
    }  # fmt: skip


def test_an_emotion_that_is_older_or_was_not_measured_is_not_told() -> None:
    assert emotion_fields(MEASURED, MEASURED.at_ms + 60_001, 60.0) == {}
    assert emotion_fields(Measured(), 0, 60.0) == {}


def test_both_records_are_read_as_they_were_written_and_broken_ones_say_nothing() -> None:
    assert decode_figures(encode_figures(FIGURES)) == FIGURES
    assert decode_measured(encode_measured(MEASURED)) == MEASURED
    for broken in (b"", b"\xc1", b"\x81\xa5at_ms\xa1x"):
        assert decode_figures(broken) == Figures()
        assert decode_measured(broken) == Measured()
