"""The console page in a real browser, against real processes."""

import json
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.browser.chromium import Tab, chromium, tab
from tests.e2e.machine import SAMPLES, Machine, recognised, running

HELLO = SAMPLES / "hello.wav"
THREE = SAMPLES / "three-utterances.flac"
NO_SOCKETS = """
  globalThis.RealSocket = WebSocket;
  globalThis.WebSocket = class extends RealSocket {
    constructor() { super(`ws://${location.host}/nowhere`); }
  };
  globalThis.realTimeout = setTimeout;
  globalThis.setTimeout = (act, ms) => realTimeout(act, ms >= 1000 ? ms / 20 : ms);
"""
"""No socket can be opened any more; long waits are short."""

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium: apt install chromium")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with running(tmp_path_factory.mktemp("browser")) as machine:
        yield machine


@pytest.fixture
async def console(machine: Machine) -> AsyncIterator[Tab]:
    machine.wait_ready()
    async with tab(HELLO) as console:
        await console.open(f"{machine.url}/")
        yield console
        assert console.hosts == {machine.url.removeprefix("http://")}


async def paragraphs(console: Tab) -> list[str]:
    """Read the confirmed text without its times."""
    found = await console.evaluate(
        "[...document.querySelectorAll('#confirmed p')].map((p) => "
        "[...p.querySelectorAll('span')].map((s) => s.textContent.trim()).join(' '))"
    )
    return [str(text) for text in found]


async def words(console: Tab) -> int:
    return len(" ".join(await paragraphs(console)).split())


def transcript(machine: Machine, session_id: str) -> dict[str, object]:
    return read(machine, f"/api/transcripts/{session_id}.json")


def read(machine: Machine, path: str) -> dict[str, object]:
    with urllib.request.urlopen(machine.url + path, timeout=60) as answer:
        found = json.loads(answer.read())
    assert isinstance(found, dict)
    return found


async def test_a_recording_goes_on_through_a_pause_and_the_death_of_the_gateway(
    machine: Machine, console: Tab
) -> None:
    await console.click("record")
    await console.state("recording")
    await console.showed("partial", "able to")
    await console.click("pause")
    await console.state("paused")
    saved = await console.evaluate("document.querySelectorAll('#saved li').length")
    elapsed = await console.text("elapsed")
    await console.until("document.getElementById('pending').textContent == '0'")
    before = await words(console)
    assert before > 0
    await console.until("/^\\d+ % CPU, \\d+ MB$/.test(transcriber.textContent)")
    await console.until("/^\\d+ %$/.test(quality.textContent)")
    assert await console.text("elapsed") == elapsed
    await console.click("resume")
    await console.state("recording")
    machine.kill("gateway")
    await console.state("reconnecting")
    await console.showed("notice_text", "No connection. Try 1 of 5")
    await console.state("recording")
    await console.showed("partial", "your time")
    await console.click("stop")
    await console.state("completed")
    assert await words(console) > before
    found = transcript(machine, await console.text("session"))
    assert " ".join(await paragraphs(console)) == found["text"]
    # A pause, or a moment that the machine has no time, may fall into any word before.
    assert "your time" in str(found["text"])
    statistics = found["statistics"]
    assert isinstance(statistics, dict)
    minutes, _, seconds = (await console.text("elapsed")).partition(":")
    assert int(statistics["received_seconds"]) == int(minutes) * 60 + int(seconds)
    links = await console.evaluate(
        "[...document.querySelectorAll('#downloads a')].map((a) => a.textContent)"
    )
    assert links == ["txt", "json", "srt", "vtt"]
    await console.until(f"document.querySelectorAll('#saved li').length == {saved + 1}")
    await console.click("renew")
    await console.state("idle")
    assert await paragraphs(console) == []


async def test_a_file_gives_its_utterances_with_their_times(console: Tab) -> None:
    await console.choose("file", THREE)
    await console.state("completed")
    found = await console.evaluate(
        "[...document.querySelectorAll('#confirmed time')].map((t) => t.textContent)"
    )
    assert [times.split(" \u2013 ") for times in found] == [
        ["0:00", "0:02"], ["0:06", "0:08"], ["0:12", "0:14"],
    ]  # fmt: skip
    assert " ".join(await paragraphs(console)).split() == recognised(THREE).split()
    assert console.faults == []


async def test_what_is_no_audio_is_refused_in_words(console: Tab, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("this is no audio\n" * 100)
    await console.choose("file", path)
    await console.state("error")
    assert "(undecodable_audio)" in await console.text("notice_text")


async def test_the_users_wishes_go_with_the_audio(
    machine: Machine, console: Tab, tmp_path: Path
) -> None:
    await console.evaluate("document.getElementById('language').value = ' en '")
    await console.click("translate")
    await console.choose("file", HELLO)
    await console.state("completed")
    shown = read(machine, f"/api/streaming/sessions/{await console.text('session')}")
    assert (shown["language"], shown["task"]) == ("en", "translate")
    await console.click("renew")
    path = tmp_path / "not-for-browsers.wav"
    path.write_bytes(b"this is no audio\n" * 100)
    await console.choose("file", path)
    await console.state("error")
    asked = await console.evaluate("performance.getEntriesByType('resource').map((e) => e.name)")
    assert f"{machine.url}/api/transcriptions?language=en&task=translate" in asked


async def test_after_five_tries_the_recording_can_be_sent_as_a_file(
    machine: Machine, console: Tab
) -> None:
    await console.evaluate(NO_SOCKETS)
    await console.click("record")
    await console.state("error")
    notice = await console.text("notice_text")
    assert notice.startswith("The connection could not be restored. The recording goes on")
    assert "(connection_lost)" in notice
    await console.until("Number(document.getElementById('elapsed').textContent.at(-1)) >= 4")
    await console.click("send_file")
    await console.state("completed")
    assert "you will be able to read" in " ".join(await paragraphs(console))


async def test_after_five_tries_the_connection_can_be_asked_for_again(console: Tab) -> None:
    await console.evaluate(NO_SOCKETS)
    await console.click("record")
    await console.state("error")
    await console.evaluate("globalThis.WebSocket = RealSocket; 0")
    await console.click("reconnect")
    await console.showed("partial", "able to read")
    await console.click("stop")
    await console.state("completed")
    assert "you will be able to read" in " ".join(await paragraphs(console))


async def test_a_microphone_that_is_refused_is_told_in_words(console: Tab) -> None:
    await console.evaluate("""
      navigator.mediaDevices.getUserMedia = () =>
        Promise.reject(new DOMException("", "NotAllowedError"))
    """)
    await console.click("record")
    await console.until("!document.getElementById('notice').hidden")
    notice = await console.text("notice_text")
    assert notice == (
        "The browser does not let this page use the microphone. (microphone_unavailable)"
    )
    await console.state("idle")
    assert console.faults == []


LATE_UTTERANCE = """(async () => {
  const { Transcript } = await import("/console/transcript.js");
  const confirmed = document.createElement("div");
  const transcript = new Transcript(confirmed, document.createElement("p"));
  const type = "server:transcription_final";
  const final = (event, start_time, end_time, text_content) =>
    transcript.hear({ type, event, start_time, end_time, text_content });
  final(1, 0.4, 2.2, "the first");
  final(2, 6.3, 8.1, "the second");
  transcript.hear({ type: "server:utterance", start_time: 0.4, end_time: 2.2, last_event: 1 });
  const told = [...confirmed.querySelectorAll("p")].map((p) => p.textContent.trim());
  return told.map((text) => text.replace("\u2013", "to"));
})()"""


async def test_a_final_keeps_its_times_when_the_utterance_before_it_closes_late(
    console: Tab,
) -> None:
    told = await console.evaluate(LATE_UTTERANCE)
    assert told == ["0:00 to 0:02the first", "0:06 to 0:08the second"]
