"""One transaction, for one tenant."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from shared.db.driver import PreparingConnection
from shared.db.engine import engine
from shared.db.failures import is_lock_timeout


@contextmanager
def unit_of_work(*county_ids: str) -> Iterator[Connection]:
    """A connection in a transaction that sees the rows of one county; it commits at the end, or rolls back.

    Row-level security compares each row's county with what is set here. Several ids (the caller's counties)
    open the table of counties for those, and no tenant table.
    """
    with engine().connect() as connection:
        _alive(connection).begin(" ".join(county_ids))
        connection.begin()
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        try:
            connection.commit()
        except BaseException:
            # SQLAlchemy takes a transaction whose COMMIT has failed for ended, and would lend the connection again
            connection.invalidate()
            raise


def commit_with(connection: Connection, statements: Sequence[str], patience: float) -> bool:
    """End a unit of work by statements that the server carries out and commits by itself, whoever waits for it.

    False where it is not done after `patience` seconds: it goes on, and either commits all of the transaction or
    nothing. Statements have no parameters.
    """
    if _driver(connection).commit_with(statements, patience):
        return True
    connection.invalidate()
    connection.rollback()  # of what SQLAlchemy takes for a transaction; the server's is beyond reach
    return False


@contextmanager
def waiting_at_most(connection: Connection, seconds: int, otherwise: Exception) -> Iterator[None]:
    """Raise `otherwise` where another transaction holds what the block wants for longer than this."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(seconds)}s'")
    try:
        yield
    except DBAPIError as error:
        if is_lock_timeout(error):
            raise otherwise from error
        raise
    connection.exec_driver_sql("SET LOCAL lock_timeout = DEFAULT")


@contextmanager
def reading(county_id: str) -> Iterator[Connection]:
    """A connection that reads the rows of one county, each statement with parameters in a transaction of its own.

    For what one statement answers: it takes one round trip to the database instead of two. Statements do not see
    the same moment, and what writes fails.
    """
    with engine().connect() as connection:
        _alive(connection).begin_reads(county_id)
        yield connection


def _alive(connection: Connection) -> PreparingConnection:
    """The driver's connection, alive."""
    if _driver(connection).stale:
        connection.invalidate()  # it died idle (failover, timeout), before anything was done on it
    return _driver(connection)


def _driver(connection: Connection) -> PreparingConnection:
    driver: PreparingConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
    return driver
