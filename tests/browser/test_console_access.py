"""The console page with a server that asks for an API key."""

from collections.abc import AsyncIterator, Iterator

import pytest
from tests.browser.chromium import Tab, chromium, tab
from tests.e2e.machine import SAMPLES, Machine, running

SECRET = "anns-secret-of-the-day"
HELLO = SAMPLES / "hello.wav"
ENTER = """
  document.getElementById('api_key').value = KEY;
  document.querySelector('#access button').click();
"""

pytestmark = pytest.mark.skipif(chromium() is None, reason="no Chromium: apt install chromium")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("browser")
    with running(folder, STENO_API_KEYS=f"ann:{SECRET}", STENO_TOKEN_SECONDS="4") as machine:
        yield machine


@pytest.fixture
async def console(machine: Machine) -> AsyncIterator[Tab]:
    machine.wait_ready()
    async with tab(HELLO) as console:
        await console.open(f"{machine.url}/")
        await console.until("!document.getElementById('access').hidden")
        yield console
        assert console.hosts == {machine.url.removeprefix("http://")}


async def enter(console: Tab, key: str) -> None:
    await console.evaluate(ENTER.replace("KEY", repr(key)))


async def test_the_page_asks_for_a_key_until_one_is_good(console: Tab) -> None:
    await console.until(
        "document.getElementById('history_note').textContent.includes('unauthorized')"
    )
    await enter(console, "wrong-secret-of-the-day")
    await console.until("!document.getElementById('access').hidden")
    await enter(console, SECRET)
    await console.until(
        "!document.getElementById('history_note').textContent.includes('unauthorized')"
    )
    assert await console.evaluate("document.getElementById('access').hidden")
    assert await console.evaluate("document.getElementById('api_key').value") == ""
    kept = await console.evaluate("[sessionStorage.length, localStorage.length, document.cookie]")
    assert kept == [1, 0, ""]


async def test_a_recording_goes_on_through_the_death_of_the_gateway(
    machine: Machine, console: Tab
) -> None:
    await enter(console, SECRET)
    await console.click("record")
    await console.state("recording")
    await console.showed("partial", "able to")
    machine.kill("gateway")
    await console.state("reconnecting")
    await console.state("recording")
    await console.click("stop")
    await console.state("completed")
    # A link shows no key, so the page fetches the file itself.
    saved = await console.evaluate("""
      new Promise((resolve) => {
        URL.createObjectURL = (blob) => { blob.text().then(resolve); return "blob:none"; };
        HTMLAnchorElement.prototype.click = () => {};
        document.querySelector("#downloads a").dispatchEvent(
          new MouseEvent("click", { bubbles: true, cancelable: true }));
      })
    """)
    assert "able to" in saved
