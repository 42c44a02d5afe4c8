"""The successor of Amazon's client library, which spells much differently, works with the fake.

Both want another version of the same library below them, so it is installed beside this Python.
"""

import asyncio
import json
import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from tests.fake_transcribe.authority import Authority
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, nth
from tests.fake_transcribe.hearing import Line, local_engine, scripted
from tests.fake_transcribe.server import FakeTranscribe, serve
from tests.fake_transcribe.service import Service

from steno_transcriber.engines.numbers import phrase, silence
from steno_transcriber.settings import RecognitionSettings

PYTHON = os.environ.get("STENO_TEST_TRANSCRIBE_PYTHON", "")
"""A Python with aws-sdk-transcribe-streaming and smithy-http[awscrt]; it must be 3.12 or later."""

CLIENT = Path(__file__).with_name("successor_client.py")
NUMBERED = RecognitionSettings(engine="numbered")
AUDIO = (
    np.concatenate((phrase(range(1, 8)), silence(16_000), phrase(range(8, 12)), silence(4_000)))
    .astype("<i2")
    .tobytes()
)

pytestmark = pytest.mark.skipif(
    not PYTHON, reason="STENO_TEST_TRANSCRIBE_PYTHON names no Python with the newer library"
)


async def transcribed(fake: FakeTranscribe, **parameters: Any) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        *(PYTHON, str(CLIENT), fake.endpoint, fake.ca_file),
        *(f"{name}={json.dumps(value)}" for name, value in parameters.items()),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    try:
        said, _ = await asyncio.wait_for(process.communicate(AUDIO), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    answer: dict[str, Any] = json.loads(said)
    return answer


async def test_its_streams_are_verified_and_transcribed(authority: Authority) -> None:
    session = str(uuid4())
    async with local_engine(NUMBERED) as listen, serve(Service(listen=listen), authority) as fake:
        answer = await transcribed(
            fake, session_id=session, enable_partial_results_stabilization=True
        )
    assert answer["texts"] == ["1 2 3 4 5 6 7", "8 9 10 11"]
    assert answer["session"] == session
    assert answer["partial"] >= 2
    (stream,) = fake.journal.streams
    assert (stream.outcome, stream.end_of_audio) == ("done", "envelope")
    assert stream.parameters is not None
    assert stream.parameters.stability == "high"
    assert fake.journal.signature_failures == 0


async def test_its_exceptions_are_told_before_the_stream_and_in_it(authority: Authority) -> None:
    failure = Failure(How.EXCEPTION, 1.0, "LimitExceededException", "enough")
    rules = [
        nth(1, Behaviour(refuse="ServiceUnavailableException")),
        nth(2, Behaviour(failure=failure)),
    ]
    service = Service(listen=scripted(Line("one", at=0.5)), rules=rules)
    async with serve(service, authority) as fake:
        answers = [
            await transcribed(fake),
            await transcribed(fake),
            await transcribed(fake, media_sample_rate_hertz=1),
        ]
    assert [answer["error"] for answer in answers] == [
        "ServiceUnavailableException",
        "LimitExceededException",
        "BadRequestException",
    ]
    assert answers[1]["message"] == "enough"
