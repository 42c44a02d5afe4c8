"""`/sendAudio` with acks: a client that keeps what is not stored loses nothing, doubles nothing."""

from pathlib import Path

from tests.integration.dialect_support import Speaker, engine, session_of, speaking
from tests.integration.gateway_support import running
from tests.redis_servers import RedisServer

PATH = "/sendAudio?acks=true"
NAME = "golden-eagle-427"


def chunk(number: int) -> bytes:
    """Give 100 ms of audio that say their number."""
    return number.to_bytes(2, "little") * 1_600


def spoken(last: int) -> bytes:
    return b"".join(chunk(number) for number in range(1, last + 1))


async def say(client: Speaker, *numbers: int) -> None:
    for number in numbers:
        await client.audio(NAME, chunk(number), sequenceNumber=number)


async def stored(client: Speaker, number: int) -> None:
    """Hear that chunks through a number are stored."""
    while (await client.hear("ack", sessionId=NAME))["sequenceNumber"] < number:
        pass


async def test_what_is_sent_again_on_another_gateway_is_stored_once(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with running(redis_server, tmp_path) as first, engine(first):
        async with speaking(first, PATH) as client:
            await say(client, 1, 2, 3, 4, 5)
            await stored(client, 5)
            # Its network is gone: what the gateway still has of it, the client cannot know.
            client.ws._response.close()
        async with running(redis_server, tmp_path) as second, speaking(second, PATH) as client:
            await say(client, 3, 4, 5, 6, 7, 8)
            await stored(client, 8)
            session_id = await session_of(second, NAME)
            assert await second.pcm(session_id) == spoken(8)
            await second.commit(session_id, "done")
            await client.hear("ack", sessionId=NAME, sequenceNumber=8, done=8)


async def test_a_chunk_that_is_missing_is_asked_for(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        engine(gateway),
        speaking(gateway, PATH) as client,
    ):
        await say(client, 1, 3, 4)
        told = await client.hear("error", code="SEQUENCE_GAP")
        assert (told["sessionId"], told["resendFrom"]) == (NAME, 2)
        await say(client, 2, 3, 4)
        await stored(client, 4)
        assert await gateway.pcm(await session_of(gateway, NAME)) == spoken(4)


async def test_chunks_without_numbers_are_acknowledged_too(
    redis_server: RedisServer, tmp_path: Path
) -> None:
    async with (
        running(redis_server, tmp_path) as gateway,
        engine(gateway),
        speaking(gateway, PATH) as client,
    ):
        await client.audio(NAME, chunk(1), chunk(2))
        await stored(client, 2)
