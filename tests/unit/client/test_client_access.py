"""The client shows its key to its server alone, and replaces a token that is not good any more."""

from pathlib import Path

import pytest
from aiohttp import web
from tests.unit.client.fake_gateway import SESSION, FakeGateway, running
from tests.unit.client.test_client_command import steno

from steno_client import Access, Policy, SessionError, get_transcript, list_transcripts, listen
from steno_client.domain.conversation import Conversation
from steno_client.domain.messages import Created, Token, parse
from steno_client.server import open_server

KEY = Access(api_key="anns-secret-of-the-day")
SHOWN = "Bearer anns-secret-of-the-day"


async def test_every_request_shows_the_key(gateway: FakeGateway) -> None:
    await list_transcripts(gateway.url, access=KEY)
    await get_transcript(gateway.url, "t1", access=KEY)
    assert gateway.shown == [SHOWN, SHOWN]


async def test_without_a_key_nothing_is_shown(gateway: FakeGateway) -> None:
    await list_transcripts(gateway.url)
    assert gateway.shown == [None]


async def test_the_key_is_for_the_server_alone(gateway: FakeGateway) -> None:
    async with (
        running(FakeGateway()) as elsewhere,
        open_server(gateway.url, Policy(), KEY) as server,
    ):
        await server.text(f"{elsewhere.url}/api/transcripts/t1.txt")
        assert elsewhere.shown == [None]


async def test_a_listener_may_come_with_a_token_alone(gateway: FakeGateway) -> None:
    gateway.finish()
    events = [event async for event in listen(gateway.url, SESSION, access=Access(token="st1.a.b"))]
    assert events
    assert gateway.shown == ["Bearer st1.a.b"]


async def test_a_key_is_no_part_of_what_is_shown_of_it() -> None:
    assert "secret" not in repr(KEY)


def test_the_newest_token_is_kept() -> None:
    talk = Conversation(Policy(), container=False)
    talk.token = "first"
    talk.heard(Created("s", "connected"), 0.0)
    assert talk.token == "first"
    talk.heard(Created("s", "connected", token="second"), 1.0)
    assert talk.token == "second"
    message = parse('{"type": "server:token", "token": "third", "token_expires_in": 600}')
    assert message == Token("third")
    talk.heard(message, 2.0)
    assert talk.token == "third"


@pytest.mark.parametrize(("arguments", "environment"), [
    (("--api-key", "anns-secret-of-the-day"), None),
    ((), "anns-secret-of-the-day"),
])  # fmt: skip
async def test_the_command_takes_its_key_from_either_place(
    gateway: FakeGateway, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...],
    environment: str | None,
) -> None:  # fmt: skip
    if environment is not None:
        monkeypatch.setenv("STENO_API_KEY", environment)
    code, _, _ = await steno("history", *arguments, url=gateway.url)
    assert (code, gateway.shown) == (0, [SHOWN])


async def test_a_file_without_certificates_is_told_before_anything_is_asked(
    gateway: FakeGateway, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("none.pem", "ca.pem"):
        code, _, told = await steno("history", "--ca", str(tmp_path / name), url=gateway.url)
        assert code == 2
        assert f"{name}: no certificates" in told
    assert gateway.shown == []


async def test_a_refused_key_is_an_error_at_once() -> None:
    async def refuse(_: web.Request) -> web.Response:
        body = {"type": "server:error", "code": "unauthorized", "message": "m", "retryable": False}
        return web.json_response(body, status=401)

    class Closed(FakeGateway):
        def application(self) -> web.Application:
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", refuse)
            return app

    async with running(Closed()) as gateway:
        with pytest.raises(SessionError) as caught:
            await list_transcripts(gateway.url)
    assert (caught.value.code, caught.value.retryable) == ("unauthorized", False)
