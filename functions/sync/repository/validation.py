"""Rules of the whole table, checked on the table as it would be after the run: the staged rows, and the target's rows
that no staged row replaces or removes.
"""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
from uuid import UUID

from pg8000.native import identifier
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from shared.db.models import SYNC_TARGETS, key_column

StagedKey = tuple[str, int]
"""The key of a staged row, and the partition that read it."""

_LIVE = "IN ('A', 'U', 'R')"


def duplicates(
    connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str]
) -> list[StagedKey]:
    """Staged rows with the same values as another row of the table; the row that is in the table or comes first is
    valid.
    """
    key = identifier(key_column(SYNC_TARGETS[target]))
    staged = staging.table_name(run_id, target)
    names = ", ".join(identifier(name) for name in columns)
    not_null = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in columns)
    statement = (
        f"WITH after AS ("
        f" SELECT {key} AS row_key, {names}, partition_no, 1 AS newer FROM {staged} WHERE action {_LIVE} AND {not_null}"
        f" UNION ALL SELECT t.{key}, {', '.join(f't.{identifier(name)}' for name in columns)}, 0, 0"
        f" FROM {identifier(target)} AS t WHERE t.county_id = :county_id AND t.retired_at IS NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {staged} AS s WHERE s.{key} = t.{key} AND s.action IS NOT NULL)"
        f"), numbered AS ("
        f" SELECT row_key, partition_no, newer,"
        f" row_number() OVER (PARTITION BY {names} ORDER BY newer, row_key, partition_no) AS n"
        f" FROM after WHERE {not_null}"
        f") SELECT row_key, partition_no FROM numbered WHERE n > 1 AND newer = 1 ORDER BY row_key"
    )
    rows = connection.execute(text(statement), {"county_id": county_id})
    return [(key_, int(number)) for key_, number in rows]


def missing_references(
    connection: Connection, county_id: str, run_id: UUID, target: str, field: str, referenced: str
) -> list[StagedKey]:
    """Staged rows whose `field` is the key of no row of the table `referenced`."""
    key, parent_key = (identifier(key_column(SYNC_TARGETS[name])) for name in (target, referenced))
    name, parents = identifier(field), identifier(referenced)
    live_parent = f"t.county_id = :county_id AND t.{parent_key} = s.{name} AND t.retired_at IS NULL"
    brought = ""
    if staging.exists(connection, run_id, referenced):
        staged = staging.table_name(run_id, referenced)
        live_parent += (
            f" AND NOT EXISTS (SELECT 1 FROM {staged} AS d WHERE d.{parent_key} = t.{parent_key} AND d.action = 'D')"
        )
        brought = f" AND NOT EXISTS (SELECT 1 FROM {staged} AS p WHERE p.{parent_key} = s.{name} AND p.action {_LIVE})"
    statement = (
        f"SELECT s.{key}, s.partition_no FROM {staging.table_name(run_id, target)} AS s"
        f" WHERE s.action {_LIVE} AND s.{name} IS NOT NULL"
        f" AND NOT EXISTS (SELECT 1 FROM {parents} AS t WHERE {live_parent}){brought} ORDER BY s.{key}"
    )
    rows = connection.execute(text(statement), {"county_id": county_id})
    return [(key_, int(number)) for key_, number in rows]
