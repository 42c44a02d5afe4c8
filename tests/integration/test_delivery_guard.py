"""R5: an address that a session names leads to no host of the installation's own network."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from tests.integration.receiver_rig import answering, raw, receiving, senders
from tests.unit.notifier.parcels import final, parcel, spoken

from steno_notifier.domain.outgoing import Verdict
from steno_notifier.senders.resolving import OwnThreads

FORBIDDEN = Verdict("never", "forbidden_address")


class Names(AbstractResolver):
    """Answers with addresses, one list for each look-up: so rebinding shows itself."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            ResolveResult(hostname=host, host=address, port=port, proto=0, flags=0,
                          family=socket.AF_INET6 if ":" in address else socket.AF_INET)
            for address in found
        ]  # fmt: skip

    async def close(self) -> None:
        pass


@dataclass
class Target:
    """Something of the installation's own that nobody else should reach."""

    port: int = 0
    reached: list[str] = field(default_factory=list)


@asynccontextmanager
async def target() -> AsyncIterator[Target]:
    found = Target()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.reached.append(writer.get_extra_info("sockname")[0])

    async with raw(speak) as found.port:
        yield found


@pytest.mark.parametrize("kind", ["webhook", "relay", "pipeline"])
async def test_a_name_that_leads_inside_is_not_connected_to(kind: str) -> None:
    async with target() as inside:
        for name in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.0.0.5", "169.254.169.254"):
            async with senders(Names([name]), delivery_allow=()) as opened:
                url = f"https://receiver.example:{inside.port}/in"
                sent = spoken(final(), url=url) if kind == "relay" else parcel(
                    final(), url, kind=kind
                )  # fmt: skip
                assert await opened[kind].send(sent) == FORBIDDEN
    assert inside.reached == []


async def test_a_websocket_is_guarded_too() -> None:
    async with target() as inside, senders(Names(["127.0.0.1"]), delivery_allow=()) as opened:
        sent = spoken(final(), url=f"wss://receiver.example:{inside.port}/in")
        assert await opened["relay"].send(sent) == FORBIDDEN
    assert inside.reached == []


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "127.1", "0x7f000001", "0177.0.0.1",
     "0", "169.254.169.254", "[fe80::1]", "localhost"],
)  # fmt: skip
async def test_a_written_address_is_guarded_in_every_spelling(host: str) -> None:
    async with target() as inside, senders(delivery_allow=()) as opened:
        verdict = await opened["webhook"].send(
            parcel(final(), f"https://{host}:{inside.port}/in")
        )  # fmt: skip
        assert verdict.kind == "never" or verdict.reason == "unreachable"
    assert inside.reached == []


@pytest.mark.parametrize(
    "url",
    ["http://receiver.example/", "ftp://receiver.example/", "file:///etc/passwd", "", "https://",
     "https://user:pass@receiver.example/", "https://receiver.example:99999/", "//receiver.example",
     "http+unix://%2Fvar%2Frun%2Fdocker.sock/", "gopher://receiver.example/"],
)  # fmt: skip
async def test_an_address_of_another_form_is_refused(url: str) -> None:
    async with senders(Names(["127.0.0.1"]), delivery_allow=()) as opened:
        verdict = await opened["webhook"].send(parcel(final(), url))
    assert verdict.kind == "never"


async def test_a_name_that_changes_between_two_tries_is_looked_at_each_time() -> None:
    """DNS rebinding: a good answer first, then one that leads inside."""
    names = Names(["127.0.0.2"], ["127.0.0.1"])
    async with target() as inside, senders(names, delivery_allow=("127.0.0.2",)) as opened:
        for port, expected in ((1, "unreachable"), (inside.port, "forbidden_address")):
            sent = parcel(final(), f"https://receiver.example:{port}/in")
            assert (await opened["webhook"].send(sent)).reason == expected
    assert inside.reached == []


async def test_of_several_addresses_only_those_that_are_allowed_are_connected_to() -> None:
    names = Names(["127.0.0.1", "127.0.0.2"])
    connected: list[str] = []

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer.get_extra_info("sockname")[0])
        writer.close()

    server = await asyncio.start_server(speak, "0.0.0.0", 0)
    async with server, senders(names, delivery_allow=("127.0.0.2",)) as opened:
        port = server.sockets[0].getsockname()[1]
        sent = parcel(final(), f"https://receiver.example:{port}/in")
        assert (await opened["webhook"].send(sent)).kind == "again"
    assert set(connected) == {"127.0.0.2"}


async def test_a_network_that_is_allowed_is_reached_through_the_guard() -> None:
    async with receiving() as receiver, senders(delivery_allow=("127.0.0.0/8",)) as opened:
        assert await opened["webhook"].send(parcel(final(), receiver.url())) == Verdict("delivered")


async def test_a_host_that_is_allowed_is_reached_whatever_its_address() -> None:
    async with receiving() as receiver, senders(delivery_allow=("localhost",)) as opened:
        sent = parcel(final(), f"http://localhost:{receiver.port}/in")
        assert await opened["webhook"].send(sent) == Verdict("delivered")


async def test_a_redirect_of_an_allowed_host_leads_nowhere() -> None:
    async with target() as inside:
        there = f"http://127.0.0.1:{inside.port}/"
        async with (
            receiving(answering(307, Location=there)) as receiver,
            senders(delivery_allow=("localhost",)) as opened,
        ):
            for kind, scheme in (("webhook", "http"), ("relay", "http"), ("relay", "ws")):
                url = f"{scheme}://localhost:{receiver.port}/in"
                sent = spoken(final(), url=url, kind=kind)
                assert (await opened[kind].send(sent)).reason == "http_307", url
    assert inside.reached == []


async def test_names_that_hang_hold_up_no_other_receiver() -> None:
    class Hanging(Names):
        async def resolve(self, *_: object, **__: object) -> list[ResolveResult]:
            await asyncio.sleep(600)
            raise AssertionError

    async with receiving() as receiver:
        url = receiver.url().replace("127.0.0.1", "localhost")
        settings = {"delivery_allow": (), "webhook_url": url, "delivery_seconds": 3.0}
        async with senders(Hanging([]), **settings) as opened:
            hanging = asyncio.create_task(
                opened["webhook"].send(parcel(final(), "https://receiver.example/"))
            )
            await asyncio.sleep(0)
            own = parcel(final(), url, name="webhook")
            assert await opened["webhook"].send(own) == Verdict("delivered")
            assert await hanging == Verdict("again", "timeout")


async def test_names_that_hang_hold_up_no_other_name(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()

    def look_up(host: str, port: int, *_: object, **__: object) -> list[object]:
        if host.startswith("slow"):
            over.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    names = OwnThreads()
    slow = [asyncio.create_task(names.resolve(f"slow-{n}.example")) for n in range(50)]
    await asyncio.sleep(0)
    (found,) = await names.resolve("quick.example", 443)
    assert (found["host"], found["port"]) == ("192.0.2.1", 443)
    assert not any(each.done() for each in slow)
    over.set()
    await asyncio.gather(*slow)
    await names.close()
