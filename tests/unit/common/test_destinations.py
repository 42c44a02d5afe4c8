"""What an installation and its sessions may name as destinations."""

import base64
from typing import Any

import msgspec
import pytest

from steno_common.destinations import (
    Allowed,
    DestinationSettings,
    Installed,
    can_answer,
    check_url,
    secret_key,
    secret_keys,
)
from steno_common.errors import SettingsError
from steno_common.messages import Destination

KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
NONE = Allowed()


def test_a_secret_holds_its_key() -> None:
    assert secret_key(SECRET) == KEY


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", SECRET[6:], "whsec_c2hvcnQ=", "whsec_" + "!" * 40, SECRET + "AAAA" * 30],
)
def test_other_secrets_are_refused(secret: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        secret_key(secret)


def test_while_a_secret_is_changed_there_are_two_apart_by_a_space() -> None:
    other = "whsec_" + base64.b64encode(KEY[::-1]).decode()
    assert secret_keys(f"{SECRET} {other}") == (KEY, KEY[::-1])
    assert secret_keys("") == ()
    assert DestinationSettings(webhook_secret=f"{SECRET} {other}")
    with pytest.raises(ValueError, match="whsec_"):
        secret_keys(f"{SECRET} {other},")


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("webhook", "https://example.com/hook?a=b"),
        ("webhook", "https://example.com:8443"),
        ("relay", "wss://example.com/texts"),
        ("relay", "https://[2001:db8::1]/"),
        ("pipeline", "https://example.com/translate"),
    ],
)
def test_a_session_may_name_what_is_encrypted(kind: str, url: str) -> None:
    check_url(kind, url, NONE)


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        ("webhook", "http://example.com/"),
        ("webhook", "wss://example.com/"),
        ("relay", "ws://example.com/"),
        ("webhook", "ftp://example.com/"),
        ("webhook", "https:///path"),
        ("webhook", "https://user:word@example.com/"),
        ("webhook", "https://example.com/#part"),
        ("webhook", "https://example.com:port/"),
        ("webhook", "https://exämple.com/"),
        ("webhook", "https://example.com/ a"),
        ("webhook", "https://example.com/\r\nX: y"),
        ("webhook", "https://example.com/" + "a" * 2048),
        ("webhook", ""),
    ],
)
def test_nothing_else(kind: str, url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_url(kind, url, NONE)


@pytest.mark.parametrize(
    ("names", "host", "has"),
    [
        (("10.0.0.0/8",), "10.1.2.3", True),
        (("10.0.0.0/8",), "11.1.2.3", False),
        (("fd00::/8",), "fd00::1", True),
        (("127.0.0.1",), "127.0.0.1", True),
        (("Receiver.internal",), "receiver.INTERNAL", True),
        (("receiver.internal",), "other.internal", False),
        ((), "127.0.0.1", False),
    ],
)
def test_hosts_and_networks_are_allowed_by_name(
    names: tuple[str, ...], host: str, has: bool
) -> None:
    assert Allowed.read(names).has(host) is has


def test_an_allowed_host_may_do_without_encryption() -> None:
    allowed = Allowed.read(("10.0.0.0/8", "receiver.internal"))
    check_url("webhook", "http://10.1.2.3:9000/hook", allowed)
    check_url("relay", "ws://receiver.internal/", allowed)
    with pytest.raises(ValueError, match="https"):
        check_url("webhook", "ws://receiver.internal/", allowed)


def test_an_installation_without_urls_has_no_destinations() -> None:
    assert Installed().destinations == ()


def test_a_session_names_those_of_the_installation_without_url_and_secret() -> None:
    installed = Installed(webhook_url="https://a/", relay_url="wss://b/",
                          translation_pipeline_function_name="translate")  # fmt: skip
    assert installed.destinations == (
        Destination("webhook", "webhook"),
        Destination("relay", "relay"),
        Destination("pipeline", "pipeline"),
    )


def test_the_settings_say_the_rest() -> None:
    settings = DestinationSettings(
        webhook_url="https://a/", relay_url="wss://b/", translation_pipeline_url="https://c/",
        webhook_secret=SECRET, webhook_events=("final",),
    )  # fmt: skip
    assert [settings.resolve(each) for each in settings.destinations] == [
        Destination("webhook", "webhook", "https://a/", SECRET, ("final",)),
        Destination("relay", "relay", "wss://b/"),
        Destination("pipeline", "pipeline", "https://c/"),
    ]
    own = Destination("hook-1", "webhook", "https://d/")
    assert settings.resolve(own) == own


def test_the_settings_say_whether_the_relay_answers() -> None:
    settings = DestinationSettings(relay_url="wss://b/", relay_answers=True)
    relay = Destination("relay", "relay", "wss://b/", answers=True)
    (named,) = settings.destinations
    assert settings.resolve(named) == relay
    assert msgspec.structs.replace(settings.resolve(named), url="", answers=False) == named
    own = Destination("relay-1", "relay", "wss://d/")
    assert settings.resolve(own) == own


def test_a_relay_that_is_not_there_need_not_answer() -> None:
    assert DestinationSettings(relay_answers=True).destinations == ()


@pytest.mark.parametrize(
    ("kind", "url", "can"),
    [
        ("relay", "ws://a/", True),
        ("relay", "WSS://a/", True),
        ("relay", "https://a/", False),
        ("webhook", "wss://a/", False),
    ],
)
def test_only_a_relay_over_websocket_can_answer(kind: str, url: str, can: bool) -> None:
    assert can_answer(kind, url) is can


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"webhook_url": "example.com"}, "STENO_WEBHOOK_URL"),
        ({"relay_url": "ftp://b/"}, "STENO_RELAY_URL"),
        ({"webhook_url": "https:///path"}, "STENO_WEBHOOK_URL: no host"),
        ({"webhook_url": "https://[::1/path"}, "STENO_WEBHOOK_URL: no host"),
        ({"relay_url": "wss://b:65536/"}, "STENO_RELAY_URL: no host, or a port"),
        ({"delivery_allow": ("10.0.0.1/8",)}, "STENO_DELIVERY_ALLOW"),
        ({"delivery_allow": ("receiver.internal:9000",)}, "STENO_DELIVERY_ALLOW"),
        ({"delivery_allow": ("*.internal",)}, "STENO_DELIVERY_ALLOW"),
        ({"translation_pipeline_url": "wss://c/"}, "STENO_TRANSLATION_PIPELINE_URL"),
        ({"translation_pipeline_url": "http://c/", "translation_pipeline_function_name": "f"},
         "there is a function too"),
        ({"webhook_secret": "secret"}, "STENO_WEBHOOK_SECRET"),
        ({"webhook_events": ("partial",)}, "STENO_WEBHOOK_EVENTS"),
        ({"webhook_retries": (1.0, 0.0)}, "STENO_WEBHOOK_RETRIES"),
        ({"relay_url": "https://b/", "relay_answers": True}, "STENO_RELAY_ANSWERS: .* not ws"),
        ({"relay_retries": ()}, "STENO_RELAY_RETRIES"),
        ({"relay_retries": (-1.0,)}, "STENO_RELAY_RETRIES"),
        ({"delivery_seconds": 0.0}, "STENO_DELIVERY_SECONDS"),
    ],
)  # fmt: skip
def test_wrong_settings_are_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said) as raised:
        DestinationSettings(**wrong)
    assert "secret" not in str(raised.value)


def test_secrets_and_addresses_are_in_no_representation() -> None:
    shown = repr(DestinationSettings(webhook_url="https://a/?key=k", webhook_secret=SECRET))
    assert "https" not in shown
    assert SECRET not in shown
