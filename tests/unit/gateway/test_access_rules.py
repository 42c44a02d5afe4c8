"""Every route says what it takes, and a caller without that right is told so."""

import time
from pathlib import Path

import pytest
from aiohttp import web

from steno_common.archive import Archive
from steno_common.errors import SettingsError
from steno_common.lifecycle import Lifecycle
from steno_common.store.limits import Limits
from steno_common.store.link import open_link
from steno_common.store.sessions import SessionStore
from steno_gateway.access import open_access
from steno_gateway.admission import Admission
from steno_gateway.app import build
from steno_gateway.domain.access import ALL_RIGHTS, DOORS, KEY_RIGHTS, TOKEN_RIGHTS, Caller, needed
from steno_gateway.domain.errors import ClientError
from steno_gateway.feed import Feed
from steno_gateway.services import Services
from steno_gateway.settings import GatewaySettings

HERE, ELSEWHERE = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
SPEAKER = Caller(TOKEN_RIGHTS["speak"], "ann", HERE)
LISTENER = Caller(TOKEN_RIGHTS["listen"], "ann", HERE)
TRANSLATOR = Caller(TOKEN_RIGHTS["translate"], "ann", HERE)
HOLDER = Caller(KEY_RIGHTS, "ann")


async def application(folder: Path) -> web.Application:
    settings, limits = GatewaySettings(output=str(folder)), Limits()
    async with open_link("redis://127.0.0.1:1/0") as link:
        store = SessionStore(link, limits)
        services = Services(settings, limits, store, Feed(store), Archive(settings.output),
                            Admission(settings, time.monotonic), Lifecycle(),
                            open_access(settings))  # fmt: skip
        return build(services)


async def test_every_route_says_what_it_takes(tmp_path: Path) -> None:
    app = await application(tmp_path)
    routes = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    assert routes == set(DOORS)


def test_what_anybody_may_see_tells_nothing_of_anybody() -> None:
    public = {path for (_, path), right in DOORS.items() if right is None}
    assert public == {"/", "/status", "/st", "/healthz", "/readyz", "/console/{name}"}


def test_a_route_that_says_nothing_takes_an_api_key() -> None:
    assert needed("GET", "/new") == "manage"
    assert needed("HEAD", "/healthz") is None


@pytest.mark.parametrize(
    ("caller", "right", "session_id", "code"),
    [
        (Caller(), "listen", HERE, "unauthorized"),
        (Caller(), "manage", None, "unauthorized"),
        (SPEAKER, "manage", None, "forbidden"),
        (SPEAKER, "manage", HERE, "forbidden"),
        (SPEAKER, "speak", ELSEWHERE, "forbidden"),
        (SPEAKER, "listen", ELSEWHERE, "forbidden"),
        (LISTENER, "speak", HERE, "forbidden"),
        (LISTENER, "manage", HERE, "forbidden"),
        (LISTENER, "translate", HERE, "forbidden"),
        (SPEAKER, "translate", HERE, "forbidden"),
        (TRANSLATOR, "translate", ELSEWHERE, "forbidden"),
        (TRANSLATOR, "listen", HERE, "forbidden"),
        (TRANSLATOR, "speak", HERE, "forbidden"),
        (TRANSLATOR, "restore", HERE, "forbidden"),
        (TRANSLATOR, "manage", HERE, "forbidden"),
        (HOLDER, "speak", HERE, "forbidden"),
    ],
)
def test_what_a_caller_may_not_do_is_refused(
    caller: Caller, right: str, session_id: str | None, code: str
) -> None:
    with pytest.raises(ClientError) as caught:
        caller.require(right, session_id)  # type: ignore[arg-type]
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("caller", "right", "session_id"),
    [
        (SPEAKER, "speak", HERE),
        (SPEAKER, "listen", HERE),
        (LISTENER, "listen", HERE),
        (HOLDER, "listen", HERE),
        (HOLDER, "manage", None),
        (HOLDER, "translate", HERE),
        (TRANSLATOR, "translate", HERE),
        (Caller(ALL_RIGHTS), "speak", HERE),
    ],
)
def test_what_a_caller_may_do_is_done(caller: Caller, right: str, session_id: str | None) -> None:
    caller.require(right, session_id)  # type: ignore[arg-type]


def test_all_faults_of_the_settings_are_told_at_once_without_a_secret(tmp_path: Path) -> None:
    settings = GatewaySettings(
        api_keys="ann:canary", api_keys_file=str(tmp_path / "none"), token_secret="canary",
        token_seconds=0.0,
        allowed_origins="example.org", trusted_proxies="nobody",
    )  # fmt: skip
    with pytest.raises(SettingsError) as caught:
        open_access(settings)
    assert "canary" not in str(caught.value)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == [
        "STENO_API_KEYS, STENO_API_KEYS_FILE", "STENO_TOKEN_SECRET", "STENO_TOKEN_SECONDS",
        "STENO_ALLOWED_ORIGINS", "STENO_TRUSTED_PROXIES",
    ]  # fmt: skip


def test_a_file_of_keys_that_is_not_there_is_a_fault_and_opens_nothing(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        open_access(GatewaySettings(api_keys_file=str(tmp_path / "none")))


def test_an_empty_file_of_keys_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# nobody yet\n")
    keyring = open_access(GatewaySettings(api_keys_file=str(tmp_path / "keys"))).keyring
    assert keyring is not None
    with pytest.raises(ClientError):
        keyring.caller("anything at all, however long", 0.0)


def test_settings_that_are_shown_hide_their_secrets() -> None:
    shown = repr(GatewaySettings(api_keys="ann:canary-canary-canary", token_secret="canary" * 9))
    assert "canary" not in shown
