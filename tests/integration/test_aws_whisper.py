"""Whisper behind the fake of the service, alone or where a Whisper here dies, says the same."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.hearing import heard_by
from tests.fake_transcribe.server import FakeTranscribe, serve
from tests.fake_transcribe.service import Service
from tests.integration.aws_processes import LIMITS, transcriber
from tests.integration.transcriber_rig import Rig
from tests.redis_servers import RedisServer

from steno_audio import decode_file
from steno_common.messages import Ended, Warned
from steno_common.store.link import open_link
from steno_transcriber.domain.samples import from_bytes
from steno_transcriber.recognise import Heard
from steno_transcriber.recognition import Recognition, open_recognition
from steno_transcriber.settings import RecognitionSettings

FIXTURE = Path(__file__).parents[1] / "data" / "tiny_whisper"
MODEL = str(FIXTURE / "model")
CLIPS = ("sentence_1", "sentence_4", "sentence_2", "command_1", "sentence_3")
"""Read alike with and without the text before as a prompt, which no service is given."""
PAUSE = bytes(2 * 16_000)
"""A second, which ends a segment."""


def talk() -> bytes:
    return b"".join(
        b"".join(decode_file(str(FIXTURE / "heldout" / f"{name}.flac"))) + PAUSE for name in CLIPS
    )


async def said_alone(recognition: Recognition, pcm: bytes) -> list[str]:
    """Give the words of Whisper on this machine alone."""
    heard = Heard()
    recogniser = recognition.recogniser("alone", heard.take)
    await recogniser.feed(from_bytes(pcm))
    await recogniser.flush()
    await recogniser.aclose()
    return " ".join(final.text for final in heard.finals).split()


@dataclass
class Stage:
    """A session's store with the fake, and what it should say."""

    rig: Rig
    fake: FakeTranscribe
    words: list[str]

    async def is_over(self, held: tuple[str, int]) -> bool:
        return any(isinstance(event, Ended) for event in await self.rig.events(held))

    async def check(self, held: tuple[str, int], samples: int) -> None:
        """All words are those of the engine alone, once, in order; no sample is missing."""
        finals = await self.rig.finals(held)
        assert [word for text, _, _ in finals for word in text.split()] == self.words
        assert all(first[2] <= second[1] for first, second in pairwise(finals))
        snapshot = await self.rig.sessions.snapshot(held[0])
        assert snapshot is not None
        assert snapshot.received == samples == snapshot.transcribed + snapshot.silence


@asynccontextmanager
async def stage(redis: RedisServer, folder: Path, pcm: bytes) -> AsyncIterator[Stage]:
    async with (
        open_recognition(RecognitionSettings(engine="whisper", whisper_model=MODEL)) as whisper,
        serve(Service(listen=heard_by(whisper)), Authority(folder / "ca.pem")) as fake,
        open_link(redis.url) as link,
    ):
        rig = Rig(link, LIMITS, whisper)
        words = await said_alone(whisper, pcm)
        assert len(words) > 10
        yield Stage(rig, fake, words)


async def test_words_go_on_as_whisper_alone_says_them_when_it_dies_and_aws_takes_over(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    pcm = talk()
    async with stage(redis_server, tmp_path, pcm) as made:
        rig = made.rig
        held, through = await rig.begin("whisper", "aws"), await rig.begin("aws")
        await rig.send(through, pcm)
        await rig.mark(through, "end")

        async def whisper_spoke() -> bool:
            snapshot = await rig.sessions.snapshot(held[0])
            return snapshot is not None and snapshot.engine == "whisper"

        cut = len(pcm) // 2 // 3_200 * 3_200
        local = {"STENO_ENGINE": "whisper", "STENO_WHISPER_MODEL": MODEL}
        async with transcriber(redis_server, made.fake, **local) as first:
            next_number = await rig.send(held, pcm[:cut])
            await rig.until(whisper_spoke, 200)
            async with transcriber(redis_server, made.fake):
                first.send_signal(signal.SIGKILL)
                assert await first.wait() == -signal.SIGKILL
                await rig.send(held, pcm[cut:], first=next_number)
                await rig.mark(held, "end")
                for each in (held, through):
                    await rig.until(partial(made.is_over, each), 200)
        await made.check(through, len(pcm) // 2)
        await made.check(held, len(pcm) // 2)
        warned = [event.code for event in await rig.events(held) if isinstance(event, Warned)]
        # It may be told beside that text is late: it was all sent at once.
        assert [code for code in warned if code != "high_latency"] == ["engine_changed"]


@pytest.fixture(autouse=True)
def _no_other_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs the tests may be known to AWS."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
