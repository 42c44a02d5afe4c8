"""Transcriber processes on the engine `aws`: one is killed in mid-stream, another goes on."""

import signal
from pathlib import Path

import pytest
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.hearing import local_engine
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Service
from tests.integration.aws_processes import LIMITS, transcriber
from tests.integration.aws_rig import NUMBERS, PCM
from tests.integration.transcriber_rig import Rig
from tests.redis_servers import RedisServer

from steno_common.messages import Ended
from steno_common.store.link import open_link
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings


async def test_nothing_is_lost_or_doubled_when_a_process_is_killed_in_mid_stream(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    local = RecognitionSettings(engine="numbered")
    async with (
        local_engine(local) as listen,
        serve(Service(listen=listen), Authority(tmp_path / "ca.pem")) as fake,
        open_link(redis_server.url) as link,
        open_recognition(local) as unused,
    ):
        rig = Rig(link, LIMITS, unused)
        held = await rig.begin()
        cut = 60_800  # in the middle of the second phrase: its stream is open when it comes
        async with transcriber(redis_server, fake) as first:
            next_number = await rig.send(held, PCM[:cut])

            async def in_mid_stream() -> bool:
                streams = fake.journal.streams
                return len(await rig.finals(held)) >= 1 and streams[-1].audio_bytes >= cut

            await rig.until(in_mid_stream)
            first.send_signal(signal.SIGKILL)
            assert await first.wait() == -signal.SIGKILL
        before = await rig.finals(held)
        async with transcriber(redis_server, fake):
            await rig.send(held, PCM[cut:], first=next_number)
            await rig.mark(held, "end")
            await rig.until(lambda: over(rig, held))
        finals = await rig.finals(held)
        assert finals[: len(before)] == before
        assert [word for text, _, _ in finals for word in text.split()] == NUMBERS
        snapshot = await rig.sessions.snapshot(held[0])
        assert snapshot is not None
        assert snapshot.received == len(PCM) // 2 == snapshot.transcribed + snapshot.silence


async def over(rig: Rig, held: tuple[str, int]) -> bool:
    return any(isinstance(event, Ended) for event in await rig.events(held))


@pytest.fixture(autouse=True)
def _no_other_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs the tests may be known to AWS."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
