"""A connection to a local PostgreSQL server without TLS, for what tests do beside the code under test."""

from pg8000.native import Connection
from sqlalchemy.engine import URL


def connect(url: URL, database: str | None = None) -> Connection:
    """Connect to the database of a URL, or to another one of its server."""
    return Connection(
        url.username or "",
        password=url.password,
        host=url.host,
        port=url.port,
        database=database or url.database,
        ssl_context=False,
    )
