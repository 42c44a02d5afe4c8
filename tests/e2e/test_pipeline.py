"""The whole pipeline with real processes, real Redis, the real embedded engine."""

import json
import os
import signal
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import srt
import webvtt
from tests.e2e.machine import SAMPLES, SPEECH, Machine, printed, recognised, running, steno

HELLO = SAMPLES / "hello.wav"
THREE = SAMPLES / "three-utterances.flac"
RECORDINGS = ("jfk.flac", "jfk.mp3", "librivox-0870.wav", "librivox-0880.wav", "librivox-0890.wav")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(tmp_path_factory.mktemp("machine")) as machine:
        yield machine


def recording(name: str) -> Path:
    path = SPEECH / name
    if not path.exists():
        pytest.skip(f"needs the recording {name}, which is not part of the project")
    return path


def fetched(machine: Machine, path: str) -> bytes:
    with urllib.request.urlopen(machine.url + path, timeout=60) as answer:
        return bytes(answer.read())


def document(machine: Machine, path: Path, *options: str) -> dict[str, object]:
    found = json.loads(
        printed(steno(machine, "transcribe", str(path), "--format", "json", *options))
    )
    assert isinstance(found, dict)
    return found


def spoken(transcript: dict[str, object]) -> object:
    """Give what must not differ between two runs."""
    volatile = {"event", "processing_time_ms", "created_at", "result_id", "session_id"}
    return [
        {key: value for key, value in segment.items() if key not in volatile}
        for segment in transcript["segments"]  # type: ignore[attr-defined]
    ]


@pytest.mark.parametrize("path", [HELLO, THREE], ids=lambda path: path.name)
def test_a_sample_gives_exactly_what_the_engine_gives_alone(machine: Machine, path: Path) -> None:
    assert printed(steno(machine, "transcribe", str(path), "--pace", "fast")) == recognised(path)


@pytest.mark.parametrize("name", RECORDINGS)
def test_recorded_speech_gives_exactly_what_the_engine_gives_alone(
    machine: Machine, name: str
) -> None:
    path = recording(name)
    assert printed(steno(machine, "transcribe", str(path), "--pace", "fast")) == recognised(path)


def test_real_time_pace_gives_the_same_as_fast(machine: Machine) -> None:
    path = SPEECH / "librivox-0890.wav"
    path = path if path.exists() else HELLO
    began = time.monotonic()
    assert printed(steno(machine, "transcribe", str(path), "--pace", "realtime")) == recognised(
        path
    )
    assert time.monotonic() - began > 4


@pytest.mark.parametrize("pace", ["realtime", "fast"])
def test_two_long_silences_give_three_utterances_at_their_times(
    machine: Machine, pace: str
) -> None:
    found = document(machine, THREE, "--pace", pace)
    utterances = found["utterances"]
    assert isinstance(utterances, list)
    bounds = [(utterance["start_time"], utterance["end_time"]) for utterance in utterances]
    expected = [(0.40, 2.31), (6.30, 8.09), (12.22, 14.04)]  # where the sound is
    assert len(bounds) == 3
    for (start, end), (first, last) in zip(bounds, expected, strict=True):
        assert start == pytest.approx(first, abs=0.2)
        assert end == pytest.approx(last, abs=0.2)


def test_eight_files_at_once_come_out_each_as_when_alone(machine: Machine) -> None:
    paths = [SPEECH / name for name in RECORDINGS if (SPEECH / name).exists()]
    paths = (paths + [HELLO, THREE] * 4)[:8]
    running_now = [steno(machine, "transcribe", str(path), "--pace", "fast") for path in paths]
    assert [printed(process) for process in running_now] == [recognised(path) for path in paths]


def test_the_transcript_is_saved_in_four_formats_and_in_the_history(machine: Machine) -> None:
    found = document(machine, HELLO, "--pace", "fast")
    session_id = found["session_id"]
    saved = sorted((machine.folder / "output").glob(f"transcripcion_*_{session_id}.*"))
    assert [path.suffix for path in saved] == [".json", ".srt", ".txt", ".vtt"]
    text = saved[2].read_text()
    assert recognised(HELLO).splitlines()[0] in text
    listed = json.loads(fetched(machine, "/api/transcripts?limit=200"))["transcripts"]
    assert session_id in [entry["session_id"] for entry in listed]
    assert fetched(machine, f"/api/transcripts/{session_id}.srt") == saved[1].read_bytes()


def test_subtitles_pass_public_parsers(machine: Machine, tmp_path: Path) -> None:
    cues = list(srt.parse(printed(steno(machine, "transcribe", str(THREE), "--format", "srt"))))
    words = " ".join(cue.content.replace("\n", " ") for cue in cues).split()
    assert words == recognised(THREE).split()
    path = tmp_path / "captions.vtt"
    path.write_text(printed(steno(machine, "transcribe", str(THREE), "--format", "vtt")))
    assert " ".join(caption.text for caption in webvtt.read(str(path))).split() == words


@pytest.mark.parametrize("part", ["gateway", "transcriber", "aggregator", "notifier", "redis"])
def test_killing_one_process_changes_nothing_for_the_client(machine: Machine, part: str) -> None:
    machine.wait_ready()
    undisturbed = document(machine, HELLO, "--pace", "fast")
    client = steno(machine, "transcribe", str(HELLO), "--pace", "realtime", "--format", "json")
    time.sleep(3)  # the file is about half way through
    assert client.poll() is None
    machine.kill(part)
    disturbed = json.loads(printed(client))
    assert spoken(disturbed) == spoken(undisturbed)
    statistics = disturbed["statistics"]
    assert statistics["received_samples"] == undisturbed["statistics"]["received_samples"]  # type: ignore[index]
    assert statistics["received_samples"] == (
        statistics["transcribed_samples"] + statistics["silence_samples"]
    )


def test_killing_all_five_in_turn_changes_nothing_for_the_client(machine: Machine) -> None:
    machine.wait_ready()
    undisturbed = document(machine, THREE, "--pace", "fast")
    client = steno(machine, "transcribe", str(THREE), "--pace", "realtime", "--format", "json")
    for part in ("gateway", "transcriber", "aggregator", "notifier", "redis"):
        time.sleep(2.4)  # spread over the file
        machine.kill(part)
    disturbed = json.loads(printed(client))
    assert spoken(disturbed) == spoken(undisturbed)
    assert [u["text_content"] for u in disturbed["utterances"]] == (
        [u["text_content"] for u in undisturbed["utterances"]]  # type: ignore[attr-defined]
    )


def test_a_file_that_is_no_audio_is_refused_in_words(machine: Machine, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("this is no audio\n" * 100)
    process = steno(machine, "transcribe", str(path))
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert out == ""
    assert "notes.txt" in err
    assert "Traceback" not in err


def test_ctrl_c_leaves_no_process_and_no_file(tmp_path: Path) -> None:
    with running(tmp_path, STENO_ENGINE="scripted") as machine:
        group = machine.process.pid
        parts = [machine.pid(part) for part in ("gateway", "transcriber", "redis")]
        assert None not in parts
        os.kill(group, signal.SIGINT)
        assert machine.process.wait(120) == 0
    children = ["ps", "-o", "pid=", "--ppid", str(group)]
    assert subprocess.run(children, capture_output=True, check=False).stdout.strip() == b""
    assert not any(Path(f"/proc/{pid}").exists() for pid in parts)
    for place in {tempfile.gettempdir(), "/dev/shm", os.environ.get("XDG_RUNTIME_DIR", "/tmp")}:
        assert not list(Path(place).glob(f"steno-*-{group}-*"))
