"""Which addresses are the Internet's own."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from coordinator.networks import is_public, parse_networks


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1", "2001:4860::8888"])
def test_public_addresses(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",  # noqa: S104  # nothing listens there
        "0.1.2.3",
        "10.1.2.3",
        "100.64.0.1",  # shared by a provider's customers (RFC 6598)
        "127.0.0.1",
        "127.255.255.254",
        "169.254.169.254",
        "172.16.0.1",
        "192.0.2.1",  # for documents
        "192.168.1.1",
        "198.18.0.1",  # for measuring
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",  # IPv4-compatible
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",  # public, but nobody's name has it
        "64:ff9b::7f00:1",  # NAT64
        "64:ff9b:1::1",
        "2001::1",  # Teredo
        "2001:db8::1",
        "2002:7f00:1::",  # 6to4
        "fc00::1",
        "fd12:3456::1",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",  # site-local
        "ff02::1",
    ],
)
def test_addresses_that_are_not(address: str) -> None:
    assert not is_public(ip_address(address))


def test_networks_are_read_from_a_list() -> None:
    assert parse_networks("") == ()
    assert parse_networks(" 10.1.0.0/16, fd00::/8,") == (
        ip_network("10.1.0.0/16"),
        ip_network("fd00::/8"),
    )
    for wrong in ("10.1.0.1/16", "intranet", "10.0.0.0/33"):
        with pytest.raises(ValueError, match=r"network|permitted|host bits"):
            parse_networks(wrong)
