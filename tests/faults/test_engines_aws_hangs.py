"""Sessions while `aws` hangs for all of them, and once it answers again: real processes."""

import asyncio
from collections.abc import Sequence
from itertools import count
from pathlib import Path

import aiohttp
import pytest
from tests.fake_transcribe.behaviours import Behaviour, Rule
from tests.faults.engine_stage import Stage, stage
from tests.faults.test_engines_aws import aws, broken, service

SETTINGS = {"STENO_ENGINES": "aws,numbered", "STENO_ENGINE_STAY_SECONDS": "3"}


async def spoken(made: Stage, numbers: Sequence[int]) -> set[str | None]:
    """Wait until all these sessions have text; gives the engines that it is from."""
    while True:
        try:
            found = await made.engines(numbers)
        except (aiohttp.ClientError, TimeoutError):
            continue
        if found["aws"] + found["numbered"] == len(numbers):
            return set(found)
        await asyncio.sleep(0.2)


@pytest.mark.timeout(600)
async def test_sessions_begin_elsewhere_while_aws_hangs_and_with_it_when_it_answers_again(
    tmp_path: Path,
) -> None:
    async with service(tmp_path) as fake, stage(tmp_path, SETTINGS) as made:
        fake.service.rules = [Rule(Behaviour(no_headers=True))]
        await made.staff("numbered", 1)
        await made.staff("aws", 1, STENO_AWS_CONNECT_SECONDS="3", **aws(fake))
        for number in range(6):
            made.visit(number, seconds=15)
        async with asyncio.timeout(300):
            assert await spoken(made, range(6)) == {"numbered"}
            fake.service.rules = ()
            for number in count(6):  # one of them comes when a probe is due
                made.visit(number, seconds=6)
                if await spoken(made, [number]) == {"aws"}:
                    break
    assert broken(tmp_path) == []
