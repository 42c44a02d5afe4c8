"""R5: which addresses a session's own URLs may lead to."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steno_common.destinations import Allowed
from steno_notifier.domain.reachable import reachable

NOBODY = Allowed().has
HOUSE = Allowed.read(("10.1.0.0/16", "fd00:1::/32", "inside.example")).has


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946",
                "::ffff:8.8.8.8", "64:ff9b::808:808"]
)  # fmt: skip
def test_public_addresses_may_be_reached(address: str) -> None:
    assert reachable(address, NOBODY)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255",
        "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200", "192.0.0.192",
        "192.0.2.1", "198.18.0.1", "168.63.129.16", "224.0.0.1", "239.1.1.1", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1",
        "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "fd00:ec2::254", "ff02::1",
        "2001:db8::1", "2002:7f00:1::", "2001:0:7f00:1::", "100::1",
    ],
)  # fmt: skip
def test_private_local_and_special_addresses_may_not(address: str) -> None:
    assert not reachable(address, NOBODY)


@pytest.mark.parametrize("text", ["", "2130706433", "127.1", "0x7f.0.0.1", "host", "1.2.3.4.5"])
def test_what_is_no_address_may_not(text: str) -> None:
    assert not reachable(text, NOBODY)


def test_networks_that_are_allowed_may_be_reached_however_they_are_written() -> None:
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00:1::5"):
        assert reachable(address, HOUSE)
    for address in ("10.2.0.1", "fd00:2::5"):
        assert not reachable(address, HOUSE)


@given(st.ip_addresses(v=4))
def test_an_address_within_another_is_as_reachable_as_itself(address: IPv4Address) -> None:
    told = reachable(str(address), NOBODY)
    for wrapped in (0xFFFF << 32, 0x64FF9B << 96):
        assert reachable(str(IPv6Address(wrapped | int(address))), NOBODY) == told
