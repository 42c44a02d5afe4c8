"""R1 and R3 of Amazon Transcribe: what goes over its wire, and what a client is told."""

import asyncio
from pathlib import Path

import pytest
from tests.fake_transcribe.behaviours import Behaviour, Failure, How, nth
from tests.integration.aws_rig import NUMBERS, PCM, aws_rig
from tests.redis_servers import RedisServer

from steno_common.messages import Partial, Session
from steno_common.store.work import WorkStore


async def test_the_stream_is_opened_on_the_first_audio(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R1: stream opened on the first audio, audio events sent as they come, results handled."""
    async with aws_rig(redis_server, tmp_path, monkeypatch) as rig:
        held = await rig.begin()
        async with rig.worker():
            await asyncio.sleep(0.3)
            assert rig.fake.journal.streams == []
            number = await rig.send(held, PCM[:6_400])

            async def opened() -> bool:
                streams = rig.fake.journal.streams
                return bool(streams) and streams[0].audio_bytes == 6_400

            await rig.until(opened)
            await rig.send(held, PCM[6_400:], first=number)

            async def told() -> bool:
                return len(await rig.finals(held)) >= 3

            await rig.until(told)  # although the session goes on
            await rig.mark(held, "end")
            await rig.ended(held)
        (stream,) = rig.fake.journal.streams
        assert stream.end_of_audio == "envelope"
        assert await rig.words(held) == NUMBERS


async def test_a_lost_stream_is_opened_again_and_its_audio_sent_again(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: engine stream lost: reopened, chunk sent again, session goes on."""
    rules = [nth(1, Behaviour(failure=Failure(How.RESET, 2.5)))]
    async with aws_rig(redis_server, tmp_path, monkeypatch, rules) as rig:
        rig.fake.service.keep_audio = True
        held = await rig.transcribed()
        assert await rig.words(held) == NUMBERS
        first, second = rig.fake.journal.streams
        assert first.kept is not None
        assert second.kept is not None
        # The second begins at a border within what the first one got, and has all that follows.
        assert PCM.endswith(bytes(second.kept))
        assert len(PCM) - len(second.kept) < len(first.kept)


async def test_partials_are_stabilised_as_highly_as_can_be(
    redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R3: partial results with stability, stabilisation `high`."""
    async with aws_rig(redis_server, tmp_path, monkeypatch) as rig:
        seen: list[float] = []

        async def publish(_store: WorkStore, _session_id: str, partial: Partial) -> None:
            seen.append(partial.stability)

        monkeypatch.setattr(WorkStore, "publish", publish)
        await rig.transcribed()
        (stream,) = rig.fake.journal.streams
        assert stream.parameters is not None
        assert stream.parameters.stability == "high"
        assert any(0 < stability <= 1 for stability in seen)


@pytest.mark.parametrize(
    ("language", "asked"),
    [
        ("es-ES", {"language-code": "es-es"}),
        ("de", {"language-code": "de-de"}),
        (None, {"identify-language": "true"}),
        ("multi", {"identify-multiple-languages": "true"}),
    ],
)
async def test_several_languages_are_asked_for_as_the_service_wants(
    redis_server: RedisServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    language: str | None,
    asked: dict[str, str],
) -> None:
    """R3: several languages."""
    async with aws_rig(redis_server, tmp_path, monkeypatch) as rig:
        made = Session

        def with_language(*arguments: object, **named: object) -> Session:
            return made(*arguments, language=language, **named)  # type: ignore[arg-type]

        monkeypatch.setattr("tests.integration.transcriber_rig.Session", with_language)
        held = await rig.transcribed()
        (stream,) = rig.fake.journal.streams
        assert stream.parameters is not None
        given = {k: v.lower() for k, v in (stream.parameters.given or {}).items()}
        assert asked.items() <= given.items()
        if "language-code" not in asked:
            assert given["language-options"] == "en-us,es-us,fr-fr,de-de,pt-br"
            assert {final.language for final in await rig.finals_of(held)} == {"en"}
