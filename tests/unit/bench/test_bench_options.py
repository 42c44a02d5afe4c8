from pathlib import Path

import pytest
from bench.recognition.options import parse
from bench.recognition.windows import Group


def test_settings_of_steno_are_passed_on() -> None:
    asked = parse(["--window", "full", "--set", "STENO_PAUSE_SECONDS=0.4", "--set", "STENO_X="])
    assert asked.environment == {
        "STENO_ENGINE": "whisper",
        "STENO_WHISPER_WINDOW": "full",
        "STENO_PAUSE_SECONDS": "0.4",
        "STENO_X": "",
    }
    assert (asked.mode, asked.window, asked.models) == ("run", "full", ("fixture",))


def test_chunks_are_given_in_milliseconds() -> None:
    asked = parse(["--sessions", "3", "--seconds", "8", "--chunk-ms", "20", "--json", "x.json"])
    assert (asked.load.sessions, asked.load.seconds, asked.load.chunk) == (3, 8.0, 320)
    assert asked.json == Path("x.json")


def test_a_gpu_gets_a_ladder_of_the_fixture_and_all_shapes() -> None:
    asked = parse(["--gpu"])
    assert asked.mode == "ladder"
    assert asked.environment["STENO_DEVICE"] == "cuda"
    assert asked.models == (
        "fixture", "random:tiny", "random:base", "random:small", "random:medium",
        "random:large-v3", "random:large-v3-turbo",
    )  # fmt: skip


def test_the_limit_alone_takes_a_mix_of_windows() -> None:
    assert parse(["--limit-only"]).groups == (Group("partial", 6.0, 1.0),)
    asked = parse(["--limit-only", "--mix", "final:8=1,partial:4=1"])
    assert asked.groups == (Group("final", 8.0, 0.5), Group("partial", 4.0, 0.5))


@pytest.mark.parametrize(
    "wrong",
    [
        ["--set", "X=1"],
        ["--set", "STENO_X"],
        ["--model", "fixture", "--model", "random:tiny"],
        ["--mix", "last:6=1"],
        ["--ladder", "--saturate"],
    ],
)
def test_a_wrong_command_ends_with_2(wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(wrong)
