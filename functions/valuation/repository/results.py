"""SQL of a run's results: written by partitions, read in pages, summarized, exported."""
# ruff: noqa: S608 - names of ours; values are parameters, or literals where COPY takes none

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, Row, text

from functions.valuation.schemas.runs import ResultFilter
from shared.contracts.valuation_run import Change, GroupChange
from shared.csv_export.query import export_csv
from shared.db.copying import copy_in, copy_to_file

COLUMNS = (
    "property_id",
    "property_class",
    "neighborhood",
    "model_id",
    "current_value",
    "estimate",
    "lower",
    "upper",
    "land_value",
    "improvement_value",
    "confidence",
    "review",
    "flags",
    "refusal",
    "contributions",
    "comparables",
)
"""The columns of a partition's rows, in this order."""

EXPORTED = (
    "property_id, property_class, neighborhood, model_id, current_value, estimate, lower AS low, upper AS high,"
    " land_value, improvement_value, confidence, review,"
    " (SELECT string_agg(flag, ' ' ORDER BY flag) FROM jsonb_array_elements_text(flags) AS flag) AS flags, refusal"
)
"""The columns of the exported files."""

_CHANGE = "100.0 * (estimate / nullif(current_value, 0) - 1.0)"
_CHANGES = (
    "count(*) AS properties, count(estimate) AS valued, count(*) - count(estimate) AS not_valued,"
    " count(*) FILTER (WHERE review) AS review, coalesce(sum(estimate), 0) AS estimate_total,"
    f" count({_CHANGE}) AS compared,"
    " coalesce(sum(estimate) FILTER (WHERE current_value > 0), 0) AS compared_estimate_total,"
    " coalesce(sum(current_value) FILTER (WHERE estimate IS NOT NULL), 0) AS compared_current_total,"
    f" percentile_cont(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY {_CHANGE}) AS percentiles"
)


@dataclass(frozen=True)
class Counts:
    """Progress of a run: properties with a value, without one, and with one to be reviewed."""

    valued: int
    not_valued: int
    review: int


def replace(
    connection: Connection, county_id: str, run_id: UUID, partition_no: int, rows: Iterable[Sequence[object]]
) -> None:
    """Put a partition's results (COLUMNS) where those of an earlier attempt may be. COPY goes to a temporary table:
    it is not taken by one under row-level security.
    """
    connection.execute(
        text(
            "CREATE TEMP TABLE incoming ON COMMIT DROP AS"
            f" SELECT {', '.join(COLUMNS)} FROM valuation_run_results WITH NO DATA"
        )
    )
    copy_in(connection, "incoming", COLUMNS, rows)
    key = {"county_id": county_id, "run_id": run_id, "partition_no": partition_no}
    connection.execute(
        text(
            "DELETE FROM valuation_run_results"
            " WHERE county_id = :county_id AND run_id = :run_id AND partition_no = :partition_no"
        ),
        key,
    )
    names = ", ".join(COLUMNS)
    connection.execute(
        text(
            f"INSERT INTO valuation_run_results (county_id, run_id, partition_no, {names})"
            f" SELECT :county_id, CAST(:run_id AS uuid), CAST(:partition_no AS integer), {names} FROM incoming"
        ),
        key,
    )


def page(
    connection: Connection, county_id: str, run_id: UUID, result_filter: ResultFilter, *, after: str | None, limit: int
) -> list[Row[*tuple[Any, ...]]]:
    """Results by property, those after `after`."""
    conditions = ["county_id = :county_id", "run_id = :run_id"]
    parameters: dict[str, Any] = {"county_id": county_id, "run_id": run_id, "limit": limit}
    for name in ("neighborhood", "property_class"):
        value = getattr(result_filter, name)
        if value is not None:
            conditions.append(f"{name} = :{name}")
            parameters[name] = value
    if result_filter.review is not None:
        conditions.append("review" if result_filter.review else "NOT review")
    if result_filter.valued is not None:
        conditions.append(f"estimate IS {'NOT ' if result_filter.valued else ''}NULL")
    if result_filter.flag is not None:
        conditions.append("jsonb_exists(flags, :flag)")
        parameters["flag"] = result_filter.flag
    if after is not None:
        conditions.append("property_id > :after")
        parameters["after"] = after
    statement = (
        f"SELECT {', '.join(COLUMNS)}, round({_CHANGE}, 2) AS change_percent FROM valuation_run_results"
        f" WHERE {' AND '.join(conditions)} ORDER BY property_id LIMIT :limit"
    )
    return list(connection.execute(text(statement), parameters))


def counts(connection: Connection, county_id: str, run_ids: Collection[UUID]) -> dict[UUID, Counts]:
    """The progress of each of the runs."""
    rows = connection.execute(
        text(
            "SELECT run_id, count(estimate) AS valued, count(*) - count(estimate) AS not_valued,"
            " count(*) FILTER (WHERE review) AS review FROM valuation_run_results"
            " WHERE county_id = :county_id AND run_id = ANY (:run_ids) GROUP BY run_id"
        ),
        {"county_id": county_id, "run_ids": list(run_ids)},
    )
    return {row.run_id: Counts(int(row.valued), int(row.not_valued), int(row.review)) for row in rows}


def overall_change(connection: Connection, county_id: str, run_id: UUID) -> Change:
    """The changes of all properties together."""
    row = connection.execute(
        text(f"SELECT {_CHANGES} FROM valuation_run_results WHERE county_id = :county_id AND run_id = :run_id"),
        {"county_id": county_id, "run_id": run_id},
    ).one()
    return Change(**_change(row))


def changes_by_group(connection: Connection, county_id: str, run_id: UUID, column: str) -> tuple[GroupChange, ...]:
    """The changes by `neighborhood` or `property_class`."""
    rows = connection.execute(
        text(
            f"SELECT coalesce({column}, '') AS group_name, {_CHANGES} FROM valuation_run_results"
            " WHERE county_id = :county_id AND run_id = :run_id GROUP BY 1 ORDER BY 1"
        ),
        {"county_id": county_id, "run_id": run_id},
    )
    return tuple(GroupChange(group=row.group_name, **_change(row)) for row in rows)


def flag_counts(connection: Connection, county_id: str, run_id: UUID) -> dict[str, int]:
    """Counts of properties by flag."""
    return _property_counts(connection, county_id, run_id, "jsonb_array_elements_text(flags)")


def refusal_counts(connection: Connection, county_id: str, run_id: UUID) -> dict[str, int]:
    """Counts of properties without a value, by reason."""
    counts = _property_counts(connection, county_id, run_id, "refusal")
    return {reason: number for reason, number in counts.items() if reason}


def export(connection: Connection, county_id: str, run_id: UUID, path: Path) -> None:
    """Write every result to a CSV file for people, by property."""
    export_csv(connection, _exported(county_id, run_id), path)


def copy_out(connection: Connection, county_id: str, run_id: UUID, path: Path) -> None:
    """Write every result to a file as CSV of the database, by property."""
    copy_to_file(connection, _exported(county_id, run_id), path)


def _exported(county_id: str, run_id: UUID) -> str:
    return (
        f"SELECT {EXPORTED} FROM valuation_run_results"
        f" WHERE county_id = {literal(county_id)} AND run_id = {literal(str(run_id))} ORDER BY property_id"
    )


def _property_counts(connection: Connection, county_id: str, run_id: UUID, expression: str) -> dict[str, int]:
    rows = connection.execute(
        text(
            f"SELECT coalesce(label, '') AS label, count(*) AS number FROM (SELECT {expression} AS label"
            " FROM valuation_run_results WHERE county_id = :county_id AND run_id = :run_id) AS labels"
            " GROUP BY 1 ORDER BY 1"
        ),
        {"county_id": county_id, "run_id": run_id},
    )
    return {row.label: int(row.number) for row in rows}


def _change(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    values = {name: value for name, value in row._mapping.items() if name not in ("percentiles", "group_name")}
    percentiles = row.percentiles or [None] * 5
    before, after = row.compared_current_total, row.compared_estimate_total
    values["change_percent"] = round(100 * (float(after) / float(before) - 1), 2) if before else None
    for name, value in zip(("p5", "p25", "median", "p75", "p95"), percentiles, strict=True):
        values[name] = None if value is None else round(float(value), 2)
    return values
