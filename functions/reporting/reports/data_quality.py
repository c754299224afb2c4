"""Data quality: missing, impossible and duplicate values of the county's parcels, by field and class."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import Field

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import (
    Column,
    Contents,
    DataTable,
    Kind,
    Prose,
    Section,
    Statement,
    Statements,
)
from functions.reporting.domain.data_quality import RULES, Problem
from functions.reporting.domain.data_quality import DataQuality as Quality
from functions.reporting.domain.heading import Heading
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository.data_quality import Inspection, data_quality, problems
from functions.reporting.repository.typed_rows import TypedRows
from shared.db import unit_of_work
from shared.schemas import RequestSchema
from shared.typesetting import display

_TITLES: dict[Problem, str] = {
    "missing": "Missing values",
    "impossible": "Impossible values",
    "duplicate": "Duplicate values",
}
PROBLEM_COLUMNS = (
    *(Column("Property", name="property_id"), Column("Parcel number"), Column("Situs address")),
    *(Column("Class", name="property_class"), Column("Field"), Column("Problem"), Column("What", name="text")),
)


class DataQualityParameters(RequestSchema):
    """`problems`: the kinds of problems to look for, in all current parcels; by default every kind."""

    problems: Annotated[tuple[Problem, ...], Field(min_length=1, max_length=3)] = get_args(Problem)


class DataQuality(ReportType[DataQualityParameters]):
    """The report of what is wrong in the parcels' data."""

    title = "Data Quality"
    parameters = DataQualityParameters

    def build(self, heading: Heading, parameters: DataQualityParameters) -> Report:
        """Hold every current parcel against the rules."""
        rules = [rule for rule in RULES if rule.problem in parameters.problems]
        inspection = Inspection(heading.county_id, heading.generated_at.year, rules)
        with unit_of_work(heading.county_id) as connection:
            quality = data_quality(connection, inspection)
        return quality_report(quality, problems(inspection, PROBLEM_COLUMNS))


REPORT_TYPE = DataQuality()


def quality_report(quality: Quality, rows: TypedRows | list[list[Any]]) -> Report:
    """Lay out the counts; the table of data has every parcel that breaks a rule."""
    table = DataTable(PROBLEM_COLUMNS, rows, title="Parcels with problems", shown_in_print=False)
    return Report(
        title=DataQuality.title,
        contents=Contents(
            facts=[
                ("Parcels", display.count(quality.parcels)),
                ("With problems", display.count(quality.parcels_with_problems)),
                ("Rules", display.count(quality.rules)),
                ("Rules broken", display.count(quality.rules_with_problems)),
            ],
            sections=[
                Section("Summary", [Statements([Statement(text) for text in _statements(quality)])]),
                *(_section(quality, problem) for problem in _TITLES),
                Section("By class", [_by_class(quality), table] if quality.by_class else [Prose("Nothing was found.")]),
            ],
            sign_off=(),
        ),
        document={"data_quality": quality.model_dump(mode="json")},
        table=table,
    )


def _statements(quality: Quality) -> list[str]:
    found = quality.parcels_with_problems
    statements = [
        (
            f"{display.count(found)} of {phrases.number_of(quality.parcels, 'current parcel')} {phrases.have(found)}"
            " a value that is missing, impossible or a duplicate."
        )
    ]
    if quality.totals:
        worst = max(quality.totals, key=lambda rule: rule.parcels)
        statements.append(
            f"Most often, of {phrases.number_of(worst.parcels, 'parcel')}, {phrases.label(worst.field).lower()}"
            f" {worst.text}."
        )
    return statements


def _section(quality: Quality, problem: Problem) -> Section:
    rows = [
        [phrases.label(rule.field), rule.text, rule.parcels, rule.percent]
        for rule in quality.totals
        if rule.problem == problem
    ]
    columns = [Column("Field"), Column("What"), Column("Parcels", Kind.COUNT), Column("Of all", Kind.PERCENT)]
    return Section(_TITLES[problem], [DataTable(columns, rows) if rows else Prose("None were found.")])


def _by_class(quality: Quality) -> DataTable:
    columns = [Column("Class"), Column("Field"), Column("What"), Column("Parcels", Kind.COUNT)]
    rows = [
        [rule.property_class or "(none)", phrases.label(rule.field), rule.text, rule.parcels]
        for rule in sorted(quality.by_class, key=lambda rule: (rule.property_class, -rule.parcels))
    ]
    return DataTable(columns, rows, size=lambda row: row[3], largest="those of most parcels")
