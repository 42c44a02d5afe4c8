"""A named session by `/sendAudio`, ten chunks a second: raw s16le, 16 kHz, mono on standard input.

ffmpeg -loglevel error -i talk.mp3 -f s16le -ar 16000 -ac 1 - | python send_audio.py
"""

import asyncio
import base64
import sys
import time

import aiohttp

NAME = "golden-eagle-427"


async def main(url: str) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(f"{url}/sendAudio") as ws:

        async def speak() -> None:
            while audio := await asyncio.to_thread(sys.stdin.buffer.read, 3200):
                data = base64.b64encode(audio).decode()
                await ws.send_json(
                    {
                        "action": "sendAudio",
                        "sessionId": NAME,
                        "audioData": data,
                        "timestamp": int(time.time() * 1000),
                    }
                )
                await asyncio.sleep(0.1)
            await ws.send_json({"action": "endSession", "sessionId": NAME})

        speaking = asyncio.create_task(speak())
        async for message in ws:
            said = message.json()
            print(said, flush=True)
            if said["type"] == "sessionEnded":
                break
        await speaking


asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8080"))
