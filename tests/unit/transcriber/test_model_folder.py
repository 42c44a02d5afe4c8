"""Where a Whisper model lies."""

import pytest

from steno_transcriber.engines.base import EngineUnavailable
from steno_transcriber.engines.model_folder import find_model


async def test_a_name_that_is_no_model_is_said() -> None:
    with pytest.raises(EngineUnavailable, match="Invalid model size 'tinier'"):
        await find_model("tinier", 30)


async def test_a_model_that_cannot_be_fetched_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(EngineUnavailable, match=r"LocalEntryNotFoundError|OfflineModeIsEnabled"):
        await find_model("steno/no-such-model", 30)


async def test_fetching_ends_with_its_bound() -> None:
    with pytest.raises(EngineUnavailable, match=r"not fetched within 0\.01 s"):
        await find_model("steno/no-such-model", 0.01)
