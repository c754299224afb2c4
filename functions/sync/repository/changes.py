"""What a run does, or did, row by row and field by field."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pg8000.native import identifier
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from shared.db.models import SYNC_TARGETS, history_table, key_column

_CHANGES = {"A": "added", "U": "changed", "D": "removed", "R": "returned"}

ChangedRow = tuple[str, str, dict[str, Any], dict[str, Any]]
"""Key, change, the row before and the row after, as JSON objects (empty where there is none)."""


def count_staged(connection: Connection, run_id: UUID, target: str) -> dict[str, int]:
    """Staged rows by change."""
    rows = connection.exec_driver_sql(
        f"SELECT action, count(*) FROM {staging.table_name(run_id, target)} GROUP BY action"
    )
    return {_CHANGES[action]: int(count) for action, count in rows}


def count_changed_fields(
    connection: Connection, county_id: str, run_id: UUID, target: str, columns: Sequence[str]
) -> dict[str, int]:
    """How many of the changed rows differ in each column."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    counts = ", ".join(
        f"count(*) FILTER (WHERE t.{name} IS DISTINCT FROM s.{name})" for name in map(identifier, columns)
    )
    row = connection.execute(
        text(
            f"SELECT {counts} FROM {staging.table_name(run_id, target)} AS s JOIN {identifier(target)} AS t"
            f" ON t.county_id = :county_id AND t.{key} = s.{key} WHERE s.action = 'U'"
        ),
        {"county_id": county_id},
    ).one()
    return {name: int(count) for name, count in zip(columns, row, strict=True) if count}


def staged_page(
    connection: Connection, county_id: str, run_id: UUID, target: str, *, after: str | None, limit: int
) -> list[ChangedRow]:
    """What a run that has not been applied would do, by key."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    rows = connection.execute(
        text(
            f"SELECT s.{key}, s.action, to_jsonb(t) AS before, to_jsonb(s) AS after"
            f" FROM {staging.table_name(run_id, target)} AS s LEFT JOIN {identifier(target)} AS t"
            f" ON t.county_id = :county_id AND t.{key} = s.{key}"
            f" WHERE CAST(:after AS text) IS NULL OR s.{key} > :after ORDER BY s.{key} LIMIT :limit"
        ),
        {"county_id": county_id, "after": after, "limit": limit},
    )
    return [(row[0], _CHANGES[row[1]], row[2] or {}, {} if row[1] == "D" else row[3]) for row in rows]


def applied_page(
    connection: Connection, county_id: str, run_id: UUID, target: str, *, after: str | None, limit: int
) -> list[ChangedRow]:
    """What an applied run did, by key: its versions, and those that they superseded."""
    model = SYNC_TARGETS[target]
    key = identifier(key_column(model))
    history = history_table(model)
    versioned = ", ".join(
        identifier(c.name) for c in history.columns if c.name not in {"valid_to", "superseded_by_run"}
    )
    mine = "county_id = :county_id AND sync_run_id = CAST(:run_id AS uuid)"
    page = f"(CAST(:after AS text) IS NULL OR {key} > :after)"
    rows = connection.execute(
        text(
            f"WITH made AS (SELECT DISTINCT ON ({key}) * FROM ("
            f" SELECT {versioned} FROM {identifier(target)} WHERE {mine} AND {page}"
            f" UNION ALL SELECT {versioned} FROM {identifier(history.name)} WHERE {mine} AND {page}"
            f") AS versions ORDER BY {key}, version LIMIT :limit)"
            f" SELECT made.{key}, to_jsonb(h) AS before, to_jsonb(made) AS after FROM made"
            f" LEFT JOIN {identifier(history.name)} AS h ON h.county_id = :county_id AND h.{key} = made.{key}"
            " AND h.version = made.version - 1 ORDER BY 1"
        ),
        {"county_id": county_id, "run_id": str(run_id), "after": after, "limit": limit},
    )
    return [(key_, _change(before, after_), before or {}, after_) for key_, before, after_ in rows]


def move_duplicates(
    connection: Connection, run_id: UUID, target: str, keys: Sequence[tuple[str, int]]
) -> list[tuple[str, int, dict[str, Any]]]:
    """Take staged rows out of staging whose key an earlier partition has: (key, partition, row)."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    rows = connection.execute(
        text(
            f"DELETE FROM {staging.table_name(run_id, target)} AS s"
            " USING unnest(CAST(:keys AS text[]), CAST(:numbers AS integer[])) AS d (key, partition_no)"
            f" WHERE s.{key} = d.key AND s.partition_no = d.partition_no"
            f" RETURNING s.{key}, s.partition_no, to_jsonb(s)"
        ),
        {"keys": [one for one, _ in keys], "numbers": [number for _, number in keys]},
    )
    return [(row[0], int(row[1]), row[2]) for row in rows]


def clear_removals(connection: Connection, run_id: UUID, target: str) -> None:
    """Forget removals that an earlier try of Reconcile staged."""
    connection.exec_driver_sql(f"DELETE FROM {staging.table_name(run_id, target)} WHERE action = 'D'")


def _change(before: dict[str, Any] | None, after: dict[str, Any]) -> str:
    if before is None:
        return "added"
    if after.get("retired_at"):
        return "removed"
    return "returned" if before.get("retired_at") else "changed"
