"""Connections to counties' systems: to permitted addresses only, and never waited for without a limit.

A county says where its system is, so it could name our own network: its instance metadata, another tenant's database,
a service that trusts whoever is inside. What is looked at is the address that is connected to, whatever name or
notation led to it. A stage allows more (SOURCE_NETWORKS) where counties are reached through a private line.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from shared.problems import SourceRefused, SourceTimeout, SourceUnavailable
from shared.settings import settings

_TRANSLATED = IPv6Network("64:ff9b::/96")
"""IPv4 addresses as NAT64 writes them (RFC 6052)."""
_SPECIAL = (
    *(IPv4Network("100.64.0.0/10"), IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24")),
    *(IPv6Network("2001::/23"), IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10")),
)
"""Blocks of special purpose (IANA's registries) that some versions of Python take for global ones."""
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""A peer that has gone without a word is noticed after a minute."""

Address = IPv4Address | IPv6Address


@dataclass
class Timeouts:
    """How long is waited: for a connection, for the next bytes of an answer, how often it is asked for, and for
    everything together.
    """

    connect_seconds: float
    silence_seconds: float
    tries: int
    total_seconds: float | None = None
    _started: float = field(default_factory=time.monotonic, init=False)

    def at_most(self, seconds: float) -> float:
        """These seconds, or what is left of the whole. Raises SourceTimeout where nothing is."""
        left = self.left
        if left is None:
            return seconds
        if left <= 0:
            raise SourceTimeout(f"The source did not give an answer within {self.total_seconds:.0f} seconds.")
        return min(seconds, left)

    @property
    def left(self) -> float | None:
        """Seconds left of the whole; None without a limit."""
        return None if self.total_seconds is None else self.total_seconds - (time.monotonic() - self._started)


def run_timeouts() -> Timeouts:
    """That of a task: a statement of a large table takes minutes, and the state machine tries again."""
    return Timeouts(connect_seconds=15, silence_seconds=240, tries=6)


def request_timeouts() -> Timeouts:
    """That of a request, which the gateway answers for us after 29 seconds."""
    return Timeouts(connect_seconds=5, silence_seconds=12, tries=2, total_seconds=20)


def open_socket(host: str, port: int, seconds: float) -> socket.socket:
    """A connection that waits so many seconds at most, for itself and for each answer.

    Raises SourceRefused for an address that is not permitted, SourceUnavailable for a name that is none, OSError.
    """
    last: OSError | None = None
    for family, address in _permitted_addresses(host, port):
        made = socket.socket(family, socket.SOCK_STREAM)
        try:
            made.settimeout(seconds)
            made.connect(address)
        except OSError as error:
            made.close()
            last = error
            continue
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                made.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return made
    raise last or OSError


def is_permitted(address: Address) -> bool:
    """Whether a county's source may be at an address: a public one, or one that the stage allows."""
    for one in _meant(address):
        if one.is_link_local:  # whose metadata service hands out our credentials
            return False
        allowed = any(one in network for network in settings().source_networks)
        special = not one.is_global or one.is_multicast or one.is_reserved or one.is_unspecified
        if not allowed and (special or any(one in network for network in _SPECIAL)):
            return False
    return True


def _meant(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses that an IPv6 one stands for, or the address itself."""
    if not isinstance(address, IPv6Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _TRANSLATED:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    return address.teredo or (address,)


def _permitted_addresses(host: str, port: int) -> list[tuple[int, Any]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceUnavailable(f"{host}: there is no host of this name.", slug="source-host-unknown") from None
    permitted: list[tuple[int, Any]] = [
        (family, address)
        for family, _, _, _, address in found
        if family in (socket.AF_INET, socket.AF_INET6) and is_permitted(ip_address(str(address[0]).partition("%")[0]))
    ]
    if not permitted:
        raise SourceRefused(
            f"{host} is at an address that counties' sources may not have here: a private, local or reserved one.",
            slug="source-address-not-allowed",
        )
    return permitted
