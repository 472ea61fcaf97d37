"""Tells public addresses from those of this machine, of private networks and of everything else that is no host."""

import ipaddress
import socket

from serving.http.refusals import UriRefusedError

# IANA's special-purpose registries (RFC 6890), and what is not handed out. `ipaddress.is_global` calls some of them
# global, or did in one version of Python or another.
_NO_HOSTS_4 = [
    ipaddress.IPv4Network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    )
]
# Hosts have addresses of this block alone: those that hold an IPv4 address, such as ::ffff:127.0.0.1 or those of NAT64,
# lie outside of it, but for 6to4 and Teredo.
_HOSTS_6 = ipaddress.IPv6Network("2000::/3")
_NO_HOSTS_6 = [
    ipaddress.IPv6Network(block)
    for block in ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
]


def is_public(address: str) -> bool:
    """Returns whether an address is one of a host on the internet; anything that is no address is none."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return not any(parsed in block for block in _NO_HOSTS_4)
    return parsed in _HOSTS_6 and not any(parsed in block for block in _NO_HOSTS_6)


def resolve(host: str, port: int) -> list[str]:
    """Returns the addresses of a host; raises UriRefusedError for one that has none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise UriRefusedError(f"the host {host[:100]!r} has no address; expected one that is known") from error
    return [str(one[4][0]) for one in found]
