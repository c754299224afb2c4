"""Connections to counties' systems, to permitted addresses only, with a timeout on every wait.

A county configures the address of its system, and could name our own network: the instance metadata service, another
tenant's database, an internal service (server-side request forgery). The check is made on the address that is connected
to, whatever name or notation it was resolved from. A stage permits more (SOURCE_NETWORKS) for counties on private
lines."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from shared.problems import SourceRefused, SourceTimeout, SourceUnavailable
from shared.settings import settings

_NAT64_PREFIX = IPv6Network("64:ff9b::/96")
"""Prefix of IPv4 addresses translated by NAT64 (RFC 6052)."""
_SPECIAL_PURPOSE = (
    *(IPv4Network("100.64.0.0/10"), IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24")),
    *(IPv6Network("2001::/23"), IPv6Network("64:ff9b:1::/48"), IPv6Network("fec0::/10")),
)
"""Special-purpose blocks (IANA's registries) that some versions of Python treat as global."""
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
"""TCP keepalive: a peer that vanished is noticed after 30 + 3 * 10 seconds. A choice, below the timeouts of idle
connections in NAT gateways (350 s on AWS)."""

Address = IPv4Address | IPv6Address


@dataclass
class Timeouts:
    """Seconds to wait for a connection, for the next bytes of an answer, and in total; and the number of tries."""

    connect_seconds: float
    silence_seconds: float
    tries: int
    total_seconds: float | None = None
    _started: float = field(default_factory=time.monotonic, init=False)

    def within_total(self, seconds: float) -> float:
        """`seconds`, or the rest of the total where that is less. Raises SourceTimeout where nothing is left."""
        remaining = self.remaining_seconds
        if remaining is None:
            return seconds
        if remaining <= 0:
            raise SourceTimeout(f"The source did not give an answer within {self.total_seconds:.0f} seconds.")
        return min(seconds, remaining)

    @property
    def remaining_seconds(self) -> float | None:
        """Seconds left of the total; None without a limit."""
        return None if self.total_seconds is None else self.total_seconds - (time.monotonic() - self._started)


def run_timeouts() -> Timeouts:
    """The timeouts of a task: a statement on a large table takes minutes, and the state machine retries.

    Choices: a statement that is silent for more than 240 s, of a task's 900, has to become a view or get an index; a
    host that does not accept a connection within 15 s seldom does later."""
    return Timeouts(connect_seconds=15, silence_seconds=240, tries=6)


def request_timeouts() -> Timeouts:
    """The timeouts of an API request: 20 s in total, since API Gateway ends it after 29 s and rows are mapped after
    that.
    """
    return Timeouts(connect_seconds=5, silence_seconds=12, tries=2, total_seconds=20)


def open_socket(host: str, port: int, seconds: float) -> socket.socket:
    """Connect to a host, with a timeout for the connection and for each answer.

    Raises SourceRefused for an address that is not permitted, SourceUnavailable for an unknown name, OSError.
    """
    last: OSError | None = None
    for family, address in _permitted_addresses(host, port):
        opened = socket.socket(family, socket.SOCK_STREAM)
        try:
            opened.settimeout(seconds)
            opened.connect(address)
        except OSError as error:
            opened.close()
            last = error
            continue
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _KEEPALIVE:
            if hasattr(socket, name):
                opened.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return opened
    raise last or OSError


def is_permitted(address: Address) -> bool:
    """True where a county's source may have an address: a public one, or one that the stage permits."""
    for target in _embedded_addresses(address):
        if target.is_link_local:  # the metadata service is there, which hands out our credentials
            return False
        allowed = any(target in network for network in settings().source_networks)
        special = not target.is_global or target.is_multicast or target.is_reserved or target.is_unspecified
        if not allowed and (special or any(target in network for network in _SPECIAL_PURPOSE)):
            return False
    return True


def _embedded_addresses(address: Address) -> tuple[Address, ...]:
    """The IPv4 addresses embedded in an IPv6 address, or the address itself."""
    if not isinstance(address, IPv6Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64_PREFIX:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    if address.sixtofour is not None:
        return (address.sixtofour,)
    return address.teredo or (address,)


def _permitted_addresses(host: str, port: int) -> list[tuple[int, Any]]:
    try:
        resolved = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise SourceUnavailable(f"{host}: there is no host of this name.", slug="source-host-unknown") from None
    permitted: list[tuple[int, Any]] = [
        (family, address)
        for family, _, _, _, address in resolved
        if family in (socket.AF_INET, socket.AF_INET6) and is_permitted(ip_address(str(address[0]).partition("%")[0]))
    ]
    if not permitted:
        raise SourceRefused(
            f"{host} is at an address that counties' sources may not have here: a private, local or reserved one.",
            slug="source-address-not-allowed",
        )
    return permitted
