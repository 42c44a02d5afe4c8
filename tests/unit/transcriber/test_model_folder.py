"""Where a Whisper model lies."""

import sys
from pathlib import Path

import pytest

from steno_transcriber.__main__ import main
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


def test_fetching_by_command_prints_the_folder_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["steno-transcriber", "fetch"])
    monkeypatch.setenv("STENO_WHISPER_MODEL", str(tmp_path))
    assert main() == 0
    assert capsys.readouterr().out == f"{tmp_path}\n"


def test_fetching_by_command_fails_for_a_model_that_is_nowhere(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["steno-transcriber", "fetch"])
    monkeypatch.setenv("STENO_WHISPER_MODEL", "tinier")
    assert main() == 1
    assert capsys.readouterr().err.startswith("tinier: ValueError: Invalid model size 'tinier'")
