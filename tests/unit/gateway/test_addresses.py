"""Only a trusted proxy is believed when it says whom it heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_gateway.domain.addresses import client_address, counted_as, read_networks

PROXIES = read_networks("10.0.0.0/8, 192.0.2.7, ::1, fd00::/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.1"], "203.0.113.5"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1, 192.0.2.7"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1, 10.2.3.4"], "198.51.100.1"),
        ("10.0.0.1", ["unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, garbage, 10.2.3.4"], "10.2.3.4"),
        ("::1", ["2001:db8::1"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_whose_address_counts(peer: str, forwarded: list[str], expected: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected


@given(st.lists(st.text(max_size=40), max_size=4), st.ip_addresses())
def test_without_trusted_proxies_nothing_that_is_said_counts(
    forwarded: list[str], peer: object
) -> None:
    assert client_address(str(peer), forwarded, ()) == str(peer)


@given(st.lists(st.ip_addresses(), max_size=4))
def test_what_a_client_says_before_its_proxy_never_counts(said: list[object]) -> None:
    header = ", ".join([*map(str, said), "198.51.100.1"])
    assert client_address("10.0.0.1", [header], PROXIES) == "198.51.100.1"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("", ""),
    ],
)
def test_an_ipv6_host_counts_with_its_network(address: str, expected: str) -> None:
    assert counted_as(address) == expected


@pytest.mark.parametrize("text", ["nobody", "10.0.0.1/8", "10.0.0.0/33"])
def test_what_is_no_network_is_a_fault(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the settings say which
        read_networks(text)
