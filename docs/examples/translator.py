#!/usr/bin/env python3
"""Gives translations back to Steno: of one session that it listens to, or of what a pipeline gets.

    python translator.py es fr < transcripts.jsonl
    python translator.py --session SESSION es fr

The first form reads, line by line, the JSON that Steno sends to a translation pipeline. STENO_URL
is the address of the server, STENO_API_KEY the key if it wants one.
"""

import asyncio
import json
import os
import sys

import aiohttp

import steno_client

URL = os.environ.get("STENO_URL", "http://127.0.0.1:8080")
KEY = os.environ.get("STENO_API_KEY")
TRIES = 5


def translate(text, target):
    """Put your translator here."""
    return f"[{target}] {text}"


async def give_back(http, session_id, text, targets, **final):
    """Post what a final is in each language; `final` names it: by `event`, or by `timestamp`."""
    for target in targets:
        body = {"language": target, "text": translate(text, target), **final}
        path = f"{URL}/api/streaming/sessions/{session_id}/translations"
        for attempt in range(TRIES):
            # To repeat one is safe: a final has one translation in each language.
            async with http.post(path, json=body) as answer:
                told = await answer.json()
            if answer.ok or not told["retryable"]:
                print(answer.status, told.get("code") or body["text"], flush=True)
                break
            await asyncio.sleep(told.get("retry_after_ms", 1000 * 2**attempt) / 1000)


async def of_session(http, session_id, targets):
    """Translate what is said in a session."""
    access = steno_client.Access(api_key=KEY)
    async for event in steno_client.listen(URL, session_id, access=access):
        if isinstance(event, steno_client.Final):
            await give_back(http, session_id, event.text, targets, event=event.event)


async def of_pipeline(http, lines, targets):
    """Translate what Steno sends to a pipeline."""
    for line in lines:
        transcript = json.loads(line)
        if not transcript["isPartial"]:
            await give_back(
                http, transcript["sessionId"], transcript["transcriptText"], targets,
                timestamp=transcript["timestamp"],
            )  # fmt: skip


async def main(arguments):
    """Do what the command line says."""
    headers = {"Authorization": f"Bearer {KEY}"} if KEY else {}
    async with aiohttp.ClientSession(headers=headers) as http:
        if arguments[0] == "--session":
            await of_session(http, arguments[1], arguments[2:])
        else:
            await of_pipeline(http, sys.stdin, arguments)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
