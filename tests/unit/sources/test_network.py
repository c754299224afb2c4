"""Permitted addresses of sources, and timeouts."""

import socket
import time
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import pytest

from shared.problems import SourceRefused, SourceTimeout, SourceUnavailable
from shared.settings import settings
from shared.sources import Source, SourceTable
from shared.sources.network import Timeouts, is_permitted, open_socket
from shared.sources.secrets import ConnectionSecret
from shared.sources.sql import SqlSource, source_url
from shared.sources.web.arcgis import ArcGisSource
from shared.sources.web.socrata import SocrataSource
from tests.unit.sources.silent_servers import silent_server

TABLE = SourceTable("parcels", None, ("id",))
INSIDE = (
    "127.0.0.1", "127.8.9.1", "0.0.0.0",  # noqa: S104
    "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1",
    "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1",
)  # fmt: skip
OUTSIDE = ("8.8.8.8", "52.1.2.3", "2600:1f18::1", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> Any:
    def allow(blocks: str) -> None:
        monkeypatch.setenv("SOURCE_NETWORKS", blocks)
        settings.cache_clear()

    yield allow
    settings.cache_clear()


@pytest.mark.parametrize("address", INSIDE)
def test_an_internal_address_is_not_permitted(address: str, networks: Callable[[str], None]) -> None:
    networks("")
    assert not is_permitted(ip_address(address))


@pytest.mark.parametrize("address", OUTSIDE)
def test_a_public_address_is_permitted(address: str, networks: Callable[[str], None]) -> None:
    networks("")
    assert is_permitted(ip_address(address))


def test_a_stage_allows_its_private_lines_and_never_the_metadata_service(networks: Callable[[str], None]) -> None:
    networks("10.20.0.0/16,169.254.0.0/16,fd12::/32")
    assert is_permitted(ip_address("10.20.3.4"))
    assert is_permitted(ip_address("fd12::1"))
    assert not is_permitted(ip_address("10.21.0.1"))
    assert not is_permitted(ip_address("169.254.169.254"))


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "::1", "::ffff:127.0.0.1"],
)
def test_an_internal_address_is_refused_before_connecting(host: str, networks: Callable[[str], None]) -> None:
    networks("")
    with silent_server() as port, pytest.raises((SourceRefused, SourceUnavailable)) as refused:
        open_socket(host, port, 1)
    assert refused.value.slug in {"source-address-not-allowed", "source-host-unknown"}


def test_a_name_is_judged_by_the_address_that_is_connected_to(
    monkeypatch: pytest.MonkeyPatch, networks: Callable[[str], None]
) -> None:
    networks("")
    result = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.5", 443))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [result])
    source = ArcGisSource("https://gis.example.gov/x/FeatureServer", {"parcels": 0}, None)
    with pytest.raises(
        SourceRefused, match=r"gis\.example\.gov is at an address that counties' sources may not"
    ) as told:
        source.count(TABLE)
    assert "10.0.0.5" not in told.value.detail


def test_errors_of_the_network_do_not_show_open_ports(networks: Callable[[str], None]) -> None:
    networks("127.0.0.0/8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        closed = free.getsockname()[1]
    for source in (of_dialect("postgresql", closed), of_dialect("mysql", closed), of_dialect("mssql", closed)):
        with pytest.raises(SourceUnavailable, match="no connection, or it was lost"):
            source.count(TABLE)


def of_dialect(dialect: str, port: int) -> SqlSource:
    secret = ConnectionSecret(
        dialect=dialect, host="127.0.0.1", port=port, dbname="cama", username="u", password="p", sslmode="disable"
    )
    return SqlSource(source_url(secret), timeouts=short_timeouts())


def short_timeouts() -> Timeouts:
    return Timeouts(connect_seconds=0.4, silence_seconds=0.4, tries=2, total_seconds=3)


OPENED: dict[str, Callable[[int], Source]] = {
    "postgresql": lambda port: of_dialect("postgresql", port),
    "mysql": lambda port: of_dialect("mysql", port),
    "sql server": lambda port: of_dialect("mssql", port),
    "arcgis": lambda port: ArcGisSource(
        f"http://127.0.0.1:{port}/x/FeatureServer",
        {"parcels": 0},
        None,
        sleep=lambda _: None,
        timeouts=short_timeouts(),
    ),
    "socrata": lambda port: SocrataSource(
        f"http://127.0.0.1:{port}", {"parcels": "abcd-1234"}, None, sleep=lambda _: None, timeouts=short_timeouts()
    ),
}


@pytest.mark.parametrize("kind", OPENED)
def test_a_server_that_accepts_and_never_answers_is_given_up(kind: str, networks: Callable[[str], None]) -> None:
    networks("127.0.0.0/8")
    with silent_server() as port:
        began = time.monotonic()
        with pytest.raises(SourceTimeout):
            OPENED[kind](port).count(TABLE)
        assert time.monotonic() - began < 20


@pytest.mark.parametrize("kind", ["arcgis", "socrata"])
def test_an_answer_that_stops_in_the_middle_is_given_up(kind: str, networks: Callable[[str], None]) -> None:
    networks("127.0.0.0/8")
    with silent_server(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{") as port, pytest.raises(SourceTimeout):
        OPENED[kind](port).count(TABLE)


def test_the_total_time_has_a_limit() -> None:
    timeouts = Timeouts(connect_seconds=5, silence_seconds=5, tries=2, total_seconds=0.0)
    with pytest.raises(SourceTimeout):
        timeouts.within_total(5)
