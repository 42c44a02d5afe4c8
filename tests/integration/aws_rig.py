"""Transcribers on the engine `aws`, with a fake of the service and a real Redis."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Rule
from tests.fake_transcribe.hearing import local_engine
from tests.fake_transcribe.server import FakeTranscribe, serve
from tests.fake_transcribe.service import Limits as ServiceLimits
from tests.fake_transcribe.service import Service
from tests.fake_transcribe.signing import DEFAULT
from tests.integration.transcriber_rig import Rig
from tests.redis_servers import RedisServer

from steno_common.messages import Final, Warned
from steno_common.store.limits import Limits
from steno_common.store.link import Link, open_link
from steno_transcriber import recognition as recognition_module
from steno_transcriber.engines import aws
from steno_transcriber.engines.base import StreamRules
from steno_transcriber.engines.numbers import phrase, silence
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings

PHRASES = ([1, 2, 3], [4, 5], [6, 7, 8, 9], [10, 11])
NUMBERS = [str(number) for each in PHRASES for number in each]
AUDIO = np.concatenate([part for each in PHRASES for part in (phrase(each), silence(16_000))])
PCM = AUDIO.astype("<i2").tobytes()
"""Some 6 s in four phrases, each with a pause of a second behind it."""

RULES = StreamRules(
    connect_seconds=4.0, finish_seconds=4.0, keep_alive_seconds=0.4, pace=8.0, tries=5
)
"""As those of the engine, but a test has less time."""
LIMITS = Limits(shards=4, lease_seconds=0.6)


class AwsRig(Rig):
    """Workers whose engine is the fake."""

    def __init__(
        self, link: Link, limits: Limits, recognition: Recognition, fake: FakeTranscribe
    ) -> None:
        super().__init__(link, limits, recognition)
        self.fake = fake

    async def transcribed(self, pcm: bytes = PCM, *, size: int = 3_200) -> tuple[str, int]:
        """Send a whole session and wait for its end."""
        held = await self.begin()
        async with self.worker():
            await self.send(held, pcm, size=size)
            await self.mark(held, "end")
            await self.ended(held)
        await self.check_accounts(held, len(pcm) // 2)
        return held

    async def words(self, held: tuple[str, int]) -> list[str]:
        return [word for text, _, _ in await self.finals(held) for word in text.split()]

    async def warnings(self, held: tuple[str, int]) -> list[str]:
        """Give the codes of what was told, but for how late text is: that is the machine's."""
        told = [event.code for event in await self.events(held) if isinstance(event, Warned)]
        return [code for code in told if code != "high_latency"]

    async def finals_of(self, held: tuple[str, int]) -> list[Final]:
        return [event for event in await self.events(held) if isinstance(event, Final)]

    async def check_accounts(self, held: tuple[str, int], samples: int) -> None:
        snapshot = await self.sessions.snapshot(held[0])
        assert snapshot is not None
        assert snapshot.received == samples == snapshot.transcribed + snapshot.silence


def environment(fake_endpoint: str, ca_file: str) -> dict[str, str]:
    """Give what a transcriber needs to use the fake."""
    return {
        "AWS_ACCESS_KEY_ID": DEFAULT.key_id,
        "AWS_SECRET_ACCESS_KEY": DEFAULT.secret,
        "STENO_AWS_REGION": "us-east-1",
        "STENO_AWS_ENDPOINT": fake_endpoint,
        "STENO_AWS_CA_FILE": ca_file,
    }


@asynccontextmanager
async def aws_rig(
    redis: RedisServer,
    folder: Path,
    patched: pytest.MonkeyPatch,
    rules: Sequence[Rule] = (),
    *,
    idle_seconds: float = 10.0,
    limits: Limits = LIMITS,
    **stream_rules: float,
) -> AsyncIterator[AwsRig]:
    """Open everything but the workers."""
    # The numbers of the audio are no speech to a model, only loud.
    patched.setattr(recognition_module, "WITHOUT_MODEL", ("aws", "numbered"))
    patched.setattr(aws, "rules", lambda _settings: replace(RULES, **stream_rules))
    async with local_engine(RecognitionSettings(engine="numbered")) as listen:
        service = Service(listen=listen, limits=ServiceLimits(idle_seconds=idle_seconds))
        service.rules = rules
        async with serve(service, Authority(folder / "ca.pem")) as fake:
            for name, value in environment(fake.endpoint, fake.ca_file).items():
                patched.setenv(name, value)
            async with (
                open_link(redis.url) as link,
                open_recognition(RecognitionSettings(engine="aws")) as recognition,
            ):
                yield AwsRig(link, limits, recognition, fake)
