"""The proxy passes every byte, until it is told otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from bench.network.addresses import Streams, Target
from bench.network.proxy import OPEN, Proxy, Way, proxy

PATIENCE_SECONDS = 60.0


class Echo:
    """A server that says back what it hears, to one who goes on reading after its own end."""

    def __init__(self, name: bytes = b"") -> None:
        self.name = name
        self.ends: asyncio.Queue[str] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(self.name)
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
            self.ends.put_nowait("end")
        except ConnectionError:
            self.ends.put_nowait("reset")
        except asyncio.CancelledError:  # of a test that is over: this callback has no caller
            pass
        writer.close()

    async def ended(self, how: str) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await self.ends.get() == how


@asynccontextmanager
async def listening(echo: Echo) -> AsyncIterator[str]:
    server = await asyncio.start_server(echo.serve, "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@asynccontextmanager
async def client(network: Proxy) -> AsyncIterator[Streams]:
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    yield reader, writer
    writer.transport.abort()


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
async def network(echo: Echo) -> AsyncIterator[Proxy]:
    async with listening(echo) as address, proxy(address) as network:
        yield network


async def said(streams: Streams, data: bytes) -> bytes:
    """Say something; gives the answer, or what there was of it at the end."""
    streams[1].write(data)
    async with asyncio.timeout(PATIENCE_SECONDS):
        try:
            return await streams[0].readexactly(len(data))
        except asyncio.IncompleteReadError as error:
            return error.partial


async def silent(streams: Streams, seconds: float = 0.15) -> bool:
    try:
        async with asyncio.timeout(seconds):
            return await streams[0].read(1) == b"?"
    except TimeoutError:
        return True


async def test_bytes_pass_both_ways_and_their_end_too(network: Proxy, echo: Echo) -> None:
    data = bytes(range(256)) * 20_000
    async with client(network) as (reader, writer):
        writer.write(data)
        writer.write_eof()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await reader.read(-1) == data
    await echo.ended("end")
    assert network.accepted == 1


async def test_a_delay_holds_up_each_byte_but_not_the_next(network: Proxy) -> None:
    clock = asyncio.get_running_loop().time
    network.up, network.down = Way(delay=0.3), Way(delay=0.2)
    async with client(network) as streams:
        began = clock()
        for _ in range(10):
            streams[1].write(b"x" * 100)
            await asyncio.sleep(0.005)
        await streams[0].readexactly(1_000)
        assert 0.5 <= clock() - began < 4.5  # ten delays in a row would take 5 s


async def test_a_trickle_passes_so_many_bytes_a_second(network: Proxy) -> None:
    clock = asyncio.get_running_loop().time
    async with client(network) as streams:
        network.down = Way(rate=1_000)
        began = clock()
        assert await said(streams, b"x" * 200) == b"x" * 200
        assert clock() - began >= 0.17
        network.down = OPEN
        assert await said(streams, b"y" * 100_000) == b"y" * 100_000


async def test_what_was_held_arrives_afterwards(network: Proxy) -> None:
    async with client(network) as streams:
        network.both(Way(hold=True))
        streams[1].write(b"held")
        assert await silent(streams)
        network.both(OPEN)
        assert await said(streams, b" back") == b"held "


@pytest.mark.parametrize("way", ["up", "down"])
async def test_a_connection_that_lost_bytes_passes_none_ever_again(
    network: Proxy, echo: Echo, way: str
) -> None:
    async with client(network) as streams, client(network) as idle:
        setattr(network, way, Way(swallow=True))
        streams[1].write(b"lost")
        assert await silent(streams)
        setattr(network, way, OPEN)
        streams[1].write(b"as well")
        assert await silent(streams)
        assert await said(idle, b"well") == b"well"  # it had lost nothing
    assert echo.ends.empty()


async def test_a_reset_is_seen_by_both_sides(network: Proxy, echo: Echo) -> None:
    async with client(network) as streams:
        assert await said(streams, b"x") == b"x"
        network.both(Way(hold=True))
        assert network.reset() == 1
        with pytest.raises(ConnectionResetError):
            await said(streams, b"y")
    await echo.ended("reset")
    assert network.reset() == 0


async def test_a_cut_ends_in_order_and_loses_what_is_under_way(network: Proxy, echo: Echo) -> None:
    async with client(network) as streams:
        assert await said(streams, b"x") == b"x"
        network.down = Way(delay=1.0)
        streams[1].write(b"lost")
        await asyncio.sleep(0.05)
        network.cut()
        assert await said(streams, b"") == b""
        assert await streams[0].read() == b""
    await echo.ended("end")


async def test_one_way_ends_and_the_other_goes_on(network: Proxy, echo: Echo) -> None:
    async with client(network) as streams:
        network.down = Way(delay=0.2)
        streams[1].write(b"on its way")
        await asyncio.sleep(0.05)
        network.half_close("up")
        streams[1].write(b" never heard")
        await echo.ended("end")
        assert await streams[0].read() == b"on its way"


async def test_refused_at_the_port_that_stays_its_own(network: Proxy) -> None:
    async with client(network) as streams:
        network.refuse()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", network.port)
        assert await said(streams, b"goes on") == b"goes on"
    await network.accept()
    async with client(network) as streams:
        assert await said(streams, b"again") == b"again"


async def test_servers_take_turns_and_one_that_is_away_is_passed_over() -> None:
    heard = []
    async with (
        listening(Echo(b"a")) as first,
        listening(Echo(b"b")) as second,
        proxy(first, "127.0.0.1:1", second) as network,
    ):
        for _ in range(4):
            async with client(network) as (reader, _):
                heard.append(await reader.readexactly(1))
    assert heard == [b"a", b"b", b"a", b"b"]


async def test_with_no_server_a_client_is_reset() -> None:
    async with proxy("127.0.0.1:1") as network, client(network) as (reader, _):
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_a_server_on_a_unix_socket_is_reached(tmp_path: Path) -> None:
    path = tmp_path / "s"
    server = await asyncio.start_unix_server(Echo().serve, path)
    async with proxy(f"unix://:secret@{path}?db=3") as network, client(network) as streams:
        assert network.url == f"redis://:secret@127.0.0.1:{network.port}/3"
        assert await said(streams, b"hello") == b"hello"
        network.reset()
    server.close()


@pytest.mark.parametrize(
    ("given", "through"),
    [
        ("h:1", "p:9"),
        ("http://h:1/path", "http://p:9/path"),
        ("redis://user:word@h/2", "redis://user:word@p:9/2"),
        ("unix:///run/redis.sock", "redis://p:9/0"),
    ],
)
def test_an_address_leads_through_the_proxy(given: str, through: str) -> None:
    assert Target.parse(given).by_way_of("p", 9) == through


@pytest.mark.parametrize("wrong", ["", "host", "ftp://h", "http://:1"])
def test_an_address_without_a_server_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="an address is"):
        Target.parse(wrong)
