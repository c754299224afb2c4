"""SQL of ratio studies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import numpy as np
import orjson
from pg8000.native import identifier, literal
from sqlalchemy import Connection, delete, insert, text

from functions.ratio_study.domain.study_sales import StudySales, ValueChanges
from functions.ratio_study.schemas import (
    ATTRIBUTE_PREFIX,
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    RatioStudyRequest,
    StudyFilter,
)
from shared.appraisal.arrays import FloatArray
from shared.contracts.ratio_study import LeftOutSale, StratumResult
from shared.db.copying import copy_out_rows
from shared.db.models import NeighborhoodRatio
from shared.evidence import Evidence, excluded_sales, excluded_sales_of_period, read_evidence
from shared.sale_validity import DECISION_JOIN, SALE_VALIDITY

RATIO_BATCH_SIZE = 500
"""Rows of an INSERT: seven parameters each, of the 65,535 that PostgreSQL takes."""


def study_sales(connection: Connection, county_id: str, request: RatioStudyRequest) -> StudySales:
    """The county's valid sales with everything else that a study of this request needs."""
    evidence = read_evidence(connection, county_id)
    return StudySales(
        evidence=evidence,
        excluded=excluded_sales(connection, county_id),
        stored_value=_stored_values(connection, county_id, request, evidence),
        columns=_columns(connection, county_id, request.strata, evidence),
        run_valuation_date=_run_valuation_date(connection, county_id, request),
        changes=_value_changes(connection, county_id, request),
        left_out=_left_out(connection, county_id, request),
    )


def _left_out(connection: Connection, county_id: str, request: RatioStudyRequest) -> list[LeftOutSale]:
    """The period's sales that are no evidence, each with its reason."""
    period = (request.sale_from, request.sale_to)
    excluded = excluded_sales_of_period(connection, county_id, *period)
    return [LeftOutSale.model_validate({**sale, "sale_price": float(sale["sale_price"])}) for sale in excluded]


_SOLD = " AND EXISTS (SELECT FROM sales s WHERE s.county_id = v.county_id AND s.property_id = v.property_id)"


def _stored_values(
    connection: Connection, county_id: str, request: RatioStudyRequest, evidence: Evidence
) -> FloatArray | None:
    match request.value_source:
        case "roll":
            query = (
                "SELECT v.property_id, sum(v.total_value) FROM assessments v"  # noqa: S608 - values are literals
                f" WHERE v.county_id = {literal(county_id)} AND v.roll_year = {literal(request.roll_year)}"
                f" AND v.retired_at IS NULL{_SOLD} GROUP BY 1"
            )
        case "valuation_run":
            query = (
                "SELECT v.property_id, v.estimate FROM valuation_run_results v"  # noqa: S608 - values are literals
                f" WHERE v.county_id = {literal(county_id)} AND v.run_id = {literal(str(request.valuation_run_id))}"
                f" AND v.estimate IS NOT NULL{_SOLD}"
            )
        case _:
            return None
    values = {property_id: float(value) for property_id, value in copy_out_rows(connection, query) if value}
    return np.array([values.get(property_id, np.nan) for property_id in evidence.property_ids], dtype=np.float64)


def _run_valuation_date(connection: Connection, county_id: str, request: RatioStudyRequest) -> date | None:
    if request.valuation_run_id is None:
        return None
    valuation_date: date | None = connection.scalar(
        text("SELECT valuation_date FROM valuation_runs WHERE county_id = :county_id AND run_id = :run_id"),
        {"county_id": county_id, "run_id": request.valuation_run_id},
    )
    return valuation_date


def _columns(connection: Connection, county_id: str, strata: Sequence[str], evidence: Evidence) -> dict[str, list[Any]]:
    """The columns and attributes that strata name, in the order of the evidence."""
    names = [name for name in strata if name in (*TEXT_COLUMNS, *NUMBER_COLUMNS) or name.startswith(ATTRIBUTE_PREFIX)]
    if not names:
        return {}
    expressions = ", ".join(_expression(name) for name in names)
    rows = copy_out_rows(
        connection,
        f"SELECT s.sale_id, {expressions} FROM sales s"  # noqa: S608 - names are identifiers or literals
        " JOIN properties_operational p USING (county_id, property_id)"
        f" WHERE s.county_id = {literal(county_id)} AND s.retired_at IS NULL",
    )
    by_sale = {row[0]: row[1:] for row in rows}
    unknown = ("",) * len(names)  # of a sale that a sync has retired since the evidence was read
    return {
        name: [_column_value(name, by_sale.get(sale_id, unknown)[number]) for sale_id in evidence.sale_ids]
        for number, name in enumerate(names)
    }


def _expression(name: str) -> str:
    if name.startswith(ATTRIBUTE_PREFIX):
        return f"p.attributes -> {literal(name.removeprefix(ATTRIBUTE_PREFIX))}"
    return f"p.{identifier(name)}"


def _column_value(name: str, text_value: str) -> Any:
    """A column's value from its text: numbers as numbers, attributes by their JSON type."""
    if text_value == "":
        return None
    if name in NUMBER_COLUMNS:
        return float(text_value)
    if not name.startswith(ATTRIBUTE_PREFIX):
        return text_value
    value = orjson.loads(text_value)
    return text_value if isinstance(value, dict | list) else value


def _value_changes(connection: Connection, county_id: str, request: RatioStudyRequest) -> ValueChanges | None:
    """Changes of value from the roll before to the studied roll (to the latest one for current values)."""
    if request.value_source not in ("assessed", "roll") or request.filter.sale_ids is not None:
        return None
    latest = text("SELECT max(roll_year) FROM assessments WHERE county_id = :county_id AND retired_at IS NULL")
    year = request.roll_year or connection.scalar(latest, {"county_id": county_id})
    if year is None:
        return None
    county = literal(county_id)
    sold = (
        f"SELECT s.property_id FROM sales s{DECISION_JOIN} WHERE s.county_id = {county} AND s.retired_at IS NULL"  # noqa: S608
        f" AND {SALE_VALIDITY} = 'valid'"
        f" AND s.sale_date BETWEEN {literal(request.sale_from)} AND {literal(request.sale_to)}"
    )
    rows = copy_out_rows(
        connection,
        f"SELECT property_id IN ({sold}), now_total / before_total FROM (SELECT property_id,"  # noqa: S608
        f" sum(total_value) FILTER (WHERE roll_year = {literal(year)}) AS now_total,"
        f" sum(total_value) FILTER (WHERE roll_year = {literal(year - 1)}) AS before_total FROM assessments"
        f" WHERE county_id = {county} AND retired_at IS NULL AND roll_year IN ({literal(year)}, {literal(year - 1)})"
        f"{_filter_condition(county, request.filter)}"
        " GROUP BY property_id) v WHERE now_total > 0 AND before_total > 0",
    )
    if not rows:
        return None
    change = np.array([float(row[1]) for row in rows], dtype=np.float64)
    was_sold = np.array([row[0] == "t" for row in rows], dtype=np.bool_)
    return ValueChanges(year, change[was_sold], change[~was_sold])


def _filter_condition(county: str, sale_filter: StudyFilter) -> str:
    """SQL that keeps the assessments of the filter's parcels alone."""
    conditions = [
        f"p.{column} IN ({', '.join(map(literal, names))})"
        for column, names in (
            ("property_class", sale_filter.property_classes),
            ("neighborhood", sale_filter.neighborhoods),
        )
        if names is not None
    ]
    if not conditions:
        return ""
    return (
        f" AND property_id IN (SELECT p.property_id FROM properties_operational p WHERE p.county_id = {county}"  # noqa: S608
        f" AND {' AND '.join(conditions)})"
    )


def keep_neighborhood_ratios(
    connection: Connection, county_id: str, study_id: UUID, strata: Sequence[StratumResult]
) -> None:
    """Keep the figures of a study's neighborhoods; those of an earlier attempt of the same study are replaced."""
    own = (NeighborhoodRatio.county_id == county_id, NeighborhoodRatio.study_id == study_id)
    connection.execute(delete(NeighborhoodRatio).where(*own))
    rows = [
        {
            "county_id": county_id,
            "study_id": study_id,
            "neighborhood": stratum.value,
            "sales": stratum.sales,
            **{name: _statistic(stratum, name) for name in ("median", "cod", "prd")},
        }
        for stratum in strata
    ]
    for start in range(0, len(rows), RATIO_BATCH_SIZE):
        connection.execute(insert(NeighborhoodRatio).values(rows[start : start + RATIO_BATCH_SIZE]))


def _statistic(stratum: StratumResult, name: str) -> float | None:
    statistic = stratum.study.statistics.get(name) if stratum.study is not None else None
    return None if statistic is None else statistic.value


def attribute_names(connection: Connection, county_id: str) -> list[str]:
    """The names of the attributes that sold properties have."""
    return list(
        connection.scalars(
            text(
                "SELECT DISTINCT name FROM sales s JOIN properties_operational p USING (county_id, property_id),"
                " jsonb_object_keys(CASE jsonb_typeof(p.attributes) WHEN 'object' THEN p.attributes ELSE '{}' END)"
                " AS name WHERE s.county_id = :county_id AND s.retired_at IS NULL ORDER BY name"
            ),
            {"county_id": county_id},
        )
    )
