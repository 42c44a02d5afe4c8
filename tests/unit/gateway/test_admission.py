"""A gateway lets in what it can serve, and no address takes all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.admission import MAX_TRACKED, Admission
from steno_gateway.domain.errors import ClientError
from steno_gateway.settings import GatewaySettings


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def make(clock: Clock | None = None, **settings: float) -> Admission:
    return Admission(GatewaySettings(**settings), clock or Clock())  # type: ignore[arg-type]


def test_one_session_more_than_there_is_room_for_is_refused() -> None:
    admission = make(max_sessions=1)
    with admission.session():
        with pytest.raises(ClientError) as caught, admission.session():
            pass
        assert (caught.value.code, caught.value.fault.http) == ("too_many_sessions", 503)
        assert caught.value.details == {"retry_after_ms": 5_000}
    with admission.session():
        assert admission.sessions == 1


def test_a_session_that_fails_gives_its_place_back() -> None:
    admission = make(max_sessions=1)
    with pytest.raises(ZeroDivisionError), admission.session():
        raise ZeroDivisionError
    assert admission.sessions == 0


def test_the_sockets_of_one_address_do_not_count_for_another() -> None:
    admission = make(max_connections_per_ip=1)
    with admission.socket("a"), admission.socket("b"):
        with pytest.raises(ClientError) as caught, admission.socket("a"):
            pass
        assert caught.value.code == "too_many_connections"
    with admission.socket("a"):
        pass


def test_an_address_without_sockets_is_forgotten() -> None:
    admission = make()
    with admission.socket("a"):
        pass
    assert not admission._sockets


def test_handshakes_of_one_address_have_a_rate() -> None:
    clock = Clock()
    admission = make(clock, max_handshakes_per_second_per_ip=1.0)
    for _ in range(4):
        admission.handshake("a")
    with pytest.raises(ClientError) as caught:
        admission.handshake("a")
    assert caught.value.details == {"retry_after_ms": 1_001}
    admission.handshake("b")
    clock.now = 1.01
    admission.handshake("a")


def test_addresses_that_were_seen_are_remembered_within_a_bound() -> None:
    admission = make()
    for number in range(MAX_TRACKED + 10):
        admission.handshake(str(number))
    assert len(admission._handshakes) == MAX_TRACKED


@given(st.lists(st.sampled_from("abc"), max_size=60))
def test_at_no_time_does_an_address_hold_more_than_it_may(moves: list[str]) -> None:
    admission, held = make(max_connections_per_ip=2), dict.fromkeys("abc", 0)
    opened = []
    for address in moves:
        place = admission.socket(address)
        try:
            place.__enter__()
        except ClientError:
            assert held[address] == 2
            if opened:
                leaving, name = opened.pop(0)
                leaving.__exit__(None, None, None)
                held[name] -= 1
            continue
        opened.append((place, address))
        held[address] += 1
        assert held[address] <= 2
    for place, _ in opened:
        place.__exit__(None, None, None)
    assert not admission._sockets
