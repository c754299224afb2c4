"""Classification of database errors: unavailable (retry when it is back), busy (retry soon), or neither."""

from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.problems import Conflict, ServiceUnavailable

_AWAY_CLASSES = ("08", "53")
"""PostgreSQL's classes of error codes for a connection that broke, and for a server without room for another one."""
_AWAY = frozenset({"57P01", "57P02", "57P03", "57P05"})
"""Shutting down, crashed, starting or recovering, closed for idleness."""
_READ_ONLY = "25006"
"""read_only_sql_transaction: a failover has made this server a reader, and the address names another one by now."""
_BUSY = frozenset({"40001", "40P01", "55P03", "57014"})
"""Serialization failure, deadlock, lock timeout, statement timeout."""
_ROLL_CLOSED = "TF001"
"""Of the function require_open_roll."""
_LOCK_NOT_AVAILABLE = "55P03"
_BROKEN = ("network error", "connection is closed", "Can't create a connection", "communication error", "refuses SSL")
"""pg8000's words for a connection that broke; a server that ends one during its handshake "refuses SSL"."""


class _DatabaseProblem(ServiceUnavailable):
    unanswered = False
    """True where the connection failed before the database had answered anything on it."""


class DatabaseUnavailable(_DatabaseProblem):
    """The database is restarting, failing over, full, or out of reach; state machines retry for minutes."""

    slug, title = "database-unavailable", "The database cannot be reached"


class DatabaseBusy(_DatabaseProblem):
    """A lock is held by others, or a statement took too long; state machines retry for minutes."""

    slug, title = "database-busy", "The database is busy"
    retry_after = 2


def availability_problem(error: BaseException, *, reading: bool = False) -> DatabaseUnavailable | DatabaseBusy | None:
    """The problem of an error by which the database is away or busy; None where a retry does not help.

    In a read-only transaction (`reading`) a refused write is a bug, and no failover.
    """
    if isinstance(error, DatabaseUnavailable | DatabaseBusy):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = _sqlstate(cause)
    if code in _AWAY or code.startswith(_AWAY_CLASSES) or (code == _READ_ONLY and not reading) or _is_broken(cause):
        return DatabaseUnavailable(
            "The database cannot be reached at the moment. Send the request again in a few seconds; one that changes"
            " something with the same Idempotency-Key or If-Match."
        )
    if code in _BUSY or isinstance(cause, PoolTimeoutError):
        return DatabaseBusy("The database took too long, or others hold what was asked for. Try again in a moment.")
    return None


def rule_violation(error: BaseException) -> Conflict | None:
    """The problem of a violated rule that a trigger of the database enforces, in its words."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if _sqlstate(cause) == _ROLL_CLOSED and isinstance(cause, DatabaseError):
        return Conflict(str(cause.args[0].get("M", "")), slug="roll-closed")
    return None


def is_lock_timeout(error: BaseException) -> bool:
    """True where another transaction held a lock for longer than `lock_timeout`."""
    return _sqlstate(error.orig if isinstance(error, DBAPIError) else error) == _LOCK_NOT_AVAILABLE


def _is_broken(cause: BaseException | None) -> bool:
    """True for a connection that broke during a statement, or could not be made."""
    if isinstance(cause, InterfaceError):
        return any(words in str(cause) for words in _BROKEN)
    if isinstance(cause, ValueError):
        return "closed file" in str(cause)  # of a socket's stream, after an earlier statement found it broken
    return isinstance(cause, ConnectionError | PendingRollbackError)


def _sqlstate(cause: BaseException | None) -> str:
    if isinstance(cause, DatabaseError) and cause.args and isinstance(cause.args[0], dict):
        return str(cause.args[0].get("C", ""))
    return ""
