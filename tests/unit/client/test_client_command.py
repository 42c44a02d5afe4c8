"""The steno command as a process, against a gateway on a real socket."""

import asyncio
import os
import signal
import sys
import wave
from pathlib import Path
from typing import Any

import pytest
from tests.unit.client.fake_gateway import SESSION, FakeGateway, Plan

ASKED: dict[str, Any] = {"mime_type": "audio/pcm", "sample_rate": 16000, "checkpoints": True}
UNDERSTANDING = ("--language", "multi", "--task", "translate", "--prompt", "Grüße.",
                 "--hotword", "Ada Lovelace", "--hotword", "Steno")  # fmt: skip
UNDERSTOOD = {"language": "multi", "task": "translate", "prompt": "Grüße.",
              "hotwords": ["Ada Lovelace", "Steno"]}  # fmt: skip
MICROPHONE = """
import contextlib

class PortAudioError(Exception):
    pass

@contextlib.contextmanager
def RawInputStream(*, callback, **_):
    callback(bytes(3200), 1600, None, None)
    yield
"""
"""In place of sounddevice: a tenth of a second of silence."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return sound(tmp_path / "a.wav", tenths=20)


def sound(path: Path, *, tenths: int) -> Path:
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16_000)
        out.writeframes(bytes(range(200)) * 16 * tenths)
    return path


async def start(
    *arguments: object, url: str = "http://127.0.0.1:9", **environment: object
) -> asyncio.subprocess.Process:
    added = {name: str(value) for name, value in environment.items()}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "steno_client.cli", *map(str, arguments)),
        env={**os.environ, "STENO_URL": url, "PYTHONWARNINGS": "error", **added},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def steno(*arguments: object, url: str = "http://127.0.0.1:9") -> tuple[int, str, str]:
    """Exit code, stdout, stderr."""
    process = await start(*arguments, url=url)
    try:
        async with asyncio.timeout(60):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_file_becomes_one_line_per_utterance(gateway: FakeGateway, file: Path) -> None:
    code, out, err = await steno("transcribe", file, "--language", "en", url=gateway.url)
    assert (code, out, err) == (0, "word1 word2\nword3 word4\n", "")
    assert gateway.audio == bytes(range(200)) * 16 * 20
    assert gateway.requests == [ASKED | {"language": "en"}]


async def test_a_file_is_understood_as_the_command_line_says(
    gateway: FakeGateway, file: Path
) -> None:
    assert (await steno("transcribe", file, *UNDERSTANDING, url=gateway.url))[0] == 0
    assert gateway.requests == [ASKED | UNDERSTOOD]


async def test_the_microphone_is_understood_as_the_command_line_says(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    (tmp_path / "sounddevice.py").write_text(MICROPHONE)
    process = await start("mic", *UNDERSTANDING, url=gateway.url, PYTHONPATH=tmp_path)
    async with asyncio.timeout(60):
        await gateway.stored(3_200)
        process.send_signal(signal.SIGINT)
        out, _ = await process.communicate()
    assert (process.returncode, out) == (0, b"word1\n")
    assert gateway.requests == [ASKED | UNDERSTOOD]


async def test_real_time_pace_survives_a_lost_connection(gateway: FakeGateway, file: Path) -> None:
    gateway.plans.append(Plan(drop_after=5))
    code, out, err = await steno("transcribe", "--pace", "realtime", file, url=gateway.url)
    assert code == 0
    assert out.split() == [f"word{n}" for n in range(1, 21)]
    assert err == "a.wav: connecting again\n"
    assert gateway.audio == bytes(range(200)) * 16 * 20


@pytest.mark.parametrize(
    ("kind", "expected"), [("json", '{"text": "whole"}\n'), ("srt", "1\n"), ("vtt", "WEBVTT\n")]
)
async def test_other_formats_are_the_servers(
    gateway: FakeGateway, file: Path, kind: str, expected: str
) -> None:
    code, out, _ = await steno("transcribe", file, "--format", kind, url=gateway.url)
    assert (code, out) == (0, expected)


async def test_files_come_in_their_order_and_the_bad_one_is_named(
    gateway: FakeGateway, file: Path, tmp_path: Path
) -> None:
    missing, noise = tmp_path / "missing.wav", tmp_path / "noise.wav"
    noise.write_bytes(b"no audio at all")
    short = sound(tmp_path / "b.wav", tenths=5)
    code, out, err = await steno("transcribe", file, missing, noise, short, url=gateway.url)
    assert (code, out) == (2, "word1 word2\nword3 word4\nword1\n")
    assert [line.split(":")[:2] for line in err.splitlines()] == [
        ["steno", f" {missing}"],
        ["steno", f" {noise}"],
    ]


async def test_transcripts_are_written_to_a_directory(
    gateway: FakeGateway, file: Path, tmp_path: Path
) -> None:
    code, out, _ = await steno("transcribe", file, "--output", tmp_path, url=gateway.url)
    assert (code, out) == (0, "")
    assert (tmp_path / "a.txt").read_text() == "word1 word2\nword3 word4\n"


async def test_a_failed_session_is_one_line_and_a_failure(gateway: FakeGateway, file: Path) -> None:
    gateway.plans.append(Plan(errors={1: {"code": "format_mismatch", "retryable": False}}))
    code, out, err = await steno("transcribe", file, url=gateway.url)
    assert (code, out, err) == (1, "", f"steno: {file}: format_mismatch\n")


async def test_no_server_is_one_line_and_a_failure(file: Path) -> None:
    code, out, err = await steno("transcribe", file)
    assert (code, out) == (1, "")
    assert err == f"steno: {file}: no answer from http://127.0.0.1:9\n"


async def test_ctrl_c_ends_it_without_a_traceback(gateway: FakeGateway, tmp_path: Path) -> None:
    long = sound(tmp_path / "long.wav", tenths=600)
    process = await start("transcribe", "--pace", "realtime", long, url=gateway.url)
    async with asyncio.timeout(60):
        await gateway.stored(1)
        process.send_signal(signal.SIGINT)
        out, err = await process.communicate()
    assert (process.returncode, out, err) == (130, b"", b"")


async def test_nobody_reading_is_no_traceback(gateway: FakeGateway, file: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "steno_client.cli", "transcribe", str(file), "--url", gateway.url),
        stdout=write,
        stderr=asyncio.subprocess.PIPE,
    )
    os.close(write)
    _, err = await process.communicate()
    assert (process.returncode, err) == (1, b"")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("transcribe",),
        ("transcribe", "a.wav", "--url", "nowhere"),
        ("transcribe", "a.wav", "--output", "/no/such/directory"),
        ("history", "--delete"),
        ("transcribe", "a.wav", "--task", "sing"),
        ("mic", "--hotword"),
    ],
)
async def test_wrong_arguments(arguments: tuple[str, ...]) -> None:
    code, out, err = await steno(*arguments)
    assert (code, out) == (2, "")
    assert "Traceback" not in err


async def test_the_version() -> None:
    assert (await steno("--version"))[:2] == (0, "steno 0.1.0\n")


async def test_listening_prints_finals_line_by_line(gateway: FakeGateway) -> None:
    gateway.chunks.extend([b"a", b"b"])
    gateway.finish()
    assert (await steno("listen", SESSION, url=gateway.url))[:2] == (0, "word1\nword2\n")


async def test_listening_in_a_language_prints_translations_beside_what_they_are_of(
    gateway: FakeGateway,
) -> None:
    gateway.chunks.append(b"a")
    gateway.finish()
    text = {"type": "server:translation", "event": 99, "language": "es", "text_content": "hola"}
    gateway.events.append(text)
    arguments = ("listen", SESSION, "--language", "es", "--language", "fr", "--translations-only")
    assert (await steno(*arguments, url=gateway.url))[:2] == (0, "word1\n[es] hola\n")
    assert gateway.choices == [("es,fr", "false")]


async def test_the_history_is_listed_printed_and_deleted(gateway: FakeGateway) -> None:
    assert await steno("history", url=gateway.url) == (
        0,
        "t1  2024-01-02T03:04:05Z         1:05  hi\n",
        "",
    )
    assert await steno("history", "t1", url=gateway.url) == (0, "whole\n", "")
    assert await steno("history", "t1", "--delete", url=gateway.url) == (0, "", "")
    assert gateway.deleted == ["t1"]
