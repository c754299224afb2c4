"""One transaction, for one tenant."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from shared.db.driver import PreparingConnection
from shared.db.engine import engine


@contextmanager
def unit_of_work(*county_ids: str) -> Iterator[Connection]:
    """A connection in a transaction that sees the rows of one county; it commits at the end, or rolls back.

    Row-level security compares each row's county with what is set here. Several ids (the caller's counties)
    open the table of counties for those, and no tenant table.
    """
    with engine().connect() as connection:
        _begin(connection, " ".join(county_ids))
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()


def _begin(connection: Connection, tenant: str) -> None:
    if _driver(connection).stale:
        connection.invalidate()  # it died idle (failover, timeout), before anything was done on it
    _driver(connection).begin(tenant)
    connection.begin()


def _driver(connection: Connection) -> PreparingConnection:
    driver: PreparingConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
    return driver
