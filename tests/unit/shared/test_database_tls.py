"""A function speaks to its database over TLS, and only with a server whose certificate RDS's authorities signed."""

import re
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from pg8000.exceptions import InterfaceError
from sqlalchemy.engine import URL

from infra.settings import StageSettings
from shared.db import engine
from tests.loopback_tls import serving_context

SSL_REQUEST = 80877103
"""The code of PostgreSQL's SSLRequest message."""


@contextmanager
def database_server(context: ssl.SSLContext) -> Iterator[tuple[URL, list[bytes]]]:
    """A server that agrees to TLS as PostgreSQL does, keeps the first bytes it gets over it, and hangs up."""
    received: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            assert int.from_bytes(connection.recv(8)[4:]) == SSL_REQUEST
            connection.sendall(b"S")
            try:
                with context.wrap_socket(connection, server_side=True) as secured:
                    received.append(secured.recv(100))
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, args=(listener,))
        server.start()
        host, port = listener.getsockname()
        yield URL.create("postgresql+pg8000", "app", "secret", host, port, "terrafusion"), received
        server.join()


@pytest.fixture
def _fresh_context() -> Iterator[None]:
    engine._tls.cache_clear()
    yield
    engine._tls.cache_clear()


@pytest.mark.usefixtures("_fresh_context")
def test_a_server_that_no_authority_of_rds_vouches_for_gets_no_credentials(tmp_path: Path) -> None:
    context, _ = serving_context(tmp_path)
    with database_server(context) as (url, received), pytest.raises(InterfaceError, match="certificate verify failed"):
        engine.connect(url)
    assert received == []


@pytest.mark.usefixtures("_fresh_context")
def test_a_server_with_a_certificate_of_a_known_authority_is_spoken_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, authority = serving_context(tmp_path)
    monkeypatch.setattr(engine, "RDS_AUTHORITIES", authority)
    with database_server(context) as (url, received), pytest.raises(InterfaceError):
        engine.connect(url)
    assert [b"app" in first for first in received] == [True]


@pytest.mark.usefixtures("_fresh_context")
def test_a_server_of_another_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context, authority = serving_context(tmp_path)
    monkeypatch.setattr(engine, "RDS_AUTHORITIES", authority)
    with (
        database_server(context) as (url, received),
        pytest.raises(InterfaceError, match="certificate verify failed"),
    ):
        engine.connect(url.set(host="localhost"))
    assert received == []


def test_the_authorities_are_those_of_rds_and_outlive_any_deployment() -> None:
    text = engine.RDS_AUTHORITIES.read_text()
    names = re.findall(r"^# (Amazon RDS \S+ Root CA (?:RSA2048|RSA4096|ECC384) G1), until \d{4}$", text, re.MULTILINE)
    certificates = x509.load_pem_x509_certificates(text.encode())
    common_names = [c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value for c in certificates]
    assert names == common_names
    assert all(c.subject == c.issuer and c.not_valid_after_utc > datetime(2060, 1, 1, tzinfo=UTC) for c in certificates)
    for certificate in certificates:
        certificate.verify_directly_issued_by(certificate)


def test_a_stage_in_a_region_whose_authorities_are_unknown_is_refused() -> None:
    StageSettings("trial").configured({"account": "1" * 12, "region": "us-west-2"})
    with pytest.raises(ValueError, match="us-gov-west-1 could not be verified"):
        StageSettings("trial").configured({"account": "1" * 12, "region": "us-gov-west-1"})
