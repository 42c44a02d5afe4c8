"""Playing hostile scripts against a gateway, from many addresses of the loopback network.

    python -m bench.hostile.attack --url http://127.0.0.1:8080 --connections 100 --rate 50

A process of its own, so that what it computes does not hold up those who measure. Prints one line
of JSON for each connection.
"""

import argparse
import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

from bench.hostile.answers import how_it_ended
from bench.hostile.kinds import drawn
from bench.hostile.manners import opening
from bench.hostile.script import SESSION, Script
from bench.network.addresses import Streams, Target

LONGEST_SECONDS: Final = 20.0
ANSWER_SECONDS: Final = 1.0
"""How long the server may take to end a connection that is done."""
KEPT_BYTES: Final = 1 << 20
AT_ONCE: Final = 300


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one connection."""

    seed: int
    kind: str
    how: str
    began: float
    ended: float
    """Time of day (s): what the gateway's log says meanwhile may be this connection's doing."""


async def play(url: str, seed: int) -> Outcome:
    """Play the script of a seed."""
    (kind, script), began = drawn(seed), time.time()
    try:
        async with asyncio.timeout(LONGEST_SECONDS):
            how = how_it_ended(await converse(url, seed, script), opened=bool(script.door))
    except TimeoutError:
        how = "never ended"
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        how = f"not begun: {type(error).__name__}"
    return Outcome(seed, kind, how, began, time.time())


async def converse(url: str, seed: int, script: Script) -> bytes:
    """Play a script; gives what the server answered, from the end of its handshake on."""
    target = Target.parse(url)
    # Each comes from elsewhere: the limits of the gateway for one address protect nobody here.
    address = f"127.{1 + seed % 200}.{seed // 200 % 250}.{1 + seed // 50_000 % 250}"
    streams = await asyncio.open_connection(target.host, target.port, local_addr=(address, 0))
    try:
        session_id = b""
        wanted = (script.path, *script.steps)
        if any(isinstance(part, bytes) and SESSION in part for part in wanted):
            session_id = await _create(streams, script.mime_type)
        if script.door:
            streams[1].write(opening(script.path).replace(SESSION, session_id))
            await streams[0].readuntil(b"\r\n\r\n")
        return await _play(streams, script, session_id)
    finally:
        if script.ending == "close":
            streams[1].close()
        else:
            streams[1].transport.abort()


async def _create(streams: Streams, mime_type: str) -> bytes:
    reader, writer = streams
    body = json.dumps({"mime_type": mime_type}).encode()
    writer.write(b"POST /api/streaming/sessions HTTP/1.1\r\nHost: x\r\n"
                 b"Content-Length: %d\r\n\r\n%b" % (len(body), body))  # fmt: skip
    head = await reader.readuntil(b"\r\n\r\n")
    (length,) = [line for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    answer = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
    session_id: str = answer.get("session_id", "refused")
    return session_id.encode()


async def _play(streams: Streams, script: Script, session_id: bytes) -> bytes:
    reader, writer = streams
    heard = bytearray()
    listening = asyncio.create_task(_hear(reader, heard), name="hostile ear")
    if script.mute:
        listening.cancel()
        writer.transport.pause_reading()  # type: ignore[attr-defined]
    try:
        await _say(writer, script, session_id, listening.done)
        if script.ending == "wait" and not script.mute:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(listening), ANSWER_SECONDS)
    finally:
        listening.cancel()
        await asyncio.wait([listening])
    return bytes(heard)


async def _say(
    writer: asyncio.StreamWriter, script: Script, session_id: bytes, over: Callable[[], bool]
) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        for step in script.steps:
            if isinstance(step, float):
                await asyncio.sleep(step)
                continue
            writer.write(step.replace(SESSION, session_id))
            async with asyncio.timeout(ANSWER_SECONDS):
                await writer.drain()
            if over() and not script.mute:
                return


async def _hear(reader: asyncio.StreamReader, heard: bytearray) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(1 << 16):
            heard += data[: KEPT_BYTES - len(heard)]


async def attack(url: str, seeds: range, rate: float, tell: Callable[[Outcome], None]) -> None:
    """Play a script for each seed, so many a second, so many at once."""
    room, begin = asyncio.Semaphore(AT_ONCE), time.monotonic()

    async def one(seed: int) -> None:
        try:
            tell(await play(url, seed))
        finally:
            room.release()

    async with asyncio.TaskGroup() as tasks:
        for number, seed in enumerate(seeds):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            await room.acquire()
            tasks.create_task(one(seed), name=f"hostile {seed}")


def main() -> None:
    """Attack, and say what became of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--first", type=int, default=1_000_000, help="the first seed")
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--rate", type=float, default=50.0, help="connections a second")
    asked = parser.parse_args()
    os.nice(19)  # the machine's time belongs to those who are attacked
    seeds = range(asked.first, asked.first + asked.connections)

    def tell(outcome: Outcome) -> None:
        print(json.dumps(asdict(outcome)), flush=True)

    asyncio.run(attack(asked.url, seeds, asked.rate, tell))


if __name__ == "__main__":
    main()
