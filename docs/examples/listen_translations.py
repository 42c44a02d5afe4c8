#!/usr/bin/env python3
"""Prints what is said in a session, and its translations, as they come.

    python listen_translations.py SESSION es fr

STENO_URL is the address of the server, STENO_API_KEY the key if it wants one.
"""

import asyncio
import os
import sys

import steno_client

URL = os.environ.get("STENO_URL", "http://127.0.0.1:8080")


async def main(session_id: str, *languages: str) -> None:
    """Listen until the end."""
    access = steno_client.Access(api_key=os.environ.get("STENO_API_KEY"))
    said = {}
    async for event in steno_client.listen(URL, session_id, languages=languages, access=access):
        match event:
            case steno_client.Final():
                said[event.event] = event.text
                print(event.text, flush=True)
            case steno_client.Translation():
                # It may come behind the next final, or behind the end: `of` says what it is of.
                original = said.get(event.of, "")
                print(f"{event.language}: {event.text} ({original})", flush=True)
            case steno_client.Completed():
                print("the end", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
