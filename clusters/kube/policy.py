"""Which addresses MCM may connect to: public ones, and what the operator lists.

Whoever registers a cluster chooses where MCM connects to. Without a list of its own, MCM would be
a way into the operator's network, and to the services that give credentials to whoever asks.
"""

import ipaddress
import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from clusters.kube import errors

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


# Link-local, metadata and credential services of the clouds, "this host" and multicast: no list
# opens them, since no cluster has them and they trust whoever asks from this machine.
NEVER = _networks(
    "169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32",
    "168.63.129.16/32", "192.0.0.192/32", "0.0.0.0/8", "::/128", "224.0.0.0/4", "ff00::/8",
    "255.255.255.255/32",
)  # fmt: skip
# What `is_global` of an older Python takes for public.
_NOT_PUBLIC = _networks(
    "100.64.0.0/10", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4",
    "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)  # fmt: skip
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Where the last 32 bits may be an IPv4 address that the network in between connects to.
_EMBEDDING = _networks("64:ff9b::/96", "64:ff9b:1::/48", "::/96")


class Rule(NamedTuple):
    """A network that is allowed; `port` None allows every port of it."""

    network: Network
    port: int | None

    def allows(self, address: Address, port: int) -> bool:
        return address in self.network and self.port in (None, port)


_WRITTEN = re.compile(
    r"(?:\[(?P<six>[^\[\]]*:[^\[\]]*)\]|(?P<four>[^:\[\]]*))(?::(?P<port>\d{1,5}))?", re.A
)


def parse(text: str) -> Rule:
    """`10.0.0.0/8`, `10.1.2.3/32:6443`, `fd00::/8` or `[fd00::/8]:6443` as a rule; ValueError."""
    text = text.strip()
    written = _WRITTEN.fullmatch(text)
    network, port = (
        (written["six"] or written["four"], written["port"]) if written else (text, None)
    )
    try:
        if port is not None and not 0 < int(port) < 65536:
            raise ValueError("the port must be from 1 to 65535")
        return Rule(ipaddress.ip_network(network), None if port is None else int(port))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is not like 10.0.0.0/8:6443 or [fd00::/8]:6443: {error}"
        ) from None


_rules: tuple[Rule, ...] = ()


def use(rules: Iterable[Rule]) -> None:
    """From now on this process connects to public addresses and to what these rules allow."""
    global _rules  # noqa: PLW0603 (one policy for a process, set once at its start)
    _rules = tuple(rules)


def check(text: str, port: int) -> None:
    """AddressRefused unless this address and port may be connected."""
    address = ipaddress.ip_address(text.partition("%")[0])
    forms = list(_forms(address))
    for form in forms:
        if any(form in network for network in NEVER):
            raise errors.AddressRefused(errors.NEVER_ALLOWED, str(form), port)
    for form in forms:
        if not (_is_public(form) or any(rule.allows(form, port) for rule in _rules)):
            raise errors.AddressRefused(errors.NOT_LISTED, str(form), port)


def _forms(address: Address) -> Iterator[Address]:
    """The address and those that it stands for; a mapped one is nothing but its IPv4 address."""
    if isinstance(address, ipaddress.IPv4Address):
        yield address
        return
    if address.ipv4_mapped:
        yield address.ipv4_mapped
        return
    yield address
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    if any(address in network for network in _EMBEDDING) and int(address) > 1:
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: Address) -> bool:
    if address in _NAT64:
        return True  # the IPv4 address in it is looked at by itself
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not any(address in network for network in _NOT_PUBLIC)
