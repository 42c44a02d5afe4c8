"""R5: signatures of deliveries, verified by the library of Standard Webhooks."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
from tests.unit.notifier.parcels import OTHER_SECRET, SECRET

from steno_common.destinations import secret_keys
from steno_notifier.domain.signature import delivery_headers


def now() -> int:
    """Give the time at which it is signed; what is older than five minutes is refused."""
    return int(time.time())


def test_the_signature_is_the_one_of_the_published_example() -> None:
    headers = delivery_headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b'{"test": 2432232314}',
        secret_keys("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    )  # fmt: skip
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(st.text("abcdef0123456789-", min_size=1), st.binary(max_size=300).map(bytes.hex))
def test_what_is_signed_is_verified_and_nothing_else(name: str, text: str) -> None:
    body = b'"%s"' % text.encode()
    at = now()
    headers = delivery_headers(name, at, body, secret_keys(SECRET))
    assert Webhook(SECRET).verify(body, headers) == text
    for other in (
        (body + b" ", headers),
        (body, headers | {"webhook-id": name + "0"}),
        (body, headers | {"webhook-timestamp": str(at - 1)}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(*other)


def test_while_the_secret_changes_either_one_verifies() -> None:
    headers = delivery_headers("id", now(), b"{}", secret_keys(f"{OTHER_SECRET} {SECRET}"))
    assert headers["webhook-signature"].count("v1,") == 2
    for secret in (SECRET, OTHER_SECRET):
        assert Webhook(secret).verify(b"{}", headers) == {}


def test_without_a_secret_there_is_an_id_to_drop_repetitions_by_but_no_signature() -> None:
    assert delivery_headers("id", 5, b"{}", ()) == {"webhook-id": "id", "webhook-timestamp": "5"}
