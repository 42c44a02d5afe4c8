"""The direct command."""

import json
import sys
from pathlib import Path

import pytest
from tests.unit.transcriber.sound import SHARED, loud, quiet, sound, word_errors

from steno_audio import wav_bytes
from steno_transcriber.__main__ import main
from steno_transcriber.engines.scripted import spoken

AUDIO = SHARED / "audio"
PREAMBLE = "and so my fellow americans ask not what your country can do for you ask what you can "
PREAMBLE += "do for your country"
DASHWOOD = "and mister john dashwood had then leisure to consider how much there might be prudently"
DASHWOOD += " in his power to do for them"
LIMITS = {
    # Word errors of pocketsphinx on the whole file at once.
    "jfk.flac": (PREAMBLE, 5),
    "jfk.mp3": (PREAMBLE, 4),
    "librivox-0870.wav": (DASHWOOD, 8),
    "librivox-0880.wav": ("he was not an ill disposed young man", 3),
    "librivox-0890.wav": (
        "unless to be rather cold hearted and rather selfish is to be ill disposed",
        4,
    ),
}


@pytest.fixture
def two_utterances(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STENO_ENGINE", "scripted")
    path = tmp_path / "two.wav"
    speech = sound(loud(16_384), quiet(24_576), loud(16_384, 2), quiet(73_728), loud(16_384, 3))
    path.write_bytes(wav_bytes(speech.tobytes()))
    return path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["steno-transcriber", *arguments])
    return main()


def test_each_utterance_is_a_line(
    two_utterances: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "recognise", str(two_utterances)) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert len(first.split()) > len(second.split()) >= 5
    assert run(monkeypatch, "recognise", str(two_utterances)) == 0
    assert capsys.readouterr().out.splitlines() == [first, second]
    monkeypatch.setenv("STENO_SILENCE_SECONDS", "9")
    assert run(monkeypatch, "recognise", str(two_utterances)) == 0
    assert capsys.readouterr().out == f"{first} {second}\n"


def test_json_tells_words_and_times_in_seconds(
    two_utterances: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "recognise", "--json", str(two_utterances)) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["file"], said["duration"], said["complete"]) == (str(two_utterances), 9.216, True)
    first, second = said["utterances"]
    assert (first["start"], first["end"], len(first["finals"])) == (0.0, 3.59, 2)
    assert (second["start"], second["end"]) == (8.188, 9.216)
    final = first["finals"][0]
    assert final["text"] == " ".join(word["text"] for word in final["words"])
    assert final["words"][1]["start"] == 0.2
    assert set(final) == {"text", "start", "end", "confidence", "language", "words"}


def test_a_file_that_is_no_audio_does_not_keep_the_others_from_being_recognised(
    two_utterances: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    assert run(monkeypatch, "recognise", str(broken), str(two_utterances)) == 1
    out, err = capsys.readouterr()
    assert err.startswith(f"{broken}: ")
    assert out.splitlines()[0] == f"# {two_utterances}"
    assert len(out.splitlines()) == 3


def test_settings_that_cannot_be_used_are_named(
    two_utterances: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STENO_ENGINE", "psychic")
    assert run(monkeypatch, "recognise", str(two_utterances)) == 2
    assert "STENO_ENGINE" in capsys.readouterr().err


def test_other_arguments_are_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "transcribe") == 2
    assert "usage" in capsys.readouterr().err


def test_scripted_words_follow_from_the_audio() -> None:
    from steno_transcriber.domain.hypothesis import Window  # noqa: PLC0415

    whole = spoken(Window(loud(16_000)))
    begun = spoken(Window(loud(16_000)[:6_400], final=False))
    assert whole.words[:2] == begun.words
    assert len(whole.words) == 5
    assert spoken(Window(sound(quiet(0)))).words == ()


@pytest.mark.skipif(not AUDIO.exists(), reason=f"no recordings of speech under {AUDIO}")
def test_recordings_are_recognised_no_worse_than_by_the_plain_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STENO_ENGINE", "pocketsphinx")
    files = [str(AUDIO / name) for name in LIMITS]
    assert run(monkeypatch, "recognise", "--json", *files) == 0
    for line in capsys.readouterr().out.splitlines():
        said = json.loads(line)
        reference, limit = LIMITS[Path(said["file"]).name]
        text = " ".join(utterance["text"] for utterance in said["utterances"])
        assert word_errors(reference, text) <= limit, said["file"]
