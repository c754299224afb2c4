"""SQL of write-backs: decided values, and the rows of a write-back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import Connection, delete, func, select, text

from functions.write_back.domain.changes import DecidedValue
from functions.write_back.schemas import RowOutcome, WriteBackRow
from shared.db.hash_joins import join_by_hash
from shared.db.models import PLATFORM_SOURCE, ValuationApproval
from shared.db.models import WriteBackRow as StoredRow
from shared.rolls.closing import ROLL_TABLES


@dataclass(frozen=True)
class Selection:
    """The decisions that go back: those of these approvals, or all that stand on the roll of a year."""

    approvals: tuple[UUID, ...] = ()
    roll_year: int | None = None

    def has(self, table: str) -> bool:
        """True for a table that has such decisions: a roll has its own tables alone."""
        return self.roll_year is None or table in ROLL_TABLES


@dataclass(frozen=True)
class NewRow:
    """A value of a write-back as it is kept."""

    table_name: str
    row_key: str
    source_key: dict[str, str | None] | None
    field: str
    column_name: str
    outcome: str
    read_value: str | None
    new_value: str | None
    reason: str | None


def county(connection: Connection, county_id: str) -> tuple[dict[str, Any], str]:
    """The configuration and the mapping of a county."""
    row = connection.execute(
        text("SELECT configuration, mapping FROM counties WHERE county_id = :county_id"), {"county_id": county_id}
    ).one()
    return row.configuration, row.mapping


def standing_approvals(connection: Connection, county_id: str, run_id: UUID) -> tuple[UUID, ...]:
    """The approvals of a run that have not been taken back."""
    rows = connection.execute(
        select(ValuationApproval.approval_id).where(
            ValuationApproval.county_id == county_id,
            ValuationApproval.run_id == run_id,
            ValuationApproval.undone_at.is_(None),
        )
    )
    return tuple(rows.scalars())


def decided_values(
    connection: Connection, county_id: str, table: str, selection: Selection, keys: Sequence[str]
) -> dict[str, list[DecidedValue]]:
    """The decided values that stand, of those rows of a table, by row."""
    join_by_hash(connection)  # a mass approval has just written them
    rows = connection.execute(
        text(
            "SELECT o.row_key, o.field, o.value, o.source_value FROM field_overrides AS o"  # noqa: S608 - ours
            f" WHERE {_selected(table, selection)} AND o.row_key = ANY(CAST(:keys AS text[]))"
            " ORDER BY o.row_key, o.field"
        ),
        {**_parameters(county_id, table, selection), "keys": list(keys)},
    )
    decided = dict[str, list[DecidedValue]]()
    for row in rows:
        decided.setdefault(row.row_key, []).append(DecidedValue(row.field, row.value, row.source_value))
    return decided


def decided_keys(connection: Connection, county_id: str, table: str, selection: Selection) -> set[str]:
    """The keys of the rows of a table with decided values that stand."""
    join_by_hash(connection)
    rows = connection.execute(
        text(f"SELECT DISTINCT o.row_key FROM field_overrides AS o WHERE {_selected(table, selection)}"),  # noqa: S608
        _parameters(county_id, table, selection),
    )
    return set(rows.scalars())


def delete_rows(connection: Connection, county_id: str, write_back_id: UUID) -> None:
    """Delete the rows of an earlier attempt."""
    connection.execute(
        delete(StoredRow).where(StoredRow.county_id == county_id, StoredRow.write_back_id == write_back_id)
    )


def add_rows(connection: Connection, county_id: str, write_back_id: UUID, first_no: int, rows: Iterable[NewRow]) -> int:
    """Add rows, numbered from `first_no`; the number of the next one."""
    documents = [{"row_no": number, **vars(row)} for number, row in enumerate(rows, start=first_no)]
    if documents:
        names = ", ".join(documents[0])
        connection.execute(
            text(
                f"INSERT INTO write_back_rows (county_id, write_back_id, {names})"  # noqa: S608 - columns of the model
                f" SELECT :county_id, :write_back_id, {names}"
                " FROM jsonb_populate_recordset(CAST(NULL AS write_back_rows), CAST(:rows AS jsonb))"
            ),
            {"county_id": county_id, "write_back_id": write_back_id, "rows": orjson.dumps(documents).decode()},
        )
    return first_no + len(documents)


def add_platform_rows(
    connection: Connection,
    county_id: str,
    write_back_id: UUID,
    first_no: int,
    columns: dict[str, str],
    selection: Selection,
) -> int:
    """Add the values of assessments that an approval made because the county's system has none of the year.

    `columns` are the system's columns by field. The number of values.
    """
    fields = {field: column for field, column in columns.items() if "." not in field}
    if not fields:
        return 0
    values = ", ".join(f"(:f{n}, :c{n}, CAST(a.{field} AS text))" for n, field in enumerate(fields))
    named = {f"f{n}": field for n, field in enumerate(fields)} | {
        f"c{n}": name for n, name in enumerate(fields.values())
    }
    condition = (
        "a.sync_run_id = ANY(CAST(:approvals AS uuid[]))" if selection.roll_year is None else "a.roll_year = :roll_year"
    )
    parameters = _parameters(county_id, "assessments", selection)
    del parameters["table_name"]
    added = connection.execute(
        text(
            "INSERT INTO write_back_rows (county_id, write_back_id, row_no, table_name, row_key, field, column_name,"  # noqa: S608
            " outcome, new_value, reason) SELECT :county_id, :write_back_id, CAST(:first_no AS integer) - 1"
            " + row_number() OVER (ORDER BY a.assessment_id, v.field), 'assessments', a.assessment_id, v.field,"
            " v.column_name, 'not_in_source', v.value, 'the county''s system has no record of this year'"
            f" FROM assessments AS a CROSS JOIN LATERAL (VALUES {values}) AS v (field, column_name, value)"
            f" WHERE a.county_id = :county_id AND a.source_system = :source AND a.retired_at IS NULL AND {condition}"
            " AND v.value IS NOT NULL"
        ),
        {
            **parameters,
            **named,
            "write_back_id": write_back_id,
            "first_no": first_no,
            "source": PLATFORM_SOURCE,
        },
    )
    return int(added.rowcount)


def page_of_rows(
    connection: Connection, county_id: str, write_back_id: UUID, outcome: RowOutcome | None, *, after: int, limit: int
) -> list[WriteBackRow]:
    """Rows of a write-back in their order, from the one after number `after`."""
    statement = (
        select(
            StoredRow.row_no,
            StoredRow.table_name.label("table"),
            StoredRow.row_key,
            StoredRow.source_key,
            StoredRow.field,
            StoredRow.column_name.label("column"),
            StoredRow.outcome,
            StoredRow.read_value,
            StoredRow.new_value,
            StoredRow.reason,
        )
        .where(StoredRow.county_id == county_id, StoredRow.write_back_id == write_back_id, StoredRow.row_no > after)
        .order_by(StoredRow.row_no)
        .limit(limit)
    )
    if outcome is not None:
        statement = statement.where(StoredRow.outcome == outcome)
    return [WriteBackRow.model_validate(dict(row._mapping)) for row in connection.execute(statement)]


def outcomes(connection: Connection, county_id: str, write_back_id: UUID) -> dict[str, int]:
    """The number of values by outcome."""
    rows = connection.execute(
        select(StoredRow.outcome, func.count().label("number"))
        .where(StoredRow.county_id == county_id, StoredRow.write_back_id == write_back_id)
        .group_by(StoredRow.outcome)
    )
    return {row.outcome: row.number for row in rows}


def _selected(table: str, selection: Selection) -> str:
    """SQL of the overrides `o` of a selection."""
    standing = "o.county_id = :county_id AND o.table_name = :table_name AND o.ended_at IS NULL"
    if selection.roll_year is None:
        return f"{standing} AND o.decision_id = ANY(CAST(:approvals AS uuid[]))"
    key = {"assessments": "assessment_id", "exemptions": "exemption_id"}[table]
    return (
        f"{standing} AND EXISTS (SELECT FROM {table} AS r WHERE r.county_id = o.county_id AND r.{key} = o.row_key"
        " AND r.roll_year = :roll_year AND r.retired_at IS NULL)"
    )


def _parameters(county_id: str, table: str, selection: Selection) -> dict[str, Any]:
    chosen: dict[str, Any] = (
        {"approvals": list(selection.approvals)} if selection.roll_year is None else {"roll_year": selection.roll_year}
    )
    return {"county_id": county_id, "table_name": table, **chosen}
