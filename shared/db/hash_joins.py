"""Joins of tables that have just been written, and of which the planner knows nothing yet.

Until they are analyzed the planner takes them for a handful of rows, and compares each row of one with all of the
other: minutes for the 22,878 parcels of a county, where a hash takes a second.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection

_FORBID, _ALLOW = "SET LOCAL enable_nestloop = off", "SET LOCAL enable_nestloop = DEFAULT"


def join_by_hash(connection: Connection) -> None:
    """Plan no nested loop in the rest of the transaction."""
    connection.exec_driver_sql(_FORBID)


@contextmanager
def joining_by_hash(connection: Connection) -> Iterator[None]:
    """Plan no nested loop for as long as the context lasts."""
    join_by_hash(connection)
    yield
    connection.exec_driver_sql(_ALLOW)


def joined_by_hash(statements: Sequence[str]) -> list[str]:
    """Statements of a script, between which no nested loop is planned."""
    return [_FORBID, *statements, _ALLOW]
