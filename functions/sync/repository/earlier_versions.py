"""Versions of rows before an applied run: found, staged, and restored by its roll-back.

A run has superseded versions (`superseded_by_run` of the history), and made rows (`sync_run_id` of a first version). A
row can go back while it has the content that the run gave it; what has changed since is a finding. History is never
rewritten: what is restored is a new version.
"""
# ruff: noqa: S608 - names are quoted identifiers of models; values are literals or parameters

from collections.abc import Sequence
from uuid import UUID

from pg8000.native import identifier, literal
from sqlalchemy import Connection, text

from functions.sync.repository import staging
from shared.contracts.source_rows import Key
from shared.contracts.sync_run import TableCounts
from shared.db.hash_joins import join_by_hash, joined_by_hash
from shared.db.literals import uuid_literal
from shared.db.models import BEGINS, SYNC_TARGETS, history_table, keep_versions, key_column, versioned_columns
from shared.rolls.closing import ROLL_TABLES

_UNCOMPARED = ("version", "valid_from", "valid_to", "sync_run_id", "superseded_by_run", "location")
"""Columns that differ between two versions of the same content."""


def cut(connection: Connection, county_id: str, run_id: UUID, target: str, rows: int) -> tuple[int, list[Key]]:
    """The number of rows that a run has written, and the key of every `rows`-th of them."""
    written = connection.scalars(
        text(f"SELECT row_key FROM ({_written(target)}) AS w ORDER BY row_key"),
        {"county_id": county_id, "run_id": run_id},
    ).all()
    return len(written), [[key] for key in written[rows - 1 : -1 : rows]]


def collect(
    connection: Connection, county_id: str, target: str, *, rolled_back: UUID, lower: str | None, upper: str | None
) -> None:
    """Fill the temporary table `written` with the rows of a key range that a run has written.

    It is analyzed, and joins by nested loops are forbidden for this transaction: histories are rarely analyzed after a
    run, so that the planner takes them for small ones, and loops over a whole county take hours.
    """
    connection.execute(
        text(
            f"CREATE TEMP TABLE written ON COMMIT DROP AS SELECT row_key, made_version FROM ({_written(target)}) AS w"
            " WHERE (CAST(:lower AS text) IS NULL OR row_key > :lower)"
            " AND (CAST(:upper AS text) IS NULL OR row_key <= :upper)"
        ),
        {"county_id": county_id, "run_id": rolled_back, "lower": lower, "upper": upper},
    )
    connection.exec_driver_sql("ANALYZE written")
    join_by_hash(connection)


def stage(
    connection: Connection,
    county_id: str,
    run_id: UUID,
    target: str,
    columns: Sequence[str],
    *,
    rolled_back: UUID,
    number: int,
) -> int:
    """Stage the collected rows that go back to the version before a run; the number of rows staged.

    The values come from the history within the database, since only keys pass through here.
    """
    key = key_column(SYNC_TARGETS[target])
    condition = f"NOT {_CHANGED_SINCE}{_not_closed(target)}"
    rows = connection.execute(
        text(
            f"SELECT CAST(:number AS text) AS partition_no, {_ACTION} AS action, CAST(t.version AS text) AS"
            f" base_version, t.{identifier(key)} AS {identifier(key)} {_rows(target)} AND {condition} ORDER BY 4"
        ),
        {"county_id": county_id, "uncompared": list(_UNCOMPARED), "number": number},
    ).all()
    staging.load_rows(connection, run_id, target, ("partition_no", "action", "base_version", key), rows)
    names = ", ".join(identifier(name) for name in (*columns, "row_hash"))
    values = ", ".join(f"h.{identifier(name)}" for name in (*columns, "row_hash"))
    connection.execute(
        text(
            f"UPDATE {staging.table_name(run_id, target)} AS s SET ({names}) = ({values})"
            f" FROM {identifier(history_table(SYNC_TARGETS[target]).name)} AS h WHERE h.county_id = :county_id"
            f" AND h.{identifier(key)} = s.{identifier(key)} AND h.superseded_by_run = :run_id"
            " AND s.partition_no = :number"
        ),
        {"county_id": county_id, "run_id": rolled_back, "number": number},
    )
    return len(rows)


def record_later_changes(connection: Connection, county_id: str, run_id: UUID, target: str) -> int:
    """Record a finding for each of the collected rows that cannot go back; their number."""
    closed = _closed(target)
    details = (
        "jsonb_strip_nulls(jsonb_build_object('version', t.version, 'fields', (SELECT jsonb_agg(n.key ORDER BY n.key)"
        " FROM jsonb_each(to_jsonb(t)) AS n JOIN jsonb_each(to_jsonb(made)) AS o USING (key)"
        f" WHERE n.value <> o.value AND n.key <> ALL (CAST(:not_shown AS text[]))),"
        " 'changed_by_run', made.superseded_by_run, 'changed_by', (SELECT max(e.made_by) FROM field_overrides AS e"
        f" WHERE e.county_id = :county_id AND e.table_name = {literal(target)} AND e.row_key = w.row_key"
        f" AND e.version = w.made_version + 1 AND e.origin = 'edit'), 'closed_roll', {closed or 'NULL'}))"
    )
    blocked = _CHANGED_SINCE + (f" OR {closed} IS NOT NULL" if closed else "")
    return connection.execute(
        text(
            "INSERT INTO sync_findings (county_id, run_id, kind, table_name, row_key, details)"
            f" SELECT :county_id, :own_run, 'later_change', {literal(target)}, w.row_key, {details}"
            f" {_rows(target)} AND ({blocked}) ORDER BY w.row_key"
        ),
        {
            "county_id": county_id,
            "own_run": run_id,
            "uncompared": list(_UNCOMPARED),
            "not_shown": [*_UNCOMPARED, "row_hash", "source_system"],
        },
    ).rowcount


def restore_sql(county_id: str, run_id: UUID, target: str, rolled_back: UUID, expected: TableCounts) -> list[str]:
    """SQL that writes the staged rows: the versions before the run as new ones, and the rows that it added retired.

    Overrides that the run made are withdrawn, and those that it ended are active again.
    """
    if not expected.differences:
        return []
    model = SYNC_TARGETS[target]
    key, table, history = identifier(key_column(model)), identifier(target), identifier(history_table(model).name)
    staged, run, earlier = staging.table_name(run_id, target), uuid_literal(run_id), uuid_literal(rolled_back)
    same = f"t.county_id = {literal(county_id)} AND t.{key} = s.{key}"
    before = f"h.county_id = {literal(county_id)} AND h.{key} = s.{key} AND h.superseded_by_run = {earlier}"
    fixed = {"county_id", key_column(model), "version", "valid_from", "sync_run_id"}
    restored = ", ".join(
        f"{identifier(name)} = h.{identifier(name)}" for name in versioned_columns(model) if name not in fixed
    )
    next_version = f"version = t.version + 1, valid_from = {BEGINS}, sync_run_id = {run}"
    own_overrides = f"o.county_id = {literal(county_id)} AND o.table_name = {literal(target)} AND o.row_key = s.{key}"
    later = "n.county_id = o.county_id AND n.table_name = o.table_name AND n.row_key = o.row_key AND n.field = o.field"
    go_back = (
        f"UPDATE {table} AS t SET {restored}, {next_version} FROM {staged} AS s JOIN {history} AS h ON {before}"
        f" WHERE {same}"
    )
    retire_added = (
        f"UPDATE {table} AS t SET retired_at = now(), {next_version} FROM {staged} AS s WHERE {same}"
        f" AND NOT EXISTS (SELECT FROM {history} AS h WHERE {before})"
    )
    withdraw = (
        f"UPDATE field_overrides AS o SET ended_at = now(), ended_why = 'withdrawn', ended_by = {run}"
        f" FROM {staged} AS s WHERE {own_overrides} AND o.decision_id = {earlier} AND o.ended_at IS NULL"
    )
    revive = (
        f"UPDATE field_overrides AS o SET ended_at = NULL, ended_why = NULL, ended_by = NULL FROM {staged} AS s"
        f" WHERE {own_overrides} AND o.ended_by = {earlier}"
        f" AND NOT EXISTS (SELECT FROM field_overrides AS n WHERE {later} AND n.ended_at IS NULL)"
    )
    keep = keep_versions(model, f"JOIN {staged} AS s ON {same}", run)
    return joined_by_hash([keep, go_back, retire_added, withdraw, revive])


_ACTION = (
    "CASE WHEN w.made_version = 1 OR h.retired_at IS NOT NULL THEN 'D' WHEN t.retired_at IS NOT NULL THEN 'R'"
    " ELSE 'U' END"
)
"""SQL of the change that a roll-back makes of a row."""
_CONTENT = "(to_jsonb({}) - CAST(:uncompared AS text[]))"
_CHANGED_SINCE = f"(t.version <> w.made_version AND {_CONTENT.format('t')} <> {_CONTENT.format('made')})"
"""SQL condition that a row has other content by now than the run has given it."""


def _written(target: str) -> str:
    """SQL of the rows that a run has written: key, and the version that it made."""
    model = SYNC_TARGETS[target]
    key, table, history = identifier(key_column(model)), identifier(target), identifier(history_table(model).name)
    added = "county_id = :county_id AND sync_run_id = :run_id AND version = 1"
    return (
        f"SELECT {key} AS row_key, version + 1 AS made_version FROM {history}"
        " WHERE county_id = :county_id AND superseded_by_run = :run_id"
        f" UNION ALL SELECT {key}, 1 FROM {table} WHERE {added} UNION ALL SELECT {key}, 1 FROM {history} WHERE {added}"
    )


def _rows(target: str) -> str:
    """SQL of the collected rows: as written (`w`), present (`t`), before the run (`h`), and the version that it made
    where a later one has superseded it (`made`).
    """
    model = SYNC_TARGETS[target]
    key, table, history = identifier(key_column(model)), identifier(target), identifier(history_table(model).name)
    return (
        f"FROM written AS w JOIN {table} AS t ON t.county_id = :county_id AND t.{key} = w.row_key"
        f" LEFT JOIN {history} AS h ON h.county_id = :county_id AND h.{key} = w.row_key"
        " AND h.version = w.made_version - 1"
        f" LEFT JOIN {history} AS made ON made.county_id = :county_id AND made.{key} = w.row_key"
        " AND made.version = w.made_version WHERE true"
    )


def _closed(target: str) -> str | None:
    """SQL of the year of a closed roll that a row belongs to, now or before the run; NULL for none."""
    if target not in ROLL_TABLES:
        return None
    return (
        "(SELECT min(r.roll_year) FROM rolls AS r WHERE r.county_id = :county_id AND r.status = 'closed'"
        " AND r.roll_year IN (t.roll_year, h.roll_year))"
    )


def _not_closed(target: str) -> str:
    closed = _closed(target)
    return f" AND {closed} IS NULL" if closed else ""
