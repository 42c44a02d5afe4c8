"""What a socket says of whether it took what was said."""

from collections.abc import Sequence
from typing import Any

from aiohttp import ClientConnectionResetError, WSMsgType

from steno_common.public import Json
from steno_gateway.domain.dialects.native import Native
from steno_gateway.socket import Peer


class Ws:
    """A WebSocket that keeps what is written to it."""

    def __init__(self, close_code: int | None = None, *, broken: bool = False) -> None:
        self.close_code, self.broken = close_code, broken
        self.written: list[bytes] = []

    async def send_frame(self, message: bytes, opcode: WSMsgType) -> None:
        assert opcode is WSMsgType.TEXT
        if self.broken:
            raise ClientConnectionResetError("Cannot write to closing transport")
        self.written.append(message)


class Wordy(Native):
    """A dialect that says a message so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def word(self, message: Json, _now: float, /) -> Sequence[Json]:
        return [message] * self.times


async def say(ws: Any, times: int = 1) -> bool:
    return await Peer(ws, None, 60.0).say(Wordy(times), {"n": 1})


async def test_what_is_written_was_taken() -> None:
    ws = Ws()
    assert await say(ws, 2)
    assert ws.written == [b'{"n":1}', b'{"n":1}']


async def test_who_has_said_that_it_closes_takes_nothing_more() -> None:
    ws = Ws(close_code=1000)
    assert not await say(ws)
    assert ws.written == []


async def test_who_is_gone_takes_nothing() -> None:
    assert not await say(Ws(broken=True))


async def test_what_has_no_words_is_taken_by_nobody() -> None:
    assert not await say(Ws(), 0)
