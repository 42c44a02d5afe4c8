"""Sessions between an engine here and `aws`, which is a fake of the service: real processes."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from bench.faults.book import read
from bench.faults.launch import LOUD_VARIABLE
from bench.faults.rules import Violation, check
from bench.faults.run import HISTORY
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule
from tests.fake_transcribe.server import FakeTranscribe
from tests.faults.engine_stage import changes, service, stage
from tests.integration.aws_rig import environment

UNAVAILABLE = "ServiceUnavailableException"
SESSIONS = 8
"""Of those whose service fails; each has one stream until then."""
AT = 8.0
"""Seconds of audio behind which it does."""


def aws(fake: FakeTranscribe) -> dict[str, str]:
    """Give the settings of a transcriber that uses the fake."""
    return environment(fake.endpoint, fake.ca_file) | {"STENO_ENGINE": "aws", LOUD_VARIABLE: "aws"}


def broken(folder: Path) -> list[Violation]:
    """Give all promises that were not kept."""
    return check(read(folder / HISTORY), silent_seconds=120.0)


def at_once_and_then(how: How, after: Behaviour, name: str = UNAVAILABLE) -> list[Rule]:
    """Let the first stream of every session be lost, and no other last."""
    lost = Behaviour(failure=Failure(how, AT, name))
    return [Rule(lost, last=SESSIONS), Rule(after, first=SESSIONS + 1)]


FAILURES = {
    "LimitExceeded before the stream": [Rule(Behaviour(refuse="LimitExceededException"))],
    "ServiceUnavailable in mid-stream": at_once_and_then(
        How.EXCEPTION, Behaviour(refuse=UNAVAILABLE)
    ),
    "dropped in mid-stream": at_once_and_then(How.DROP, Behaviour(failure=Failure(How.DROP))),
    "no connection": (),
}


@pytest.mark.parametrize(("failure", "rules"), FAILURES.items(), ids=FAILURES.keys())
async def test_no_word_is_lost_or_doubled_when_aws_fails_and_an_engine_here_goes_on(
    tmp_path: Path, failure: str, rules: Sequence[Rule]
) -> None:
    everybody = range(SESSIONS)
    settings = {"STENO_ENGINES": "aws,numbered", "STENO_ENGINE_STAY_SECONDS": "600"}
    async with AsyncExitStack() as running, stage(tmp_path, settings) as made:
        fake = await running.enter_async_context(service(tmp_path))
        fake.service.rules = rules
        await made.staff("numbered", 1)
        await made.staff("aws", 1, **aws(fake))
        for number in everybody:
            made.visit(number, seconds=30)
        if not rules:
            await made.are_with("aws", everybody)
            await running.aclose()
        await made.are_with("numbered", everybody)
    assert broken(tmp_path) == []
    assert len(fake.journal.streams) > (2 if failure.startswith("Limit") else SESSIONS) or not rules
    told = changes(tmp_path)
    assert all(told[number] <= 1 for number in everybody)
    # Where `aws` has said nothing there is no change, but silence may have been its own.
    spoke = [stream for stream in fake.journal.streams[:SESSIONS] if stream.sent]
    assert told.total() >= (len(spoke) if rules else SESSIONS)
    assert spoke or failure == "LimitExceeded before the stream"
