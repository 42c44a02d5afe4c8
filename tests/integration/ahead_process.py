"""A relay's receiver whose library reads ahead of its program, as a process of its own.

`python -m tests.integration.ahead_process PORT FOLDER [COUNT]`: what the library has read stands in
FOLDER/read, what the program has kept in FOLDER/kept, a line of JSON for each message; the program
says back the id of each. With COUNT it stops at so many, while its library goes on.
"""

import asyncio
import json
import sys
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from aiohttp import WSMsgType, web


@dataclass(slots=True)
class Receiver:
    """What is behind all connections."""

    read: FileIO
    kept: FileIO
    seen: set[str]
    """Ids of what is kept."""
    left: float
    """How many the program handles before it stops."""

    async def connected(self, request: web.Request) -> web.WebSocketResponse:
        """Read what comes into a queue; meanwhile the program works."""
        socket = web.WebSocketResponse()  # it answers a ping once it has read that far
        await socket.prepare(request)
        ahead: asyncio.Queue[str] = asyncio.Queue()
        working = asyncio.create_task(self.work(socket, ahead), name="program")
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self.read.write(message.data.encode() + b"\n")
                ahead.put_nowait(message.data)
        working.cancel()
        await asyncio.wait({working})
        return socket

    async def work(self, socket: web.WebSocketResponse, ahead: asyncio.Queue[str]) -> None:
        """Keep one message after the other, unless it came before; say its id."""
        with suppress(ConnectionError):
            while True:
                text = await ahead.get()
                if not self.left:
                    await asyncio.Event().wait()
                self.left -= 1
                name = json.loads(text)["id"]
                if name not in self.seen:
                    self.kept.write(text.encode() + b"\n")
                    self.seen.add(name)
                await socket.send_str(name)


async def main(port: int, folder: Path, count: float) -> None:
    """Serve until the process is killed."""
    read, kept = (FileIO(folder / name, "a+") for name in ("read", "kept"))
    kept.seek(0)
    seen = {json.loads(line)["id"] for line in kept.readlines()}
    app = web.Application()
    app.router.add_get("/", Receiver(read, kept, seen, count).connected)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    stop = float(sys.argv[3]) if len(sys.argv) > 3 else float("inf")
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2]), stop))
