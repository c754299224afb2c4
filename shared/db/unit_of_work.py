"""One transaction, for one tenant."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from shared.db.driver import PreparingConnection
from shared.db.engine import engine, forget_connections
from shared.db.failures import DatabaseUnavailable, availability_problem, is_lock_timeout, rule_violation
from shared.db.limits import limits

Result = TypeVar("Result")

_AFTER_COMMIT = "after_commit"
_CHANGE_COUNTY = text("SELECT set_config('app.county_id', :county_id, true)")


@contextmanager
def unit_of_work(*county_ids: str) -> Iterator[Connection]:
    """A connection in a transaction that sees the rows of one county; it commits at the end, or rolls back.

    Row-level security compares each row's county with what is set here. Several ids (the caller's counties)
    open the tables of counties, of their members and of access keys for those, and no other. Raises
    DatabaseUnavailable, DatabaseBusy.
    """
    with _connected() as connection:
        _driver(connection).begin(" ".join(county_ids))
        yield from _committed(connection)


def change_county(connection: Connection, county_id: str) -> None:
    """Go on in a unit of work of several counties with the tables of one of them, which the caller has checked."""
    connection.execute(_CHANGE_COUNTY, {"county_id": county_id})


@contextmanager
def snapshot(county_id: str) -> Iterator[Connection]:
    """A read-only connection on the rows of one county; all its statements see the same snapshot."""
    with _connected() as connection:
        _driver(connection).begin_snapshot(county_id)
        yield from _committed(connection)


def after_commit(connection: Connection, action: Callable[[], None]) -> None:
    """Run an action once the unit of work has committed, and only then."""
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


def retry_read(read: Callable[[], Result]) -> Result:
    """Read, and read a second time on a new connection where a pooled one turned out to be dead. For reads only."""
    try:
        return read()
    except DatabaseUnavailable as problem:
        if not problem.unanswered:
            raise
        forget_connections()
        return read()


def commit_with(connection: Connection, statements: Sequence[str], timeout_s: float) -> bool:
    """End a unit of work by statements that the server executes and commits even when the client stops waiting.

    False where it is not done after `timeout_s` seconds: it goes on, and either commits all of the transaction or
    nothing. Statements have no parameters.
    """
    if _driver(connection).commit_with(statements, timeout_s):
        return True
    connection.invalidate()
    connection.rollback()  # of what SQLAlchemy takes for a transaction; the server's is beyond reach
    return False


@contextmanager
def lock_timeout(connection: Connection, seconds: int, timed_out: Exception) -> Iterator[None]:
    """Raise `timed_out` where the block waits longer than this for a lock of another transaction."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{int(seconds)}s'")
    try:
        yield
    except DBAPIError as error:
        if is_lock_timeout(error):
            raise timed_out from error
        raise
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = {_driver(connection).lock_timeout}")


@contextmanager
def reading(county_id: str) -> Iterator[Connection]:
    """A read-only connection on the rows of one county; each statement with parameters is a transaction of its own.

    For what one statement answers: it takes one round trip to the database instead of two. Statements may see
    different snapshots, and writing fails. Raises DatabaseUnavailable, DatabaseBusy.
    """
    with _connected(reading=True) as connection:
        _driver(connection).begin_reading(county_id)
        yield connection


@contextmanager
def _connected(*, reading: bool = False) -> Iterator[Connection]:
    """A live connection, returned to the pool at the end, or closed where it was lost.

    Errors of the database are translated here to the problems that the API and the state machines know.
    """
    connection: Connection | None = None
    driver: PreparingConnection | None = None
    try:
        connection = engine().connect()
        if _driver(connection).stale:
            connection.invalidate()  # it died idle (failover, timeout), before anything was done on it
        driver = _driver(connection)
        driver.apply_limits(limits())
        yield connection
    except BaseException as error:
        problem = availability_problem(error, reading=reading)
        if isinstance(problem, DatabaseUnavailable) and connection is not None and not connection.invalidated:
            connection.invalidate()
        violation = rule_violation(error)
        if violation is not None:
            raise violation from error
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
