"""Live sessions between Whisper and `aws`, whose fake listens with Whisper too: real processes."""

from pathlib import Path

import pytest
from bench.faults.book import read
from bench.faults.check import judge
from bench.faults.clips import MODEL, clips, sentences
from bench.faults.run import HISTORY
from tests.faults.engine_stage import CHUNK_SECONDS, SEED, changes, service, stage
from tests.integration.aws_rig import environment

from steno_transcriber.settings import RecognitionSettings

PARTIALS = 10.0
"""Seconds between two of them: none is needed, and on a slow machine they take time of finals."""
WHISPER = RecognitionSettings(
    engine="whisper", whisper_model=str(MODEL), partial_interval_seconds=PARTIALS
)
POLICY = {"STENO_ENGINES": "whisper,aws", "STENO_ENGINE_STAY_SECONDS": "3"}
HERE = {
    "STENO_ENGINE": "whisper",
    "STENO_WHISPER_MODEL": str(MODEL),
    "STENO_PARTIAL_INTERVAL_SECONDS": str(PARTIALS),
}
SERVICE = {"STENO_ENGINE": "aws", "STENO_AWS_CONNECT_SECONDS": "30", "STENO_AWS_TRIES": "50"}
"""It may be slow, and is never given up."""


@pytest.mark.timeout(900)
async def test_twenty_live_sessions_say_what_whisper_says_when_all_its_workers_are_killed(
    tmp_path: Path,
) -> None:
    everybody, known = range(20), clips()
    async with (
        service(tmp_path, WHISPER) as fake,
        stage(tmp_path, POLICY, WHISPER) as made,
    ):
        first = await made.staff("whisper", 2, **HERE)
        for number in everybody:
            made.talk(number, sentences(known, SEED, number, CHUNK_SECONDS))
        await made.are_with("whisper", everybody)
        await made.staff("aws", 2, **environment(fake.endpoint, fake.ca_file), **SERVICE)
        for part in first:
            await part.kill()
        await made.come_to("aws", everybody)
        # Who goes back needs room, and each has less of it the slower the machine is.
        await made.staff("whisper", 4, **HERE)
        await made.come_to("whisper", everybody, 300)
        made.enough.set()
    assert judge(read(tmp_path / HISTORY), silent_seconds=120.0) == 0
    assert min(changes(tmp_path)[number] for number in everybody) >= 2
