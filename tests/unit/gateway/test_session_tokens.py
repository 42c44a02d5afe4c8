"""A token gives what it says, until it expires, to nobody who changed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.access import KEY_RIGHTS, TOKEN_RIGHTS, Caller
from steno_gateway.domain.errors import ClientError
from steno_gateway.domain.keys import read_keys
from steno_gateway.domain.tokens import CLOCK_SKEW_SECONDS, Grant, Keyring

SESSION = "11111111-1111-4111-8111-111111111111"
ANN, BOB = "ann:secret-number-one", "bob:secret-number-two"
RING = Keyring(read_keys([ANN, BOB]))
GRANT = Grant("ann", SESSION, "speak", 1_000)


def issued(ring: Keyring = RING, grant: Grant = GRANT) -> str:
    token = ring.issue(grant)
    assert token is not None
    return token


def refusal(ring: Keyring, credential: str, now: float = 0.0) -> str:
    with pytest.raises(ClientError) as caught:
        ring.caller(credential, now)
    return caught.value.code


def test_a_token_has_a_form_that_a_subprotocol_and_an_address_may_hold() -> None:
    token = issued(grant=Grant("ann", SESSION, "listen", 1_700_000_600))
    assert token.startswith("st1.")
    assert set(token) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")
    assert len(token) < 200


def test_this_token_stays_readable() -> None:
    token = (
        "st1.WyJhbm4iLCIxMTExMTExMS0xMTExLTQxMTEtODExMS0xMTExMTExMTExMTEiLCJzcGVhayIsMTAwMF0."
        "fsC7CRFGnfcO8P3q2F_RuRvxfQDAYKA6ojgs5GmiZwU"
    )
    assert issued() == token


def test_a_token_gives_its_right_in_its_session_alone() -> None:
    assert RING.caller(issued(), 0.0) == Caller(TOKEN_RIGHTS["speak"], "ann", SESSION)
    listener = issued(grant=Grant("bob", SESSION, "listen", 1_000))
    assert RING.caller(listener, 0.0) == Caller(frozenset({"listen"}), "bob", SESSION)
    translator = issued(grant=Grant("bob", SESSION, "translate", 1_000))
    assert RING.caller(translator, 0.0) == Caller(frozenset({"translate"}), "bob", SESSION)


def test_a_key_gives_its_rights_in_all_sessions() -> None:
    assert RING.caller("secret-number-two", 0.0) == Caller(KEY_RIGHTS, "bob")
    assert refusal(RING, "secret-number-three") == "unauthorized"


def test_a_token_expires_but_for_what_clocks_may_differ() -> None:
    assert CLOCK_SKEW_SECONDS == 30
    RING.caller(issued(), 1_030.0)
    assert refusal(RING, issued(), 1_030.5) == "token_expired"


@given(st.data())
def test_a_token_with_any_character_changed_is_no_token(data: st.DataObject) -> None:
    token = issued()
    at = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AbZ09-_.=\x00é").filter(lambda c: c != token[at]))
    assert refusal(RING, token[:at] + other + token[at + 1 :]) == "unauthorized"


@given(st.text(st.characters(), max_size=300))
def test_whatever_else_is_shown_is_refused(text: str) -> None:
    assert refusal(RING, text) == "unauthorized"
    assert refusal(RING, "st1." + text) == "unauthorized"


def test_gateways_with_the_same_keys_agree_in_whatever_order_they_have_them() -> None:
    assert Keyring(read_keys([BOB, ANN])).caller(issued(), 0.0).key == "ann"


def test_another_key_that_comes_or_goes_changes_nothing() -> None:
    assert Keyring(read_keys([ANN])).caller(issued(), 0.0).key == "ann"


def test_a_key_that_is_withdrawn_takes_its_tokens_along() -> None:
    left = Keyring(read_keys([BOB]))
    assert refusal(left, issued()) == "unauthorized"
    assert left.issue(GRANT) is None


def test_while_a_secret_is_replaced_tokens_of_both_are_good_and_new_ones_outlive_the_old() -> None:
    renewed = "ann:the-secret-after-it"
    both, after = Keyring(read_keys([ANN, renewed])), Keyring(read_keys([renewed]))
    assert both.caller(issued(), 0.0).key == "ann"
    assert after.caller(issued(both), 0.0).key == "ann"
    assert refusal(after, issued()) == "unauthorized"


def test_with_a_secret_of_their_own_tokens_cannot_be_made_from_the_file_of_keys() -> None:
    secret = Keyring(RING.keys, b"a secret of thirty-two characters")
    assert refusal(secret, issued()) == "unauthorized"
    assert secret.caller(issued(secret), 0.0).session_id == SESSION
    renewed = Keyring(read_keys(["ann:the-secret-after-it"]), secret.token_secret)
    assert renewed.caller(issued(secret), 0.0).key == "ann"
    gone = Keyring(read_keys([BOB]), secret.token_secret)
    assert refusal(gone, issued(secret)) == "unauthorized"


def test_a_token_of_one_name_is_none_of_another() -> None:
    secret = Keyring(RING.keys, b"a secret of thirty-two characters")
    body, _, signature = issued(secret).removeprefix("st1.").partition(".")
    bobs = issued(secret, Grant("bob", SESSION, "speak", 1_000)).rpartition(".")[0]
    assert body not in bobs
    assert refusal(secret, f"{bobs}.{signature}") == "unauthorized"
