"""The engine `aws` opens only where it can work, and says why it does not."""

from pathlib import Path

import pytest
from tests.unit.transcriber.streams_fake import FakeEngine

from steno_common.settings import load
from steno_transcriber.engines import aws
from steno_transcriber.engines.aws_settings import AwsSettings
from steno_transcriber.engines.base import EngineUnavailable, StreamEngine, StreamRules
from steno_transcriber.engines.choice import open_engine
from steno_transcriber.engines.scripted import ScriptedEngine
from steno_transcriber.recognition import open_recognition
from steno_transcriber.settings import RecognitionSettings

AWS = RecognitionSettings(engine="aws")


@pytest.fixture(autouse=True)
def unknown_to_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Take away what whoever runs the tests may have."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID",
                 "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):  # fmt: skip
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


async def test_without_a_region_it_does_not_open() -> None:
    with pytest.raises(EngineUnavailable, match="no region; set STENO_AWS_REGION"):
        async with open_engine(AWS):
            pass


async def test_without_credentials_it_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with pytest.raises(EngineUnavailable, match="no credentials of AWS"):
        async with open_engine(AWS):
            pass


async def test_without_an_sdk_it_does_not_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STENO_AWS_REGION", "eu-central-1")
    monkeypatch.setattr(aws, "SDKS", {"no_such_sdk": "nowhere"})
    with pytest.raises(EngineUnavailable, match=r"steno-transcriber\[aws\]"):
        async with open_engine(AWS):
            pass


async def test_certificates_that_cannot_be_read_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in (("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"),
                        ("STENO_AWS_REGION", "eu-central-1"),
                        ("STENO_AWS_CA_FILE", str(tmp_path / "missing.pem"))):  # fmt: skip
        monkeypatch.setenv(name, value)
    with pytest.raises(EngineUnavailable, match=r"missing\.pem"):
        async with open_engine(AWS):
            pass


async def test_a_process_has_places_for_as_many_sessions_as_the_engine_bears_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("STENO_AWS_REGION", "eu-central-1")
    monkeypatch.setenv("STENO_AWS_MAX_STREAMS", "7")
    async with open_recognition(AWS) as recognition:
        assert (recognition.engine_name, recognition.places) == ("aws", 7)
        assert (recognition.max_sessions, recognition.window_seconds) == (7, 0.0)
        assert not recognition.hangs


def test_limits_are_those_of_the_settings() -> None:
    settings = load(AwsSettings, {"STENO_AWS_PACE": "3", "STENO_AWS_MAX_STREAM_SECONDS": "60"})
    rules = aws.rules(settings)
    assert (rules.pace, rules.max_streams, rules.tries) == (3.0, 25, 5)
    assert rules.patience.stream == 60 * 16_000
    # The service ends a stream after 15 s without audio, and after 4 h of it.
    usual = StreamRules()
    assert usual.keep_alive_seconds < 15
    assert usual.patience.stream + usual.patience.grace <= 4 * 3_600 * 16_000


def test_a_stream_engine_is_told_from_a_window_engine() -> None:
    assert isinstance(FakeEngine(), StreamEngine)
    assert not isinstance(ScriptedEngine(), StreamEngine)
