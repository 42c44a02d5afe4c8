"""The transcriber service, wired."""

import logging
import re
import sys
from dataclasses import dataclass

from steno_common.errors import SettingsError
from steno_common.health import PORT_OFFSETS, serve_health
from steno_common.lifecycle import Lifecycle
from steno_common.logs import about
from steno_common.policy import NAME
from steno_common.settings import load
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.work import WorkStore
from steno_transcriber import metrics
from steno_transcriber.domain.capacity import Engine
from steno_transcriber.gpu import find_gpu
from steno_transcriber.load import LoadMeter
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings
from steno_transcriber.worker import Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TranscriberSettings:
    """What STENO_… may change of a worker."""

    host: str = "127.0.0.1"
    port: int = 8080
    """Of the gateway; a transcriber's health is on the next one."""
    max_worker_sessions: int = 128
    engine_name: str = ""
    """What policies call this worker's engine; empty: as STENO_ENGINE does."""
    engine_stay_seconds: float = 30.0
    """Shortest stay with an engine that is not the first choice, or away from one that failed."""

    def __post_init__(self) -> None:
        if self.engine_name and not re.match(NAME, self.engine_name):
            raise SettingsError(["STENO_ENGINE_NAME: not small letters, digits, . _ -, up to 32"])


async def serve(life: Lifecycle) -> None:
    """Transcribe until the process drains."""
    settings, limits = load(TranscriberSettings), load(Limits)
    recognition_settings = load(RecognitionSettings)
    port = settings.port + PORT_OFFSETS["transcriber"]
    meter = LoadMeter()
    async with (
        open_recognition(recognition_settings, meter.observe) as recognition,
        open_link(limits.redis_url, replicas=limits.replicas) as link,
        serve_health(life, settings.host, port),
    ):
        life.checks["redis"] = link.ping
        life.alive["engine"] = lambda: not recognition.hangs
        log.info("ready to transcribe", extra=about(engine=recognition.engine_name))
        metrics.PLACES.set(recognition.places)
        meter.engine = Engine(recognition.places, recognition.window_seconds)
        store = WorkStore(link, limits)
        most = min(settings.max_worker_sessions, recognition.max_sessions or sys.maxsize)
        worker = Worker(store, recognition, meter, most,
                        settings.engine_name, settings.engine_stay_seconds,
                        gpu=find_gpu(recognition_settings.device_index))  # fmt: skip
        metrics.ENGINE.info({"engine": worker.engine})
        await worker.run(life.draining)
