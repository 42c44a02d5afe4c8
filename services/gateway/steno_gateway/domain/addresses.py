"""The address that a request comes from, behind proxies that may be believed."""

from collections.abc import Collection, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

Network = IPv4Network | IPv6Network

HOST_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all of its network."""


def read_networks(text: str) -> tuple[Network, ...]:
    """Read a comma-separated list of addresses or networks; raises ValueError."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def client_address(peer: str, forwarded: Sequence[str], trusted: Collection[Network]) -> str:
    """Give the nearest address that no trusted proxy has.

    `forwarded` are the lines of `X-Forwarded-For`: each proxy appends whom it heard, so they are
    read from the end, as long as whoever wrote them is trusted. The rest is hearsay.
    """
    hops = [hop.strip() for line in forwarded for hop in line.split(",")]
    address = peer
    while hops and _is_within(address, trusted):
        hop = hops.pop()
        if _parsed(hop) is None:
            break
        address = hop
    return address


def counted_as(address: str) -> str:
    """Give the name under which an address has its limits."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((int(parsed) >> HOST_BITS << HOST_BITS, 128 - HOST_BITS)))
    return address


def _is_within(address: str, networks: Collection[Network]) -> bool:
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed is not None and any(parsed in network for network in networks)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(address)
    except ValueError:
        return None
