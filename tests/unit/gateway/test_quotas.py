"""What one key or one address may have at a time is bounded, whatever the others do."""

from contextlib import ExitStack

import pytest

from steno_gateway.admission import Admission
from steno_gateway.domain.access import Caller
from steno_gateway.domain.errors import ClientError
from steno_gateway.settings import GatewaySettings

ANN, BOB, ANYONE = Caller(key="ann", address="a"), Caller(key="bob", address="b"), Caller()


def make(**settings: float) -> Admission:
    return Admission(GatewaySettings(**settings), lambda: 0.0)  # type: ignore[arg-type]


def refused(admission: Admission, caller: Caller) -> tuple[str, int]:
    with pytest.raises(ClientError) as caught, admission.upload(caller):
        pass
    return caught.value.code, caught.value.fault.http


def test_the_sessions_of_one_key_do_not_count_for_another() -> None:
    admission = make(max_sessions_per_key=1)
    with admission.session("ann"), admission.session("bob"), admission.session(None):
        with pytest.raises(ClientError) as caught:
            admission.may_begin("ann")
        assert (caught.value.code, caught.value.details) == (
            "quota_exceeded", {"retry_after_ms": 5_000},
        )  # fmt: skip
        with pytest.raises(ClientError), admission.session("ann"):
            pass
        assert admission.sessions == 3
    admission.may_begin("ann")


def test_a_key_has_a_rate_of_requests_and_nobody_has_none() -> None:
    admission = make(max_handshakes_per_second_per_key=1.0)
    for _ in range(4):
        admission.handshake_of_key("ann")
    with pytest.raises(ClientError) as caught:
        admission.handshake_of_key("ann")
    assert (caught.value.code, caught.value.details) == (
        "quota_exceeded", {"retry_after_ms": 1_001},
    )  # fmt: skip
    for _ in range(10):
        admission.handshake_of_key(None)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"max_uploads_per_ip": 1}, ("too_many_connections", 429)),
        ({"max_connections_per_ip": 1}, ("too_many_connections", 429)),
        ({"max_uploads_per_key": 1}, ("quota_exceeded", 429)),
        ({"max_sessions_per_key": 1}, ("quota_exceeded", 429)),
        ({"max_sessions": 1}, ("too_many_sessions", 503)),
    ],
)
def test_an_upload_counts_as_upload_connection_and_session(
    settings: dict[str, float], code: tuple[str, int]
) -> None:
    admission = make(**settings)
    with admission.upload(ANN):
        assert refused(admission, ANN) == code
    with admission.upload(ANN):
        pass


def test_a_refused_upload_gives_back_what_it_had_already() -> None:
    admission = make(max_uploads_per_key=1)
    with ExitStack() as held:
        held.enter_context(admission.upload(ANN))
        refused(admission, ANN)
        assert (admission.sessions, admission._sockets["a"]) == (1, 1)
        held.enter_context(admission.upload(BOB))
        held.enter_context(admission.upload(ANYONE))
    assert admission.sessions == 0
    assert not admission._sockets
    assert not admission._uploads
    assert not admission._uploads_of_keys
    assert not admission._sessions_of_keys
