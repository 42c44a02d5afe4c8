"""A credential is taken from headers and subprotocols, never from an address."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.credentials import (
    credential_of,
    of_event_source,
    offered_subprotocols,
)


@pytest.mark.parametrize(
    ("headers", "offered", "expected"),
    [
        ({}, [], None),
        ({"Authorization": "Bearer abc"}, [], "abc"),
        ({"Authorization": "bearer  abc "}, [], "abc"),
        ({"Authorization": "Bearer"}, [], None),
        ({"Authorization": "Basic YTpi"}, [], None),
        ({"Authorization": "Basic YTpi", "X-Api-Key": "abc"}, [], "abc"),
        ({"X-Api-Key": " abc "}, [], "abc"),
        ({"X-Api-Key": " "}, ["steno.token.st1.x.y"], "st1.x.y"),
        ({}, ["steno.v1", "steno.token.st1.x.y"], "st1.x.y"),
        ({}, ["steno.key.YWJj"], "abc"),
        ({}, ["steno.v1", "mqtt"], None),
    ],
)
def test_where_a_credential_is_found(
    headers: dict[str, str], offered: list[str], expected: str | None
) -> None:
    assert credential_of(headers, offered) == expected


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_a_key_of_any_characters_fits_into_a_subprotocol(key: str) -> None:
    offer = "steno.key." + urlsafe_b64encode(key.encode()).decode().rstrip("=")
    assert credential_of({}, offered_subprotocols(f"steno.v1, {offer}")) == key


@given(st.text())
def test_a_key_that_is_not_base64_is_just_not_known(text: str) -> None:
    assert isinstance(credential_of({}, [f"steno.key.{text}"]), str)


def test_offers_are_read_as_a_list() -> None:
    assert offered_subprotocols(" steno.v1 ,, mqtt") == ["steno.v1", "mqtt"]
    assert offered_subprotocols("") == []


def test_an_event_stream_may_show_a_token_but_no_key_in_its_address() -> None:
    assert of_event_source("st1.a.b") == "st1.a.b"
    assert of_event_source("secret-number-one") is None
    assert of_event_source(None) is None
