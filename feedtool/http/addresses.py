"""Check whether an IP address is public, without any look-up."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
# The registries list these as public, but no internet host uses them: Azure's metadata service, 6to4 relays, and ranges
# that the tables of some Python versions leave out.
NOT_PUBLIC = tuple(
    ipaddress.ip_network(each)
    for each in ("168.63.129.16/32", "192.88.99.0/24", "192.0.0.0/24", "2001::/23", "3fff::/20", "2001:db8::/32")
)


def why_not_public(text: str) -> str:
    """Return the reason why nothing may connect to this address, such as "loopback", or "" if it is public.

    If an address embeds another one (mapped, 6to4, Teredo, NAT64, ISATAP), both must be public.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unreadable"
    return next((reason for each in _with_embedded(address) if (reason := _why(each))), "")


def _with_embedded(address: IPAddress) -> Iterator[IPAddress]:
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address.ipv4_mapped:
        yield address.ipv4_mapped
        return
    if address in NAT64:
        yield low
        return
    if int(address) >> 32 == 0 and int(address) > 1:  # the deprecated "IPv4-compatible" ::127.0.0.1
        yield low
    yield address
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if (int(address) >> 32) & 0xFDFFFFFF == 0x5EFE:  # ISATAP, RFC 5214 section 6.1
        yield low


def _why(address: IPAddress) -> str:
    for name in ("loopback", "link_local", "multicast", "unspecified"):
        if getattr(address, f"is_{name}"):
            return name.replace("_", "-")
    listed = any(address in network for network in NOT_PUBLIC if network.version == address.version)
    if isinstance(address, ipaddress.IPv6Address) and address not in GLOBAL_UNICAST:
        return "private" if address.is_private else "reserved"
    if address.is_private:
        return "private"
    return "reserved" if listed or address.is_reserved or not address.is_global else ""
