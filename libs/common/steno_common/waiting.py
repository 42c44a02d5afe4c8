"""The figures to scale transcribers on, which several services count their part of."""

from typing import Final

from prometheus_client import Gauge

WAITING: Final = Gauge(
    "steno_audio_waiting_seconds",
    "Audio that waits to be decoded: held by a transcriber, unclaimed by all of them",
    ["where"],
)
OLDEST: Final = Gauge(
    "steno_audio_oldest_seconds",
    "How late the oldest audio is: held by a transcriber, unclaimed by all of them",
    ["where"],
)
