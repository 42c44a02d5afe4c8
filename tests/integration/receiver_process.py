"""A receiver as a process of its own: it writes down what it takes, then says that it has it.

`python -m tests.integration.receiver_process PORT FILE`: one line of JSON for each delivery.
"""

import asyncio
import json
import sys
from pathlib import Path

from aiohttp import web


async def main(port: int, path: Path) -> None:
    """Serve until the process is killed."""
    with path.open("ab", buffering=0) as file:

        async def take(request: web.Request) -> web.Response:
            file.write(json.dumps(await request.json()).encode() + b"\n")
            return web.Response(status=204)

        app = web.Application()
        app.router.add_post("/", take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
