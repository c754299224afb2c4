"""Joins of tables that have just been written, and of which the planner knows nothing yet."""

from collections.abc import Sequence

JOIN_BY_HASH = "SET LOCAL enable_nestloop = off"
"""SQL after which no nested loop is planned in the transaction."""


def joined_by_hash(statements: Sequence[str]) -> list[str]:
    """Statements between which no nested loop is planned.

    A mass approval writes two overrides a parcel. Until they are analyzed the planner takes them for a handful, and
    compares each staged row with all of them: five minutes and more for 22,878 parcels.
    """
    return [JOIN_BY_HASH, *statements, "SET LOCAL enable_nestloop = on"]
