"""SQL of changes of value, parcel by parcel and by group."""
# ruff: noqa: S608 - names of ours, values are literals

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, text

from functions.reporting.domain.contents import Column
from functions.reporting.domain.parameters import CHANGE_BIN_ENDS, MAX_LISTED_CHANGES
from functions.reporting.domain.value_changes import (
    ChangeBin,
    ChangeGrouping,
    GroupOfChanges,
    ParcelChange,
    ValueChanges,
)
from functions.reporting.repository.typed_rows import TypedRows
from shared.db.literals import uuid_literal

_FIGURES = (
    "count(*) FILTER (WHERE change IS NOT NULL) AS compared,"
    " count(*) FILTER (WHERE change > 0) AS raised, count(*) FILTER (WHERE change < 0) AS lowered,"
    " count(*) FILTER (WHERE change = 0) AS unchanged,"
    " count(*) FILTER (WHERE after IS NULL) AS only_before, count(*) FILTER (WHERE before IS NULL) AS only_after,"
    " coalesce(sum(before) FILTER (WHERE change IS NOT NULL), 0) AS total_before,"
    " coalesce(sum(after) FILTER (WHERE change IS NOT NULL), 0) AS total_after, coalesce(sum(change), 0) AS change,"
    " round(100 * sum(change) / nullif(sum(before) FILTER (WHERE change IS NOT NULL), 0), 2) AS change_percent,"
    " round((percentile_cont(0.5) WITHIN GROUP (ORDER BY change_percent))::numeric, 2) AS median_change_percent"
)
_COLUMNS = "property_id, situs_address, property_class, neighborhood, before, after, change, change_percent"
_LARGEST_FIRST = "ORDER BY abs(change) DESC NULLS LAST, property_id"


@dataclass(frozen=True)
class Comparison:
    """The values compared: of a roll, and of a later roll or of a valuation run."""

    county_id: str
    from_roll_year: int
    to_roll_year: int | None
    valuation_run_id: UUID | None

    def sql(self) -> str:
        """A row a parcel that has a value of either kind."""
        county = literal(self.county_id)
        after = (
            f"SELECT property_id, estimate AS after FROM valuation_run_results WHERE county_id = {county}"
            f" AND run_id = {uuid_literal(self.valuation_run_id)} AND estimate IS NOT NULL"
            if self.valuation_run_id is not None
            else _roll_values(county, self.to_roll_year, "after")
        )
        return (
            "SELECT property_id, p.situs_address, p.property_class, p.neighborhood, before, after,"
            " after - before AS change, round(100 * (after - before) / nullif(before, 0), 2) AS change_percent"
            f" FROM ({_roll_values(county, self.from_roll_year, 'before')}) b FULL JOIN ({after}) a USING (property_id)"
            f" LEFT JOIN (SELECT * FROM properties_operational WHERE county_id = {county}) p USING (property_id)"
        )


def _roll_values(county: str, year: int | None, name: str) -> str:
    return (
        f"SELECT property_id, sum(total_value) AS {name} FROM assessments WHERE county_id = {county}"
        f" AND roll_year = {literal(year)} AND retired_at IS NULL AND total_value IS NOT NULL GROUP BY property_id"
    )


def parcel_changes(comparison: Comparison, columns: Sequence[Column]) -> TypedRows:
    """Every parcel, the largest changes first; last those with one of the two values."""
    query = f"SELECT {_COLUMNS} FROM ({comparison.sql()}) c {_LARGEST_FIRST}"
    return TypedRows(comparison.county_id, query, columns)


def value_changes(connection: Connection, comparison: Comparison) -> ValueChanges:
    """The changes by class and neighborhood, their distribution, and the largest."""
    changes = f"WITH changes AS MATERIALIZED ({comparison.sql()})"
    groupings = get_args(ChangeGrouping)
    (county,) = _groups(connection, f"{changes} SELECT NULL AS name, {_FIGURES} FROM changes")
    largest = connection.execute(
        text(f"{changes} SELECT {_COLUMNS} FROM changes WHERE change <> 0 {_LARGEST_FIRST} LIMIT {MAX_LISTED_CHANGES}")
    )
    return ValueChanges(
        from_roll_year=comparison.from_roll_year,
        to_roll_year=comparison.to_roll_year,
        valuation_run_id=comparison.valuation_run_id,
        county=county,
        groups={
            grouping: _groups(
                connection,
                f"{changes} SELECT {grouping} AS name, {_FIGURES} FROM changes GROUP BY 1 ORDER BY 1 NULLS LAST",
            )
            for grouping in groupings
        },
        distribution=_distribution(connection, changes),
        largest=tuple(ParcelChange.model_validate(dict(row)) for row in largest.mappings()),
    )


def _groups(connection: Connection, statement: str) -> tuple[GroupOfChanges, ...]:
    return tuple(_group(dict(row)) for row in connection.execute(text(statement)).mappings())


def _group(values: dict[str, Any]) -> GroupOfChanges:
    return GroupOfChanges(group=values.pop("name"), **values)


def _distribution(connection: Connection, changes: str) -> tuple[ChangeBin, ...]:
    ends = ", ".join(map(str, CHANGE_BIN_ENDS))
    rows = connection.execute(
        text(
            f"{changes} SELECT width_bucket(change_percent, ARRAY[{ends}]::numeric[]) AS bin, count(*) AS parcels"
            " FROM changes WHERE change_percent IS NOT NULL GROUP BY 1"
        )
    )
    counts = {row.bin: row.parcels for row in rows}
    bounds = [None, *CHANGE_BIN_ENDS, None]
    return tuple(
        ChangeBin(low=bounds[number], high=bounds[number + 1], parcels=counts.get(number, 0))
        for number in range(len(CHANGE_BIN_ENDS) + 1)
    )
