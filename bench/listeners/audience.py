"""All listeners of one session, in a process of their own.

It says `ready` when all are let in, and in the end what each of them has heard.
"""

import argparse
import asyncio
import json
import socket
import sys
from contextlib import suppress
from dataclasses import astuple
from typing import Final

from bench.listeners.listener import Listener, Transport
from bench.network.addresses import Target

AT_ONCE: Final = 50
"""Listeners that are let in at the same time."""
SMALL_BUFFER: Final = 4096
"""Bytes that the kernel takes for one who does not read, so that the server soon feels it."""
LATE_SECONDS: Final = 60.0


def _socket(*, mute: bool) -> socket.socket:
    made = socket.socket()
    if mute:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    made.setblocking(False)
    return made


async def open_listener(target: Target, listener: Listener, room: asyncio.Semaphore) -> None:
    """Let one listener in."""
    loop = asyncio.get_running_loop()
    async with room:
        connection = _socket(mute=listener.mute)
        await loop.sock_connect(connection, (target.host, target.port))
        await loop.create_connection(lambda: listener, sock=connection)
        await listener.let_in.wait()


async def listen(
    url: str, session_id: str, count: int, mute: int, seconds: float
) -> list[Listener]:
    """Listen until the session is complete for all who read, `seconds` at most.

    The first half of the mute ones read on after the end: they are slow, not gone.
    """
    target, room = Target.parse(url), asyncio.Semaphore(AT_ONCE)
    kinds: tuple[Transport, Transport] = ("websocket", "sse")
    listeners = [Listener(kinds[n % 2], session_id, mute=n < mute) for n in range(count)]
    async with asyncio.TaskGroup() as tasks:
        for listener in listeners:
            tasks.create_task(open_listener(target, listener, room))
    print("ready", flush=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for listener in listeners[mute:]:
                await listener.over.wait()
    late = listeners[: mute // 2]
    for listener in late:
        listener.go_on_reading()
    with suppress(TimeoutError):
        async with asyncio.timeout(LATE_SECONDS):
            for listener in late:
                await listener.over.wait()
    await asyncio.sleep(0.1)  # for the closing handshakes of those who heard the end
    return listeners


def main() -> None:
    """Listen; write one line of JSON for each listener."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("session_id")
    parser.add_argument("count", type=int)
    parser.add_argument("mute", type=int)
    parser.add_argument("seconds", type=float)
    asked = parser.parse_args()

    async def run() -> None:
        listeners = await listen(**vars(asked))
        for listener in listeners:
            heard = [astuple(each) for each in listener.heard]
            fields = {"transport": listener.transport_kind, "mute": listener.mute,
                      "how": listener.how, "heard": heard}  # fmt: skip
            print(json.dumps(fields))
            listener.leave()
        sys.stdout.flush()

    asyncio.run(run())


if __name__ == "__main__":
    main()
