"""The state of a server by `/st`, whenever it changes."""

import asyncio
import sys

import aiohttp


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/st") as ws:
        async for message in ws:
            print(message.json()["status"], flush=True)


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
