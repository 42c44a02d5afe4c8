"""Which addresses of the network a session may make Steno connect to."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 as a NAT64 shows them, in their last 32 bits."""
NOT_FOR_SESSIONS: Final = tuple(
    ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments: metadata of some clouds
        "192.88.99.0/24",  # relays of 6to4
        "168.63.129.16/32",  # Azure's platform, a public address in name only
        "2001::/23",  # protocol assignments, Teredo
        "2002::/16",  # 6to4, with an address of IPv4 in it
    )
)
"""Beyond what the registries call private."""


def reachable(address: str, allowed: Callable[[str], bool]) -> bool:
    """Say whether an address may be connected to: a public one of one host, or one `allowed`."""
    try:
        found = _unwrapped(address)
    except ValueError:
        return False
    return allowed(str(found)) or _public(found)


def _unwrapped(address: str) -> IPv4Address | IPv6Address:
    """Read an address; one of IPv4 within IPv6 becomes what it leads to."""
    found = ip_address(address)
    if isinstance(found, IPv4Address):
        return found
    if found in TRANSLATED:
        return IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found


def _public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in GLOBAL_UNICAST:
        return False
    if any(address in network for network in NOT_FOR_SESSIONS):
        return False
    return address.is_global and not address.is_multicast
