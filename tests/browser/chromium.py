"""A headless Chromium with a recording as its microphone, driven over the DevTools protocol."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

Json = dict[str, Any]

WATCH = """
  globalThis.shown = {};
  for (const name of ["state", "partial", "notice_text"]) {
    const element = document.getElementById(name);
    if (!element) continue;
    shown[name] = [element.textContent];
    new MutationObserver(() => shown[name].push(element.textContent))
      .observe(element, { childList: true, characterData: true, subtree: true });
  }
"""
"""Notes all that elements show, however short: a look now and then would miss some of it."""

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-port=0",
)  # fmt: skip


def chromium() -> str | None:
    """Give the browser's program, if there is one."""
    return shutil.which("chromium") or shutil.which("google-chrome")


@dataclass
class Tab:
    """One page with what went wrong on it."""

    socket: aiohttp.ClientWebSocketResponse
    faults: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    """Where it asked for anything."""
    _states: int = 0
    """Of all states that were shown, so many were before the one that was waited for last."""
    _answers: dict[int, asyncio.Future[Json]] = field(default_factory=dict)
    _number: int = 0

    async def listen(self) -> None:
        """Read what the browser says until it closes."""
        async for frame in self.socket:
            message = json.loads(frame.data)
            if "id" in message:
                answer = self._answers.pop(message["id"])
                if not answer.done():  # whoever asked may have gone
                    answer.set_result(message)
            else:
                self._note(message["method"], message["params"])

    def _note(self, method: str, fields: Json) -> None:
        if method == "Runtime.exceptionThrown":
            self.faults.append(json.dumps(fields["exceptionDetails"]))
        elif method == "Log.entryAdded" and fields["entry"]["level"] == "error":
            self.faults.append(f"{fields['entry']['text']} {fields['entry'].get('url', '')}")
        elif method == "Network.requestWillBeSent":
            self.hosts.add(fields["request"]["url"].split("/")[2])

    async def call(self, method: str, **fields: Any) -> Json:
        """Call a method of the DevTools protocol."""
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self.socket.send_json({"id": self._number, "method": method, "params": fields})
        async with asyncio.timeout(120):
            message = await answer
        assert "error" not in message, (method, message)
        result: Json = message["result"]
        return result

    async def evaluate(self, expression: str) -> Any:
        """Give the value of an expression, which may be a promise."""
        found = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True,
                                returnByValue=True, userGesture=True)  # fmt: skip
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def until(self, expression: str, seconds: float = 120) -> Any:
        """Wait until an expression is true; gives its value."""
        try:
            async with asyncio.timeout(seconds):
                while not (value := await self.evaluate(expression)):  # noqa: ASYNC110 - a page
                    await asyncio.sleep(0.05)
        except TimeoutError:
            shown = await self.evaluate("document.body.innerText")
            raise AssertionError(f"not within {seconds} s: {expression}\n{shown}") from None
        return value

    async def open(self, address: str) -> None:
        """Load a page."""
        await self.call("Page.navigate", url=address)
        await self.until(f"location.href == {address!r} && document.readyState == 'complete'")
        await self.evaluate(WATCH)
        self._states = 0

    async def click(self, name: str) -> None:
        """Press a button as soon as it is there to be pressed."""
        button = f"document.getElementById({name!r})"
        await self.until(f"!{button}.hidden && !{button}.disabled")
        await self.evaluate(f"{button}.click()")

    async def text(self, name: str) -> str:
        """Read an element."""
        return str(await self.evaluate(f"document.getElementById({name!r}).textContent")).strip()

    async def state(self, expected: str) -> None:
        """Wait until a state is shown, or was since the one that was waited for last."""
        place = f"shown.state.indexOf({expected!r}, {self._states})"
        await self.until(f"{place} >= 0")
        self._states = await self.evaluate(place)

    async def showed(self, name: str, text: str) -> None:
        """Wait until an element shows some text, or has shown it."""
        await self.until(f"shown[{name!r}].some((each) => each.includes({text!r}))")

    async def choose(self, name: str, path: Path) -> None:
        """Give a file input its file."""
        root = (await self.call("DOM.getDocument"))["root"]["nodeId"]
        node = await self.call("DOM.querySelector", nodeId=root, selector=f"#{name}")
        await self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=node["nodeId"])


@asynccontextmanager
async def tab(microphone: Path) -> AsyncIterator[Tab]:
    """Run a browser with nothing in it but one empty page."""
    program = chromium()
    assert program is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = await asyncio.create_subprocess_exec(
            program, *FLAGS, f"--user-data-dir={folder}",
            f"--use-file-for-fake-audio-capture={microphone}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            address = await _devtools(Path(folder))
            async with _attached(address) as attached:
                yield attached
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            async with asyncio.timeout(60):
                await process.wait()


async def _devtools(folder: Path) -> str:
    async with asyncio.timeout(120):
        while True:
            with suppress(FileNotFoundError, IndexError):
                return f"http://127.0.0.1:{(folder / 'DevToolsActivePort').read_text().split()[0]}"
            await asyncio.sleep(0.05)


@asynccontextmanager
async def _attached(address: str) -> AsyncIterator[Tab]:
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{address}/json/list") as answer:
            pages = [entry for entry in await answer.json() if entry["type"] == "page"]
        async with http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            attached = Tab(socket)
            listening = asyncio.create_task(attached.listen(), name="devtools")
            try:
                for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
                    await attached.call(f"{domain}.enable")
                yield attached
            finally:
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening
