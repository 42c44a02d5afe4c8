"""The console is a page without anything from elsewhere, for those who ask for a page."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from steno_common.archive import Archive
from steno_common.lifecycle import Lifecycle
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.sessions import SessionStore
from steno_common.store.workers import WorkerStore
from steno_gateway.access import open_access
from steno_gateway.admission import Admission
from steno_gateway.app import build
from steno_gateway.console import CONTENT_TYPES, FOLDER, prefers_html
from steno_gateway.feed import Feed
from steno_gateway.services import Services
from steno_gateway.settings import GatewaySettings
from steno_gateway.status import StatusBoard

ASSETS = sorted(path for path in FOLDER.iterdir() if path.suffix in CONTENT_TYPES)
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


Client = TestClient[web.Request, web.Application]


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    """Serve the gateway; its Redis is not there."""
    settings, limits = GatewaySettings(output=str(tmp_path)), Limits()
    async with open_link("redis://127.0.0.1:1/0") as link:
        store = SessionStore(link, limits)
        life, admission = Lifecycle(), Admission(settings, time.monotonic)
        services = Services(settings, limits, store, Feed(store), Archive(settings.output),
                            admission, life, open_access(settings),
                            status=StatusBoard(life, admission, WorkerStore(link, limits))
                            )  # fmt: skip
        async with TestClient(TestServer(build(services))) as client:
            yield client


@pytest.mark.parametrize(
    ("accept", "html"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/html, */*", True),
        ("text/*", True),
        ("TEXT/HTML;level=1;q=0.5", True),
        ("application/json;q=0.5, text/html", True),
        ("", False),
        ("*/*", False),
        ("application/json", False),
        ("text/html, application/json", False),
        ("text/html;q=0.4, application/json;q=0.5", False),
        ("text/html;q=0, */*", False),
        ("text/html;q=0", False),
        ("text/html;q=much", False),
        (",;,q=", False),
    ],
)
def test_html_is_for_those_who_rank_it_above_json(accept: str, html: bool) -> None:
    assert prefers_html(accept) is html


async def test_a_browser_gets_the_page(client: Client) -> None:
    answer = await client.get("/", headers={"Accept": BROWSER})
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<title>Steno console</title>" in await answer.text()


@pytest.mark.parametrize("accept", ["*/*", "application/json"])
async def test_a_program_gets_health_as_json(client: Client, accept: str) -> None:
    answer = await client.get("/", headers={"Accept": accept})
    assert answer.headers["Vary"] == "Accept"
    assert await answer.json() == {
        "status": "degraded",
        "active_clients": 0,
        "engine_ready": False,
        "transcribers": 0,
        "ready": {"accepting": True},
    }


async def test_the_page_may_use_nothing_but_itself_and_the_microphone(client: Client) -> None:
    answer = await client.get("/", headers={"Accept": BROWSER})
    headers = answer.headers
    assert headers["Vary"] == "Accept"
    policy = headers["Content-Security-Policy"].split("; ")
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["Permissions-Policy"] == "microphone=(self)"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in headers


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
async def test_an_asset_comes_with_its_type(client: Client, path: Path) -> None:
    answer = await client.get(f"/console/{path.name}")
    assert answer.status == 200
    assert answer.content_type == CONTENT_TYPES[path.suffix]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert len(await answer.read()) == path.stat().st_size  # noqa: ASYNC240 - of a small file


@pytest.mark.parametrize(
    "name", ["__init__.py", "nothing.js", "..%2Fapp.py", "%2e%2e%2fapp.py", ".", "a/b.js"]
)
async def test_nothing_else_is_served(client: Client, name: str) -> None:
    answer = await client.get(f"/console/{name}")
    assert answer.status == 404


async def test_an_asset_that_is_known_already_is_not_sent_again(client: Client) -> None:
    first = await client.get("/console/console.js")
    again = await client.get(
        "/console/console.js", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status == 304


@pytest.mark.parametrize("path", ASSETS, ids=lambda path: path.name)
def test_no_asset_names_an_address_elsewhere(path: Path) -> None:
    text = path.read_text().replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"(?:https?|wss?)://\S+|(?:src|href)=\"//", text) == []


def test_all_that_the_page_asks_for_is_there() -> None:
    names = {path.name for path in ASSETS}
    for path in ASSETS:
        text = path.read_text()
        asked = set(re.findall(r"\"/console/([^\"]+)\"", text))
        asked |= set(re.findall(r"from \"\./([^\"]+)\"", text))
        assert asked <= names, path.name


def test_no_script_or_style_is_inline() -> None:
    page = (FOLDER / "index.html").read_text()
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on\w+=", page) == []
