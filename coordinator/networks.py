"""Networks: which addresses are the Internet's own, and which are allowed beside them. Pure."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks written like ``10.1.0.0/16,fd00::/8``.

    Raises:
        ValueError: One of them is none.
    """
    parts = [part.strip() for part in text.split(",")]
    return tuple(ipaddress.ip_network(part) for part in parts if part)


def is_public(address: Address) -> bool:
    """Whether an address is one of the Internet's own.

    None are private, shared (RFC 6598), loopback, link-local, multicast, reserved or unspecified
    ones, nor IPv6 addresses that carry an IPv4 address in themselves, which a gateway may unpack:
    mapped and compatible ones, NAT64, 6to4 and Teredo.
    """
    if isinstance(address, ipaddress.IPv6Address) and (
        address.ipv4_mapped is not None
        or address.sixtofour is not None
        or address.teredo is not None
        or address.is_site_local
    ):
        return False
    return address.is_global and not (
        address.is_private
        or address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_unspecified
    )
