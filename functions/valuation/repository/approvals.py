"""SQL of bringing a run's values to a roll, and of taking them back.

Everything is set-based and in one transaction. What is superseded goes into the histories with the approval's id, and
an assessment that the approval made carries it; each value that it changed is an override: so taking it back finds
exactly what it wrote and what of that still stands. A sync leaves a value alone until the county's own system has
another one for it.
"""
# ruff: noqa: S608 - names of ours, values as parameters; those of a filter as literals

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, text, update
from sqlalchemy.dialects.postgresql import insert

from functions.valuation.repository.runs import filter_sql_with_parameters
from functions.valuation.schemas.runs import Approval, ApprovalFilter
from shared.db.hash_joins import join_by_hash
from shared.db.models import (
    BEGINS,
    PLATFORM_SOURCE,
    Assessment,
    PropertyOperational,
    SyncedModel,
    history_table,
    keep_versions,
    key_column,
)
from shared.db.models import ValuationApproval as ApprovalRow
from shared.precedence import overrides

_API_COLUMNS = tuple(getattr(ApprovalRow, name) for name in Approval.model_fields)
_VALUE_FIELDS = ("land_value", "improvement_value", "total_value")
_ASSESSMENT_FIELDS = (*_VALUE_FIELDS, "assessed_value")
_OF_COUNTY = "county_id = :county_id"


@dataclass(frozen=True)
class Posted:
    """Counts of the rows written, and by reason of the values that were not."""

    assessments: int
    properties: int
    skipped: dict[str, int]


@dataclass(frozen=True)
class StandingApproval:
    """An approval with what undoing it needs; `undo_id` is None while it stands."""

    approval_id: UUID
    run_id: UUID
    roll_year: int
    assessments: int
    properties: int
    skipped: dict[str, int]
    undo_id: UUID | None


_STANDING_COLUMNS = (
    ApprovalRow.approval_id,
    ApprovalRow.run_id,
    ApprovalRow.roll_year,
    ApprovalRow.assessments,
    ApprovalRow.properties,
    ApprovalRow.skipped,
    ApprovalRow.undo_id,
)


def of_runs(connection: Connection, county_id: str, run_ids: Collection[UUID]) -> dict[UUID, list[Approval]]:
    """The approvals of runs, the oldest first."""
    rows = connection.execute(
        select(ApprovalRow.run_id, *_API_COLUMNS)
        .where(ApprovalRow.county_id == county_id, ApprovalRow.run_id.in_(run_ids))
        .order_by(ApprovalRow.approved_at)
    )
    approvals: dict[UUID, list[Approval]] = {}
    for row in rows:
        shown = {name: value for name, value in row._mapping.items() if name != "run_id"}
        approvals.setdefault(row.run_id, []).append(Approval.model_validate(shown))
    return approvals


def find(connection: Connection, county_id: str, approval_id: UUID) -> StandingApproval | None:
    """An approval, undone ones too."""
    row = connection.execute(
        select(*_STANDING_COLUMNS).where(ApprovalRow.county_id == county_id, ApprovalRow.approval_id == approval_id)
    ).one_or_none()
    return None if row is None else StandingApproval(**row._mapping)


def find_by_undo(connection: Connection, county_id: str, undo_id: UUID) -> StandingApproval | None:
    """The approval that an undo job has taken back already, or None."""
    row = connection.execute(
        select(*_STANDING_COLUMNS).where(ApprovalRow.county_id == county_id, ApprovalRow.undo_id == undo_id)
    ).one_or_none()
    return None if row is None else StandingApproval(**row._mapping)


def latest_standing(connection: Connection, county_id: str, run_id: UUID) -> StandingApproval | None:
    """The latest approval of a run that has not been taken back."""
    row = connection.execute(
        select(*_STANDING_COLUMNS)
        .where(ApprovalRow.county_id == county_id, ApprovalRow.run_id == run_id, ApprovalRow.undone_at.is_(None))
        .order_by(ApprovalRow.approved_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else StandingApproval(**row._mapping)


def add(
    connection: Connection,
    county_id: str,
    approval_id: UUID,
    *,
    run_id: UUID,
    roll_year: int,
    approval_filter: ApprovalFilter,
    posted: Posted,
    by: str,
) -> None:
    """Keep what an approval wrote."""
    connection.execute(
        insert(ApprovalRow).values(
            county_id=county_id,
            approval_id=approval_id,
            run_id=run_id,
            roll_year=roll_year,
            filter=approval_filter.model_dump(mode="json", exclude_none=True),
            assessments=posted.assessments,
            properties=posted.properties,
            skipped=posted.skipped,
            approved_by=by,
        )
    )


def set_undone(connection: Connection, county_id: str, approval_id: UUID, undo_id: UUID, by: str) -> None:
    """Note that an approval was taken back."""
    connection.execute(
        update(ApprovalRow)
        .where(ApprovalRow.county_id == county_id, ApprovalRow.approval_id == approval_id)
        .values(undo_id=undo_id, undone_by=by, undone_at=func.now())
    )


def post(
    connection: Connection,
    county_id: str,
    approval_id: UUID,
    *,
    run_id: UUID,
    roll_year: int,
    approval_filter: ApprovalFilter,
    assessment_ratio: Decimal,
    by: str,
) -> Posted:
    """Write a run's values, in whole dollars, to the roll of a year, and where there is no later one to the properties.

    An assessment that the county's system has is changed, another is made. A property of several assessments in the
    year is left alone: which of them is meant is not ours to say.
    """
    parameters = {
        "county_id": county_id,
        "run_id": run_id,
        "roll_year": roll_year,
        "ratio": assessment_ratio,
        "approval_id": approval_id,
        "source": PLATFORM_SOURCE,
    }
    join_by_hash(connection)
    skipped = _stage_posted(connection, approval_filter, parameters)
    different = " OR ".join(f"t.{name} IS DISTINCT FROM c.{name}" for name in _ASSESSMENT_FIELDS)
    existing = f"c.known AND (t.retired_at IS NOT NULL OR {different})"
    changed = _supersede(connection, Assessment, "posted", existing, _ASSESSMENT_FIELDS, "NULL", parameters)
    names = ", ".join(("property_id", "roll_year", *_ASSESSMENT_FIELDS, "property_class"))
    selected = ", ".join(("property_id", "CAST(:roll_year AS integer)", *_ASSESSMENT_FIELDS, "property_class"))
    inserted = connection.execute(
        text(
            f"INSERT INTO assessments (county_id, assessment_id, {names}, source_system, sync_run_id, row_hash,"
            f" version, valid_from) SELECT :county_id, assessment_id, {selected}, :source, CAST(:approval_id AS uuid),"
            " '', 1, now() FROM posted WHERE NOT known"
        ),
        parameters,
    ).rowcount
    different = " OR ".join(f"t.{name} IS DISTINCT FROM c.{name}" for name in _VALUE_FIELDS)
    latest = (
        "NOT EXISTS (SELECT 1 FROM assessments later WHERE later.county_id = :county_id"
        " AND later.property_id = c.property_id AND later.roll_year > :roll_year AND later.retired_at IS NULL)"
    )
    current = _supersede(
        connection,
        PropertyOperational,
        "posted",
        f"({different}) AND {latest}",
        _VALUE_FIELDS,
        "t.retired_at",
        parameters,
    )
    decision = overrides.Decision(approval_id, "approval", by)
    for model, values in ((Assessment, _ASSESSMENT_FIELDS), (PropertyOperational, _VALUE_FIELDS)):
        key = key_column(model)
        which = f"h.superseded_by_run = :decision_id AND t.{key} IN (SELECT {key} FROM posted)"
        overrides.record(connection, county_id, model, values, decision, which, {})
    written = changed + inserted
    unchanged = int(connection.scalar(text("SELECT count(*) FROM posted")) or 0) - written
    return Posted(written, current, skipped | ({"unchanged": unchanged} if unchanged else {}))


def _stage_posted(
    connection: Connection, approval_filter: ApprovalFilter, parameters: dict[str, Any]
) -> dict[str, int]:
    """Fill the temporary table `posted` with the values to write. Returns the counts of the others, by reason."""
    columns = ", ".join(f"{name} numeric(14, 2)" for name in _ASSESSMENT_FIELDS)
    connection.execute(
        text(
            f"CREATE TEMP TABLE posted (property_id text, property_class text, {columns}, assessment_id text,"
            " known boolean, obstacle text) ON COMMIT DROP"
        )
    )
    conditions, lists = filter_sql_with_parameters(approval_filter)
    review = "" if approval_filter.review is None else f" AND {'' if approval_filter.review else 'NOT '}p.review"
    connection.execute(
        text(
            "INSERT INTO posted SELECT p.property_id, p.property_class, round(p.land_value),"
            " round(p.estimate) - round(p.land_value), round(p.estimate),"
            " round(round(p.estimate) * CAST(:ratio AS numeric)),"
            " coalesce(a.assessment_id, own.assessment_id, concat(CAST(:source AS text), '-',"
            "  CAST(:roll_year AS integer), '-', p.property_id)),"
            " coalesce(a.assessment_id, own.assessment_id) IS NOT NULL,"
            " CASE WHEN p.estimate IS NULL THEN 'no_value' WHEN o.property_id IS NULL THEN 'not_on_roll'"
            "  WHEN a.several THEN 'several_assessments' END"
            " FROM valuation_run_results p"
            " LEFT JOIN properties_operational o ON o.county_id = p.county_id AND o.property_id = p.property_id"
            "  AND o.retired_at IS NULL"
            " LEFT JOIN (SELECT property_id, max(assessment_id) AS assessment_id, count(*) > 1 AS several"
            f"  FROM assessments WHERE {_OF_COUNTY} AND roll_year = :roll_year AND retired_at IS NULL"
            "  GROUP BY property_id) a ON a.property_id = p.property_id"
            " LEFT JOIN assessments own ON own.county_id = p.county_id AND own.assessment_id ="
            "  concat(CAST(:source AS text), '-', CAST(:roll_year AS integer), '-', p.property_id)"
            f" WHERE p.county_id = :county_id AND p.run_id = :run_id AND {conditions}{review}"
        ),
        parameters | lists,
    )
    rows = connection.execute(text("SELECT obstacle, count(*) AS number FROM posted GROUP BY 1 ORDER BY 1"))
    skipped = {row.obstacle: int(row.number) for row in rows if row.obstacle is not None}
    connection.execute(text("DELETE FROM posted WHERE obstacle IS NOT NULL"))
    connection.execute(text("ANALYZE posted"))
    return skipped


def count_superseded(connection: Connection, county_id: str, approval_id: UUID) -> int:
    """Count the rows that an approval wrote on which another decision stands by now."""
    join_by_hash(connection)
    others = " AND ".join(("o.county_id = :county_id", "o.decision_id <> :approval_id", "o.ended_at IS NULL"))
    inserted_by_approval = "county_id = :county_id AND sync_run_id = :approval_id AND version = 1"
    superseded = connection.scalar(
        text(
            "SELECT count(*) FROM ("
            "SELECT o.table_name, o.row_key FROM field_overrides AS m JOIN field_overrides AS o"
            " ON o.table_name = m.table_name AND o.row_key = m.row_key AND o.field = m.field"
            " WHERE m.county_id = :county_id AND m.decision_id = :approval_id AND m.ended_why = 'replaced'"
            f" AND {others} UNION"
            " SELECT o.table_name, o.row_key FROM field_overrides AS o JOIN ("
            f"SELECT assessment_id FROM assessments WHERE {inserted_by_approval} UNION"
            f" SELECT assessment_id FROM assessments_history WHERE {inserted_by_approval}) AS made"
            f" ON o.table_name = 'assessments' AND o.row_key = made.assessment_id WHERE {others}"
            ") AS moved"
        ),
        {"county_id": county_id, "approval_id": approval_id},
    )
    return int(superseded or 0)


def restore(connection: Connection, county_id: str, approval_id: UUID, undo_id: UUID) -> tuple[int, int]:
    """Restore the values before those of an approval that still stand, as new versions, and retire the rows it made.

    What a sync has changed since is the source's, and stays. Returns how many assessments and properties were written.
    """
    parameters = {"county_id": county_id, "approval_id": approval_id, "undo_id": undo_id}
    _stage_restored(connection, Assessment, _ASSESSMENT_FIELDS, "restored_assessments", parameters)
    _stage_restored(connection, PropertyOperational, _VALUE_FIELDS, "restored_properties", parameters)
    undo = {"county_id": county_id, "approval_id": undo_id}
    written = (
        _supersede(connection, Assessment, "restored_assessments", "true", _ASSESSMENT_FIELDS, "c.retired_at", undo),
        _supersede(connection, PropertyOperational, "restored_properties", "true", _VALUE_FIELDS, "c.retired_at", undo),
    )
    overrides.withdraw(connection, county_id, approval_id, undo_id)
    return written


def _stage_restored(
    connection: Connection, model: SyncedModel, values: tuple[str, ...], into: str, parameters: dict[str, Any]
) -> None:
    """Fill a temporary table with the values to restore in the rows that the approval superseded or made."""
    key, table, history = key_column(model), model.__tablename__, history_table(model).name
    columns = ", ".join(f"{name} numeric(14, 2)" for name in values)
    connection.execute(text(f"CREATE TEMP TABLE {into} ({key} text, retired_at timestamptz, {columns}) ON COMMIT DROP"))
    before = ", ".join(f"CASE WHEN jsonb_exists(o.fields, '{name}') THEN h.{name} ELSE t.{name} END" for name in values)
    brought_back = "h.retired_at IS NOT NULL AND t.retired_at IS NULL"
    mine = "sync_run_id = CAST(:approval_id AS uuid)"
    connection.execute(
        text(
            f"INSERT INTO {into} SELECT t.{key}, CASE WHEN {brought_back} THEN h.retired_at ELSE t.retired_at END,"
            f" {before} FROM {history} AS h JOIN {table} AS t ON t.{_OF_COUNTY} AND t.{key} = h.{key}"
            " LEFT JOIN (SELECT row_key, jsonb_object_agg(field, true) AS fields FROM field_overrides"
            f"  WHERE {_OF_COUNTY} AND table_name = '{table}' AND decision_id = CAST(:approval_id AS uuid)"
            f"  AND ended_at IS NULL GROUP BY row_key) AS o ON o.row_key = t.{key}"
            f" WHERE h.{_OF_COUNTY} AND h.superseded_by_run = CAST(:approval_id AS uuid)"
            f" AND (o.fields IS NOT NULL OR {brought_back})"
            f" UNION ALL SELECT t.{key}, now(), {', '.join(f't.{name}' for name in values)} FROM {table} AS t"
            f" WHERE t.{_OF_COUNTY} AND t.retired_at IS NULL AND t.{key} IN ("
            f"SELECT {key} FROM {table} WHERE {_OF_COUNTY} AND {mine} AND version = 1"
            f" UNION SELECT {key} FROM {history} WHERE {_OF_COUNTY} AND {mine} AND version = 1)"
        ),
        parameters,
    )
    connection.execute(text(f"ANALYZE {into}"))


def _supersede(
    connection: Connection,
    model: SyncedModel,
    changes: str,
    where: str,
    values: tuple[str, ...],
    retired_at: str,
    parameters: dict[str, Any],
) -> int:
    """Put the present versions (`t`) of the rows that `changes` (`c`) names into the history, and the new values into
    the table. `retired_at` is SQL of both.
    """
    key, table = key_column(model), model.__tablename__
    matched = f"t.{_OF_COUNTY} AND t.{key} = c.{key} AND {where}"
    history_sql = keep_versions(model, f"JOIN {changes} AS c ON {matched}", "CAST(:approval_id AS uuid)")
    connection.execute(text(history_sql), parameters)
    return connection.execute(
        text(
            f"UPDATE {table} AS t SET {', '.join(f'{name} = c.{name}' for name in values)}, retired_at = {retired_at},"
            f" version = t.version + 1, valid_from = {BEGINS} FROM {changes} AS c WHERE {matched}"
        ),
        parameters,
    ).rowcount
