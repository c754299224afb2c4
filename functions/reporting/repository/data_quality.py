"""SQL of the quality of parcels' data."""
# ruff: noqa: S608 - conditions of ours, values are literals

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pg8000.native import literal
from sqlalchemy import Connection, text

from functions.reporting.domain.contents import Column
from functions.reporting.domain.data_quality import DataQuality, QualityRule, RuleCount, RuleTotal
from functions.reporting.repository.typed_rows import TypedRows


@dataclass(frozen=True)
class Inspection:
    """A county's current parcels, held against rules in a year."""

    county_id: str
    year: int
    rules: Sequence[QualityRule]


def _broken_rules(inspection: Inspection) -> str:
    """SQL of the current parcels, each with the numbers of the rules that it breaks."""
    flags = ", ".join(
        f"CASE WHEN {rule.condition.replace(':year', literal(inspection.year))} THEN {number} END"
        for number, rule in enumerate(inspection.rules)
    )
    return (
        "SELECT p.property_id, p.parcel_number, p.situs_address, coalesce(p.property_class, '') AS property_class,"
        f" array_remove(ARRAY[{flags}], NULL) AS broken FROM properties_operational p"
        f" WHERE p.county_id = {literal(inspection.county_id)} AND p.retired_at IS NULL"
    )


def data_quality(connection: Connection, inspection: Inspection) -> DataQuality:
    """The parcels that break each rule, by class."""
    parcels = f"WITH parcels AS MATERIALIZED ({_broken_rules(inspection)})"
    total, with_problems = connection.execute(
        text(f"{parcels} SELECT count(*), count(*) FILTER (WHERE cardinality(broken) > 0) FROM parcels")
    ).one()
    rules = inspection.rules
    rows = connection.execute(
        text(
            f"{parcels} SELECT rule, property_class, count(*) AS parcels FROM parcels, unnest(broken) AS rule"
            " GROUP BY 1, 2 ORDER BY 1, 2"
        )
    )
    counts = [(rules[row.rule], row.property_class, row.parcels) for row in rows]
    sums = {rule: sum(number for found, _, number in counts if found is rule) for rule in rules}
    return DataQuality(
        parcels=total,
        parcels_with_problems=with_problems,
        rules=len(rules),
        rules_with_problems=sum(1 for number in sums.values() if number),
        totals=tuple(
            RuleTotal(
                field=rule.field,
                problem=rule.problem,
                text=rule.text,
                parcels=number,
                percent=round(100 * number / total, 2),
            )
            for rule, number in sums.items()
            if number
        ),
        by_class=tuple(
            RuleCount(
                field=rule.field, problem=rule.problem, text=rule.text, property_class=property_class, parcels=number
            )
            for rule, property_class, number in counts
        ),
    )


def problems(inspection: Inspection, columns: Sequence[Column]) -> TypedRows:
    """A row for each parcel and rule that it breaks."""
    names = ", ".join(
        f"({number}, {literal(rule.field)}, {literal(rule.problem)}, {literal(rule.text)})"
        for number, rule in enumerate(inspection.rules)
    )
    return TypedRows(
        inspection.county_id,
        "SELECT property_id, parcel_number, situs_address, property_class, field, problem, text"
        f" FROM ({_broken_rules(inspection)}) parcels, unnest(broken) AS rule"
        f" JOIN (VALUES {names}) AS rules (rule_no, field, problem, text) ON rule_no = rule"
        " ORDER BY property_id, rule",
        columns,
    )
