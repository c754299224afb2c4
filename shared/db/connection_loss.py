"""Telling a lost connection from a refused statement: after the one, trying again helps."""

from pg8000.exceptions import DatabaseError, InterfaceError
from sqlalchemy.exc import DBAPIError

_SHUTTING_DOWN = {"57P01", "57P02", "57P03"}
_TAKE_TURNS = {"40001", "40P01"}
"""PostgreSQL's own word that the transaction is to be tried again: serialization failure, deadlock."""


def is_connection_loss(error: BaseException) -> bool:
    """Whether the database went away (failover, restart, network), or told us to try again."""
    cause: BaseException | None = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, (InterfaceError, ConnectionError)):
        return True
    if isinstance(cause, DatabaseError) and cause.args and isinstance(cause.args[0], dict):
        code = str(cause.args[0].get("C", ""))
        return code in _SHUTTING_DOWN | _TAKE_TURNS or code.startswith("08")
    return False
