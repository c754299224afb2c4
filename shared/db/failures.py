"""What the database's errors mean: a lost connection, after which trying again helps, or a row that others hold."""

from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy.exc import DBAPIError

_SHUTTING_DOWN = {"57P01", "57P02", "57P03"}
_TAKE_TURNS = {"40001", "40P01"}
"""PostgreSQL's own word that the transaction is to be tried again: serialization failure, deadlock."""
_LOCK_NOT_AVAILABLE = "55P03"


def is_connection_loss(error: BaseException) -> bool:
    """Whether the database went away (failover, restart, network), or told us to try again."""
    cause = _cause(error)
    if isinstance(cause, (InterfaceError, ConnectionError)):
        return True
    code = _sqlstate(cause)
    return code in _SHUTTING_DOWN | _TAKE_TURNS or code.startswith("08")


def is_lock_timeout(error: BaseException) -> bool:
    """Whether another transaction held what was wanted for longer than `lock_timeout`."""
    return _sqlstate(_cause(error)) == _LOCK_NOT_AVAILABLE


def _cause(error: BaseException) -> BaseException | None:
    return error.orig if isinstance(error, DBAPIError) else error


def _sqlstate(cause: BaseException | None) -> str:
    if isinstance(cause, DatabaseError) and cause.args and isinstance(cause.args[0], dict):
        return str(cause.args[0].get("C", ""))
    return ""
