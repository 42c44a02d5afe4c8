"""Engines that a session may ask for."""

import pytest

from steno_common.errors import SettingsError
from steno_common.settings import load
from steno_gateway.domain.client import parse_request, request_of_query
from steno_gateway.domain.engines import policy_of
from steno_gateway.domain.errors import ClientError
from steno_gateway.settings import GatewaySettings


def test_a_session_that_asks_for_nothing_goes_as_the_installation_says() -> None:
    assert policy_of((), ("whisper", "aws"), ("slow",)) == ("whisper", "aws")
    assert policy_of((), (), ()) == ()


def test_a_session_may_ask_for_what_is_allowed_in_any_order() -> None:
    assert policy_of(("aws", "whisper"), ("whisper", "aws"), ()) == ("aws", "whisper")
    assert policy_of(("slow", "aws", "slow"), ("whisper", "aws"), ("slow",)) == ("slow", "aws")


@pytest.mark.parametrize("default", [(), ("whisper",)])
def test_other_engines_are_refused(default: tuple[str, ...]) -> None:
    with pytest.raises(ClientError, match="aws") as caught:
        policy_of(("aws",), default, ())
    assert (caught.value.code, caught.value.fault.http) == ("unknown_engine", 422)


def test_engines_are_asked_for_in_a_body_as_in_an_address() -> None:
    assert parse_request(b'{"engines": ["whisper", "aws"]}').engines == ("whisper", "aws")
    assert request_of_query("audio/wav", [("engines", "whisper, aws")]).engines == (
        "whisper", "aws",
    )  # fmt: skip


@pytest.mark.parametrize("names", ['["a b"]', '["a=1"]', '[""]', '["%s"]' % ("a" * 33),
                                   '["a","b","c","d","e","f","g","h","i"]'])  # fmt: skip
def test_what_is_no_name_of_an_engine_is_refused(names: str) -> None:
    with pytest.raises(ClientError) as caught:
        parse_request(b'{"engines": %s}' % names.encode())
    assert caught.value.code == "invalid_message"


def test_settings_name_each_engine_once() -> None:
    settings = load(GatewaySettings, {"STENO_ENGINES": "whisper,aws"})
    assert settings.engines == ("whisper", "aws")
    with pytest.raises(SettingsError, match="no name of an engine"):
        load(GatewaySettings, {"STENO_ENGINES": "Big Whisper"})
    with pytest.raises(SettingsError, match="twice"):
        load(GatewaySettings, {"STENO_ENGINES": "aws", "STENO_ENGINES_ON_REQUEST": "aws"})
