"""Changes of a run, row by row and field by field: those staged, and those applied."""
# ruff: noqa: S608 - names are quoted identifiers of models or mappings; values are literals or parameters

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from functions.sync.repository.value_changes import value_sql
from functions.sync.schemas.runs import Change, ChangeFilter
from shared.db.models import SYNC_TARGETS, history_table, key_column, versioned_columns
from shared.rolls.totals import SUMMED, RollTotals, read_totals

_CHANGES: dict[str, Change] = {"A": "added", "U": "changed", "D": "removed", "R": "returned"}

ChangedRow = tuple[str, Change, dict[str, Any], dict[str, Any]]
"""Key, change, the row before and the row after, as JSON objects (empty where there is none)."""


def count_staged(connection: Connection, run_id: UUID, target: str) -> tuple[dict[str, int], int]:
    """The number of staged rows by change, and of those excluded, which Apply skips."""
    counts = staging.count(connection, run_id, target)
    excluded = counts.pop(None, 0)
    return {_CHANGES[action]: number for action, number in counts.items() if action is not None}, excluded


def staged_page(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    target: str,
    change_filter: ChangeFilter,
    *,
    after: str | None,
    limit: int,
) -> list[ChangedRow]:
    """The changes that a run would apply, in the order of their keys."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    conditions = [f"s.action = '{_action(change_filter.change)}'" if change_filter.change else "s.action IS NOT NULL"]
    if change_filter.field is not None:
        conditions.append(f"s.action = 'U' AND {_differs('t', 's', change_filter.field)}")
    rows = connection.execute(
        text(
            f"SELECT s.{key}, s.action, to_jsonb(t) AS before, to_jsonb(s) AS after"
            f" FROM {staging.table_name(run_id, target)} AS s LEFT JOIN {identifier(target)} AS t"
            f" ON t.county_id = :county_id AND t.{key} = s.{key}"
            f" WHERE {' AND '.join(conditions)} AND (CAST(:after AS text) IS NULL OR s.{key} > :after)"
            f" ORDER BY s.{key} LIMIT :limit"
        ),
        {"county_id": county_id, "after": after, "limit": limit},
    )
    return [(row[0], _CHANGES[row[1]], row[2] or {}, {} if row[1] == "D" else row[3]) for row in rows]


_APPLIED: dict[Change, str] = {
    "added": "h.version IS NULL",
    "removed": "made.retired_at IS NOT NULL",
    "returned": "h.retired_at IS NOT NULL AND made.retired_at IS NULL",
    "changed": "h.version IS NOT NULL AND h.retired_at IS NULL AND made.retired_at IS NULL",
}


def applied_page(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    target: str,
    change_filter: ChangeFilter,
    *,
    after: str | None,
    limit: int,
) -> list[ChangedRow]:
    """The changes of an applied run, in the order of their keys: its versions beside those that they superseded."""
    model = SYNC_TARGETS[target]
    key = identifier(key_column(model))
    history = history_table(model)
    versioned = ", ".join(identifier(name) for name in versioned_columns(model))
    mine = "county_id = :county_id AND sync_run_id = CAST(:run_id AS uuid)"
    mine += f" AND (CAST(:after AS text) IS NULL OR {key} > :after)"
    conditions = [_APPLIED[change_filter.change]] if change_filter.change else []
    if change_filter.field is not None:
        conditions += [_APPLIED["changed"], _differs("h", "made", change_filter.field)]
    rows = connection.execute(
        text(
            # an edit keeps the run of the version that it edits: the run's own is the first of them
            f"WITH made AS (SELECT DISTINCT ON ({key}) * FROM ("
            f" SELECT {versioned} FROM {identifier(target)} WHERE {mine}"
            f" UNION ALL SELECT {versioned} FROM {identifier(history.name)} WHERE {mine}"
            f") AS versions ORDER BY {key}, version{'' if conditions else ' LIMIT :limit'})"
            f" SELECT made.{key}, to_jsonb(h) AS before, to_jsonb(made) AS after FROM made"
            f" LEFT JOIN {identifier(history.name)} AS h ON h.county_id = :county_id AND h.{key} = made.{key}"
            f" AND h.version = made.version - 1 WHERE {' AND '.join(conditions) or 'true'} ORDER BY 1 LIMIT :limit"
        ),
        {"county_id": county_id, "run_id": str(run_id), "after": after, "limit": limit},
    )
    return [(key_, _change(before, after_), before or {}, after_) for key_, before, after_ in rows]


def staged_totals(
    connection: Connection, county_id: str, run_id: UUID, columns: Sequence[str]
) -> tuple[dict[str | None, RollTotals], dict[str | None, RollTotals]]:
    """Totals of the roll by property class, before and after a run; `columns`: those that its mapping fills."""
    staged = staging.table_name(run_id, "properties_operational")
    names = ("property_class", "land_value", "improvement_value", "total_value")
    after = ", ".join(f"{'s' if name in columns else 't'}.{name}" for name in names)
    live = "SELECT {} FROM properties_operational AS t WHERE t.county_id = :county_id AND t.retired_at IS NULL"
    return (
        read_totals(connection, f"{live.format(f'property_class, {SUMMED}')} GROUP BY 1", county_id=county_id),
        read_totals(
            connection,
            f"SELECT property_class, {SUMMED} FROM ({live.format(', '.join(names))}"
            f" AND NOT EXISTS (SELECT FROM {staged} AS s WHERE s.property_id = t.property_id AND s.action IS NOT NULL)"
            f" UNION ALL SELECT {after} FROM {staged} AS s LEFT JOIN properties_operational AS t"
            " ON t.county_id = :county_id AND t.property_id = s.property_id WHERE s.action <> 'D'"
            ") AS roll GROUP BY 1",
            county_id=county_id,
        ),
    )


def exclude(
    connection: Connection, run_id: UUID, target: str, keys: Sequence[tuple[str, int]]
) -> list[tuple[str, int]]:
    """Exclude staged rows of these keys and partitions from Apply; those of them that were staged."""
    key = identifier(key_column(SYNC_TARGETS[target]))
    rows = connection.execute(
        text(
            f"UPDATE {staging.table_name(run_id, target)} AS s SET action = NULL"
            " FROM unnest(CAST(:keys AS text[]), CAST(:numbers AS integer[])) AS d (key, partition_no)"
            f" WHERE s.{key} = d.key AND s.partition_no = d.partition_no AND s.action IS NOT NULL"
            f" RETURNING s.{key}, s.partition_no"
        ),
        {"keys": [row_key for row_key, _ in keys], "numbers": [number for _, number in keys]},
    )
    return [(row[0], int(row[1])) for row in rows]


def clear_removals(connection: Connection, run_id: UUID, target: str) -> None:
    """Delete the removals that an earlier attempt at Reconcile staged."""
    removals = f"action = {literal(staging.REMOVE)}"
    connection.exec_driver_sql(f"DELETE FROM {staging.table_name(run_id, target)} WHERE {removals}")


def _differs(before: str, after: str, field: str) -> str:
    """SQL condition that two rows differ in a field."""
    return f"{value_sql(before, field)} IS DISTINCT FROM {value_sql(after, field)}"


def _action(change: Change) -> str:
    return next(action for action, name in _CHANGES.items() if name == change)


def _change(before: dict[str, Any] | None, after: dict[str, Any]) -> Change:
    if before is None:
        return "added"
    if after.get("retired_at"):
        return "removed"
    return "returned" if before.get("retired_at") else "changed"
