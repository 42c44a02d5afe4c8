"""Amazon Transcribe fails for good: what was finished is kept, the rest is told, nobody hangs."""

from pathlib import Path

import pytest
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, Rule, nth
from tests.integration.aws_rig import aws_rig
from tests.redis_servers import RedisServer

from steno_common.messages import Ended

# A service that takes all audio of two streams, says nothing of it and ends them in order has heard
# no word: that is silence, no failure. So `mute` and `end` are not here.
FOR_EVER = {
    **{
        f"refused with {name}": Behaviour(refuse=name)
        for name in (
            "BadRequestException",
            "ConflictException",
            "InternalFailureException",
            "LimitExceededException",
            "ServiceUnavailableException",
            "UnrecognizedClientException",
        )
    },
    **{
        f"{how.value} at once": Behaviour(failure=Failure(how))
        for how in (How.EXCEPTION, How.RESET, How.GOAWAY, How.DROP, How.STALL)
    },
    "never answered": Behaviour(no_headers=True),
}


@pytest.mark.parametrize("behaviour", FOR_EVER.values(), ids=FOR_EVER.keys())
async def test_what_was_finished_is_kept_and_the_rest_told_when_no_stream_lasts_any_more(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    one_phrase = Behaviour(failure=Failure(How.DROP, 2.0))
    rules = [nth(1, one_phrase), Rule(behaviour, first=2)]
    hurried = {"connect_seconds": 2.0, "finish_seconds": 2.0, "pace": 2.0, "tries": 2}
    async with aws_rig(redis_server, tmp_path, monkeypatch, rules, **hurried) as rig:
        # Ends, and accounts for every sample.
        held = await rig.transcribed()
        assert await rig.words(held) == ["1", "2", "3"]
        assert set(await rig.warnings(held)) == {"segment_skipped"}
        assert isinstance((await rig.events(held))[-1], Ended)


async def test_silence_alone_is_accounted_for_without_a_word_though_every_stream_is_refused(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = [Rule(Behaviour(refuse="BadRequestException"))]
    async with aws_rig(redis_server, tmp_path, monkeypatch, rules) as rig:
        held = await rig.transcribed(bytes(3 * 32_000))
        assert await rig.finals(held) == []
        assert await rig.warnings(held) == []
        assert rig.fake.journal.errors["BadRequestException"] == 1
