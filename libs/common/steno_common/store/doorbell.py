"""Doorbells: from the events of a shard to the channel of a session, lossy by design."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio.client import PubSub
from redis.exceptions import ResponseError

from steno_common.errors import MessageError
from steno_common.keys import EVENTS_GROUP, ShardKeys
from steno_common.messages import Partial, decode
from steno_common.store.base import Part
from steno_common.store.link import ANSWER_SECONDS
from steno_common.store.scripts import Call

Ring = tuple[str, bytes]
"""Session and encoded partial; empty bytes: look into the log."""


@dataclass(frozen=True, slots=True)
class DoorbellStore(Part):
    """What the notifier reads and publishes."""

    async def prepare(self, shards: Sequence[int] | None = None) -> None:
        """Make the consumer group on every shard, or on some, where it is not there."""
        await self.link.run_all(
            [
                Call("prepare", keys.shard, [keys.events], [EVENTS_GROUP])
                for keys in map(ShardKeys, shards or self.shards)
            ]
        )

    async def read(self, shards: Sequence[int], block_ms: int = 2000) -> list[Ring]:
        """Wait for rings of shards that one command may read; each goes to one notifier.

        There is no acknowledgement, and all notifiers are one consumer: a name of their own would
        only be left behind. A group that is gone, as after a Redis that lost its data, is made
        again.
        """
        streams: Any = {ShardKeys(shard).events: ">" for shard in shards}

        async def entries(redis: Any) -> Any:
            # A frozen server must not hold the reader for ever: these sockets have no limit.
            async with asyncio.timeout(block_ms / 1000 + ANSWER_SECONDS):
                try:
                    return await redis.xreadgroup(
                        EVENTS_GROUP, EVENTS_GROUP, streams, count=500, block=block_ms, noack=True
                    )
                except ResponseError as error:
                    if not str(error).startswith("NOGROUP"):
                        raise
                    return None

        answer = await self.link.wait(shards, entries)
        if answer is None:
            await self.prepare(shards)
        return [
            (fields[b"s"].decode(), fields.get(b"p", b""))
            for _, found in answer or []
            for _, fields in found
            if fields
        ]

    async def publish(self, rings: Sequence[Ring]) -> int:
        """Ring at the channels of sessions; gives the number of those who heard."""
        by_shard: dict[int, list[tuple[str, bytes]]] = {}
        for session_id, payload in rings:
            keys = self.keys(session_id)
            by_shard.setdefault(keys.shard, []).append((keys.live, payload))

        def ring(pipe: Any, shards: Sequence[int]) -> None:
            for shard in shards:
                for channel, payload in by_shard[shard]:
                    pipe.publish(channel, payload)

        return sum(sum(counts) for _, counts in await self.link.each(by_shard, ring))


async def heard(pubsub: PubSub, seconds: float = 1.0) -> AsyncIterator[tuple[str, Partial | None]]:
    """Give what rings on subscribed channels: a partial, or None for `look into the log`.

    Ends after `seconds` of quiet, so that the caller can subscribe anew and look by itself.
    """
    while True:
        message = await pubsub.get_message(timeout=seconds)
        if message is None:
            return
        session_id = message["channel"].decode().partition("live:")[2]
        if not message["data"]:
            yield session_id, None
            continue
        try:
            partial = decode(message["data"])
        except MessageError:
            continue
        if isinstance(partial, Partial):
            yield session_id, partial
