"""Words of a microphone or file by `/ws`: raw s16le, 16 kHz, mono on standard input.

ffmpeg -loglevel error -i talk.mp3 -f s16le -ar 16000 -ac 1 - | python live_words.py
"""

import asyncio
import sys

import aiohttp


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/ws") as ws:

        async def speak() -> None:
            while audio := await asyncio.to_thread(sys.stdin.buffer.read, 3200):
                await ws.send_bytes(audio)
            await ws.send_str("stop")

        speaking = asyncio.create_task(speak())
        async for message in ws:
            said = message.json()
            print(said["text"] if said["type"] == "transcription" else said, flush=True)
        await speaking


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
