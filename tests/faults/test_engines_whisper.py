"""Live sessions between Whisper and `aws`, whose fake listens with Whisper too: real processes."""

from pathlib import Path

import pytest
from bench.faults.book import read
from bench.faults.check import judge
from bench.faults.clips import MODEL, clips, sentences
from bench.faults.run import HISTORY
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.hearing import local_engine
from tests.fake_transcribe.server import serve
from tests.fake_transcribe.service import Service
from tests.faults.engine_stage import CHUNK_SECONDS, SEED, changes, stage
from tests.integration.aws_rig import environment

from steno_transcriber.settings import RecognitionSettings

WHISPER = RecognitionSettings(engine="whisper", whisper_model=str(MODEL))
POLICY = {"STENO_ENGINES": "whisper,aws", "STENO_ENGINE_STAY_SECONDS": "3"}
HERE = {"STENO_ENGINE": "whisper", "STENO_WHISPER_MODEL": str(MODEL)}


@pytest.mark.timeout(600)
async def test_live_sessions_go_on_with_aws_when_all_workers_of_whisper_are_killed_and_back(
    tmp_path: Path,
) -> None:
    everybody, known = range(20), clips()
    async with (
        local_engine(WHISPER) as listen,
        serve(Service(listen=listen), Authority(tmp_path / "ca.pem")) as fake,
        stage(tmp_path, POLICY, WHISPER, repeatable=False) as made,
    ):
        service = environment(fake.endpoint, fake.ca_file) | {"STENO_ENGINE": "aws"}
        first = await made.staff("whisper", 2, **HERE)
        await made.staff("aws", 2, **service)
        for number in everybody:
            made.talk(number, sentences(known, SEED, number, CHUNK_SECONDS))
        await made.are_with("whisper", everybody, 100)
        assert fake.journal.streams == []
        for part in first:
            await part.kill()
        await made.are_with("aws", everybody, 100)
        await made.staff("whisper", 2, **HERE)
        await made.are_with("whisper", everybody, 200)
        made.enough.set()
    assert judge(read(tmp_path / HISTORY), silent_seconds=30.0) == 0
    told = changes(tmp_path)
    assert {number: told[number] for number in everybody} == dict.fromkeys(everybody, 2)
    assert fake.journal.signature_failures == fake.journal.errors.total() == 0
