"""What is only known after a run: claims from logs, saved transcripts, what Redis still holds."""

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec
from bench.faults.deployment import LOGS, OUTPUT, Deployment
from bench.faults.history import (
    Claimed,
    Counts,
    Heard,
    Left,
    Said,
    Saved,
)
from bench.faults.inject import redis_client
from bench.faults.rules import of_sessions
from redis.exceptions import RedisError

from steno_common.archive import Archive

_LOOK_SECONDS: Final = 0.5


class _Line(msgspec.Struct):
    time: str
    event: str
    session: str = ""


def claims(folder: Path, began: float) -> Iterator[Claimed]:
    """Give all claims out of the logs of transcribers; `began` is the run's Unix time."""
    decode = msgspec.json.Decoder(_Line).decode
    for log in sorted((folder / LOGS).glob("transcriber-*.log")):
        part, start, _ = log.name.split(".")
        for line in log.read_bytes().splitlines():
            if b'"session claimed"' not in line:
                continue
            try:
                found = decode(line)
            except msgspec.DecodeError:
                continue  # cut off by a kill
            at = datetime.fromisoformat(found.time).timestamp() - began
            yield Claimed(found.session, part, int(start), round(at, 3))


def saved(folder: Path, sessions: Mapping[str, int]) -> Iterator[Saved]:
    """Give the saved transcripts of sessions, by their ids."""
    archive = Archive(str(folder / OUTPUT))
    for session_id, session in sessions.items():
        content = archive.read(session_id, "json")
        if content is not None:
            yield _saved(session, msgspec.json.decode(content))


def _saved(session: int, document: Any) -> Saved:
    counted = document["statistics"]
    return Saved(
        session,
        document["text"],
        tuple(
            Said(
                each["text_content"],
                each["start_time"],
                each["end_time"],
                tuple((word["word"], word["start"], word["end"]) for word in each["words"]),
            )
            for each in document["segments"]
        ),
        tuple(
            Heard(each["text_content"], each["start_time"], each["end_time"])
            for each in document["utterances"]
        ),
        Counts(
            counted["received_samples"],
            counted["transcribed_samples"],
            counted["silence_samples"],
            counted["finals"],
            counted["utterances"],
        ),
    )


async def left(deployment: Deployment, seconds: float) -> Left:
    """Wait until Redis holds nothing of any session, so long at most; give the keys it holds."""
    until = time.monotonic() + seconds
    async with redis_client(deployment) as redis:
        while True:
            keys: set[str] = set()
            try:
                async for key in redis.scan_iter(count=1000):
                    keys.add(key.decode())
            except (RedisError, OSError):
                keys.add("(Redis does not answer)")
            if time.monotonic() > until or not any(map(of_sessions, keys)):
                return Left(tuple(sorted(keys)), deployment.book.now)
            await asyncio.sleep(_LOOK_SECONDS)
