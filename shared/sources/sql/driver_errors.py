"""Errors of database drivers as problems, without the statement and without anything of the secret."""

from __future__ import annotations

import ssl

from sqlalchemy.engine import URL
from sqlalchemy.exc import SQLAlchemyError

from shared.problems import SourceRefused, SourceTimeout, SourceUnavailable

_DRIVERS = ("pg8000", "pymysql", "pytds", "sqlite3")
_POSTGRESQL_TIMEOUT = "57014"
_POSTGRESQL_FINAL = ("0A", "22", "28", "3D", "42")
"""SQLSTATE classes of errors that a retry does not help: not supported, invalid value, sign-in, database, statement or
privilege (PostgreSQL manual, appendix A)."""
_MYSQL_TIMEOUTS = frozenset({1969, 3024})
_MYSQL_FINAL = frozenset({1044, 1045, 1049, 1054, 1064, 1142, 1143, 1146, 1698, 3118})
_MISSING: dict[object, str] = {
    **dict.fromkeys(("42703", 1054, 207), "source-column-missing"),
    **dict.fromkeys(("42P01", 1146, 208), "source-table-missing"),
}
"""Codes of PostgreSQL, MySQL and SQL Server for a missing column or table."""
_SQL_SERVER_FINAL = frozenset({102, 156, 207, 208, 229, 4060, 18452, 18456, 18486, 18487, 18488})


def is_driver_error(error: Exception) -> bool:
    """True for errors of a driver, of SQLAlchemy or of the network."""
    of_driver = any(cls.__module__.partition(".")[0] in _DRIVERS for cls in type(error).__mro__)
    return of_driver or isinstance(error, (SQLAlchemyError, OSError))


def to_problem(error: Exception, url: URL, what: str) -> SourceUnavailable:
    """The problem of a driver's error: SourceRefused where a retry would not help.

    Messages of the network are withheld: they would show which ports of an address are open.
    """
    address = f"{url.host}:{url.port}/{url.database}" if url.host else "the database"
    prefix = f"{address}: {what} the source cannot be read"
    cause = getattr(error, "orig", None) or error
    network = _network(cause)
    if isinstance(network, ssl.SSLCertVerificationError):
        return SourceRefused(f"{prefix}: its certificate cannot be verified ({network.verify_message}).")
    if isinstance(network, ssl.SSLError):
        return SourceRefused(f"{prefix}: the line cannot be encrypted.")
    if isinstance(network, TimeoutError) or _code(cause) in {_POSTGRESQL_TIMEOUT, *_MYSQL_TIMEOUTS}:
        return SourceTimeout(f"{prefix}: it did not answer in time.")
    if network is not None:
        return SourceUnavailable(f"{prefix}: no connection, or it was lost.")
    message = f"{prefix}: {_message(cause)}."
    return SourceRefused(message, slug=_MISSING.get(_code(cause))) if _is_final(cause) else SourceUnavailable(message)


def _network(cause: BaseException) -> OSError | None:
    """The network's error that a driver's error wraps, or None."""
    seen: BaseException | None = cause
    for _ in range(5):
        if isinstance(seen, OSError):
            return seen
        seen = seen and (seen.__cause__ or getattr(seen, "original_exception", None) or seen.__context__)
    return None


def _code(cause: BaseException) -> object:
    """The server's error code."""
    first = cause.args[0] if cause.args else None
    if isinstance(first, dict):
        return first.get("C")
    return getattr(cause, "msg_no", None) or first


def _is_final(cause: BaseException) -> bool:
    code = _code(cause)
    if isinstance(code, str):
        return code.startswith(_POSTGRESQL_FINAL)
    return code in _MYSQL_FINAL | _SQL_SERVER_FINAL


def _message(cause: BaseException) -> str:
    """The server's message."""
    message = cause.args[0] if cause.args else ""
    if isinstance(message, dict):  # PostgreSQL's error fields
        return f"{message.get('M', 'refused')} ({message.get('C', '')})"
    if isinstance(message, int) and len(cause.args) > 1:  # MySQL's number and message
        return f"{(str(cause.args[1]).splitlines() or ['refused'])[0][:200]} ({message})"
    return (str(message).splitlines() or ["the connection was lost"])[0][:200]
