"""The county comparison: counties side by side, each by its newest roll and its newest ratio study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from functions.reporting.domain.contents import (
    Column,
    Contents,
    DataTable,
    Kind,
    Prose,
    Section,
    Statement,
    Statements,
    Toned,
)
from functions.reporting.domain.county_comparison import (
    STATISTICS,
    ComparedCounties,
    ComparedCounty,
    ComparedStudy,
    compared_study,
)
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.roll_summary import RollGroup, summarize
from functions.reporting.reports.finished_study import read_study
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import counties, rolls, valuations
from shared.db import unit_of_work
from shared.problems import Problem
from shared.schemas import CountyId, RequestSchema
from shared.typesetting import display

MAX_COUNTIES = 20
"""A choice: a table in landscape is read at a glance up to that many rows."""

_COLUMNS = (
    *(Column("County", name="county_name"), Column("Id", name="county_id"), Column("Roll", Kind.YEAR, "roll_year")),
    *(Column("Parcels", Kind.COUNT), Column("Total value", Kind.DOLLARS), Column("Assessed value", Kind.DOLLARS)),
    *(Column("Median value", Kind.DOLLARS), Column("Sales", Kind.COUNT), Column("Median ratio", Kind.RATIO)),
    *(Column("COD", Kind.DECIMAL), Column("PRD", Kind.RATIO), Column("PRB", Kind.RATIO)),
)


def _require_distinct(county_ids: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(county_ids)) != len(county_ids):
        raise ValueError("name each county once")
    return county_ids


class CountyComparisonParameters(RequestSchema):
    """`county_ids`: the counties to put side by side, each of them one whose reports you may read."""

    county_ids: Annotated[
        tuple[CountyId, ...], Field(min_length=2, max_length=MAX_COUNTIES), AfterValidator(_require_distinct)
    ]


class CountyComparison(ReportType[CountyComparisonParameters]):
    """The report of several counties; who may not read all of them can neither make it nor take its file."""

    title = "County Comparison"
    parameters = CountyComparisonParameters

    def counties(self, county_id: str, parameters: CountyComparisonParameters) -> Sequence[str]:
        """Those that it names, and the one that it is a report of."""
        return list(dict.fromkeys((county_id, *parameters.county_ids)))

    def build(self, heading: Heading, parameters: CountyComparisonParameters) -> Report:
        """Read each county by itself, and lay them out."""
        compared = ComparedCounties(counties=tuple(_county(each) for each in parameters.county_ids))
        return comparison_report(heading.county_name, compared)


REPORT_TYPE = CountyComparison()


def _county(county_id: str) -> ComparedCounty:
    with unit_of_work(county_id) as connection:
        name = counties.county_name(connection, county_id) or county_id
        year = max(rolls.roll_years(connection, county_id), default=None)
        roll = None if year is None else _roll(connection, county_id, year)
        study_id = valuations.newest_study(connection, county_id)
    study: ComparedStudy | None = None
    if study_id is not None:
        try:
            study = compared_study(study_id, read_study(county_id, study_id).results)
        except Problem:  # lost since: the county is compared by its roll
            study = None
    return ComparedCounty(
        county_id=county_id,
        county_name=name,
        roll_year=year,
        parcels=None if roll is None else roll.parcels,
        total_value=None if roll is None else roll.total_value,
        assessed_value=None if roll is None else roll.assessed_value,
        median_value=None if roll is None else roll.median_value,
        study=study,
    )


def _roll(connection: Any, county_id: str, year: int) -> RollGroup:
    rows = rolls.roll_rows(connection, county_id, [year], ["property_class"])
    return summarize(rows, year, None, ["property_class"]).county


def comparison_report(made_by: str, compared: ComparedCounties) -> Report:
    """Lay out the counties; `made_by` is the county that the report is one of."""
    table = DataTable(_COLUMNS, [_row(county) for county in compared.counties])
    return Report(
        title=CountyComparison.title,
        contents=Contents(
            facts=[("Counties", str(len(compared.counties))), ("Report of", display.name(made_by))],
            sections=[
                Section("Counties", [table, Prose(_METHOD)]),
                Section(
                    "Verdicts", [_verdicts(compared), Statements([Statement(text) for text in _studies(compared)])]
                ),
            ],
            sign_off=(),
            flipped=True,
        ),
        document=compared.model_dump(mode="json"),
        table=table,
    )


_METHOD = (
    "Parcels and values are those of each county's newest roll; ratios are those of its newest study of the whole"
    " county that was stratified by neighborhood. Counties reappraise in different years, and their studies test"
    " different periods."
)


def _row(county: ComparedCounty) -> list[Any]:
    study = county.study
    return [
        *(county.county_name, county.county_id, county.roll_year),
        *(county.parcels, county.total_value, county.assessed_value, county.median_value),
        None if study is None else study.sales,
        *(None if study is None else study.statistics.get(name) for name in STATISTICS),
    ]


def _verdicts(compared: ComparedCounties) -> DataTable:
    columns = [Column("County"), Column("Level (median)"), Column("Uniformity (COD)"), Column("PRD"), Column("PRB")]
    rows = []
    for county in compared.counties:
        verdicts = {} if county.study is None else county.study.verdicts
        rows.append([county.county_name, *(_toned(verdicts, name) for name in STATISTICS)])
    return DataTable(columns, rows)


def _toned(verdicts: Mapping[str, str], statistic: str) -> Toned | None:
    result = verdicts.get(statistic)
    if result is None:
        return None
    return Toned(result, "good" if result == "meets" else "alarm" if result == "does not meet" else "plain")


def _studies(compared: ComparedCounties) -> list[str]:
    return [
        f"{county.county_name}: sales from {county.study.sale_from} to {county.study.sale_to}."
        if county.study is not None
        else f"{county.county_name} has no such study."
        for county in compared.counties
    ]
