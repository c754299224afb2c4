"""One transaction, for one tenant."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from shared.db.driver import PreparingConnection
from shared.db.engine import engine, forget_connections
from shared.db.failures import DatabaseUnavailable, is_lock_timeout, refusal, unavailability
from shared.db.limits import limits

Found = TypeVar("Found")

_AFTER_COMMIT = "after_commit"


@contextmanager
def unit_of_work(*county_ids: str) -> Iterator[Connection]:
    """A connection in a transaction that sees the rows of one county; it commits at the end, or rolls back.

    Row-level security compares each row's county with what is set here. Several ids (the caller's counties)
    open the table of counties for those, and no tenant table. Raises DatabaseUnavailable, DatabaseBusy.
    """
    with _connected() as connection:
        _driver(connection).begin(" ".join(county_ids))
        yield from _committed(connection)


@contextmanager
def one_moment(county_id: str) -> Iterator[Connection]:
    """A connection that reads the rows of one county, all its statements as of the same moment."""
    with _connected() as connection:
        _driver(connection).begin_at_one_moment(county_id)
        yield from _committed(connection)


def after_commit(connection: Connection, action: Callable[[], None]) -> None:
    """Do something once the unit of work has committed, and only then."""
    connection.info.setdefault(_AFTER_COMMIT, []).append(action)


def _committed(connection: Connection) -> Iterator[Connection]:
    connection.info.pop(_AFTER_COMMIT, None)  # of a transaction that was rolled back
    connection.begin()
    yield connection
    try:
        connection.commit()
    except BaseException:
        # SQLAlchemy takes a transaction whose COMMIT has failed for ended, and would lend the connection again
        connection.invalidate()
        raise
    for action in connection.info.pop(_AFTER_COMMIT, ()):
        action()


def read_again(read: Callable[[], Found]) -> Found:
    """What is read; once more, on a fresh connection, where a pooled one turned out to be dead. For reads alone."""
    try:
        return read()
    except DatabaseUnavailable as problem:
        if not problem.unanswered:
            raise
        forget_connections()
        return read()


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
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_driver(connection).lock_timeout}")


@contextmanager
def reading(county_id: str) -> Iterator[Connection]:
    """A connection that reads the rows of one county, each statement with parameters in a transaction of its own.

    For what one statement answers: it takes one round trip to the database instead of two. Statements do not see
    the same moment, and what writes fails. Raises DatabaseUnavailable, DatabaseBusy.
    """
    with _connected(reading=True) as connection:
        _driver(connection).begin_reads(county_id)
        yield connection


@contextmanager
def _connected(*, reading: bool = False) -> Iterator[Connection]:
    """A connection that is alive, given back at the end, or closed where it was lost.

    Here the database's errors become what the callers, the API and the state machines know.
    """
    connection: Connection | None = None
    driver: PreparingConnection | None = None
    try:
        connection = engine().connect()
        if _driver(connection).stale:
            connection.invalidate()  # it died idle (failover, timeout), before anything was done on it
        driver = _driver(connection)
        driver.hold_to(limits())
        yield connection
    except BaseException as error:
        problem = unavailability(error, reading=reading)
        if isinstance(problem, DatabaseUnavailable) and connection is not None and not connection.invalidated:
            connection.invalidate()
        refused = refusal(error)
        if refused is not None:
            raise refused from error
        if problem is None or problem is error:
            raise
        problem.unanswered = driver is not None and driver.unanswered
        raise problem from error
    finally:
        if connection is not None:
            with suppress(Exception):  # what cannot be rolled back is lost, and the pool has closed it
                connection.close()


def _driver(connection: Connection) -> PreparingConnection:
    driver: PreparingConnection = connection.connection.dbapi_connection  # type: ignore[assignment]
    return driver
