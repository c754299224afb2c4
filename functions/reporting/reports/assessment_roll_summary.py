"""The assessment roll summary: a roll year's values by group, against the roll before it."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import Column, Contents, DataTable, Kind, Section, Statement, Statements
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.roll_summary import RollGroup, RollSummary, compared_years, summarize
from functions.reporting.render.charts.value_bars import ValueBar, value_bars
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import rolls
from functions.reporting.schemas import Grouping
from shared.db import unit_of_work
from shared.schemas import RequestSchema
from shared.typesetting import display

_GROUPING_TITLES: dict[Grouping, str] = {"property_class": "Property class", "neighborhood": "Neighborhood"}
_FIGURES = (
    "parcels",
    "parcels_without_value",
    "land_value",
    "improvement_value",
    "total_value",
    "assessed_value",
    "mean_value",
    "median_value",
    "min_value",
    "max_value",
)
_COLUMNS = (
    Column("Parcels", Kind.COUNT, is_summed=True),
    Column("Land", Kind.DOLLARS, is_summed=True),
    Column("Improvements", Kind.DOLLARS, is_summed=True),
    Column("Total value", Kind.DOLLARS, is_summed=True),
    Column("Assessed value", Kind.DOLLARS, is_summed=True),
    Column("Mean", Kind.DOLLARS),
    Column("Median", Kind.DOLLARS),
    Column("Least", Kind.DOLLARS),
    Column("Greatest", Kind.DOLLARS),
    Column("Change", Kind.DOLLAR_CHANGE, is_summed=True),
    Column("Change %", Kind.PERCENT_CHANGE),
)
_CHANGES = (
    "parcels",
    "land_value",
    "improvement_value",
    "total_value",
    "assessed_value",
    "total_value_percent",
)


def _require_distinct(groups: list[Grouping]) -> list[Grouping]:
    if len(set(groups)) != len(groups):
        raise ValueError("name each grouping once")
    return groups


class AssessmentRollSummaryParameters(RequestSchema):
    """The roll year, and by what the parcels are grouped."""

    roll_year: Annotated[int, Field(ge=1800, le=2200)]
    groups: Annotated[
        list[Grouping],
        Field(min_length=1, max_length=2, default_factory=lambda: ["property_class", "neighborhood"]),
        AfterValidator(_require_distinct),
    ]


class AssessmentRollSummary(ReportType[AssessmentRollSummaryParameters]):
    """The report of a roll year's values: the county's, and each group's, with their change."""

    title = "Assessment Roll Summary"
    parameters = AssessmentRollSummaryParameters

    def build(self, heading: Heading, parameters: AssessmentRollSummaryParameters) -> Report:
        """Lay out the roll year beside the one before it. Raises Unprocessable for a year without a roll."""
        county_id = heading.county_id
        with unit_of_work(county_id) as connection:
            year, previous = compared_years(parameters.roll_year, rolls.roll_years(connection, county_id))
            years = [year] if previous is None else [year, previous]
            rows = rolls.roll_rows(connection, county_id, years, parameters.groups)
            overlap = None if previous is None else rolls.roll_overlap(connection, county_id, year, previous)
        return roll_report(heading, summarize(rows, year, previous, parameters.groups, overlap))


REPORT_TYPE = AssessmentRollSummary()


def roll_report(heading: Heading, summary: RollSummary) -> Report:
    """Lay out a roll summary."""
    return Report(
        title=f"{AssessmentRollSummary.title} {summary.roll_year}",
        contents=_contents(summary),
        document={"summary": summary.model_dump(mode="json")},
        table=_table(heading, summary),
    )


def _table(heading: Heading, summary: RollSummary) -> DataTable:
    """One row a group; the first is the county's."""
    rows = [["county", heading.county_id, *_data_cells(summary, summary.county)]]
    for grouping, groups in summary.groups.items():
        rows += [[grouping, group.group, *_data_cells(summary, group)] for group in groups]
    names = (
        "grouping",
        "group",
        "roll_year",
        *_FIGURES,
        "previous_roll_year",
        *(f"change_{name}" for name in _CHANGES),
    )
    return DataTable([Column(name) for name in names], rows)


def _data_cells(summary: RollSummary, group: RollGroup) -> list[Any]:
    figures = [getattr(group, name) for name in _FIGURES]
    changes = [None if group.change is None else getattr(group.change, name) for name in _CHANGES]
    return [summary.roll_year, *figures, summary.previous_roll_year, *changes]


def _contents(summary: RollSummary) -> Contents:
    statements = [Statement(text) for text in roll_statements(summary)]
    return Contents(
        facts=_facts(summary),
        sections=[
            Section("Summary", [Statements(statements)]),
            *(_grouping_section(summary, grouping, groups) for grouping, groups in summary.groups.items()),
            Section("How the figures are made", [Statements([Statement(text) for text in _method(summary)])]),
        ],
        flipped=True,
    )


def _grouping_section(summary: RollSummary, grouping: Grouping, groups: list[RollGroup]) -> Section:
    title = _GROUPING_TITLES[grouping]
    bars = value_bars(
        f"Value by {title.lower()}",
        [ValueBar(group.group, group.land_value, group.improvement_value) for group in groups],
    )
    table = DataTable(
        [Column(title), *_COLUMNS],
        [_row("(none)" if group.group is None else group.group, group) for group in groups],
        title=f"By {title.lower()}",
        total=_row("County", summary.county),
        size=lambda row: row[4],
        largest="those of greatest total value",
    )
    return Section(f"By {title.lower()}", [*([] if bars is None else [bars]), table])


def _method(summary: RollSummary) -> list[str]:
    previous = summary.previous_roll_year
    return [
        (
            "Figures are taken from the county's assessments of the roll year; records that the county has withdrawn"
            " are left out."
        ),
        "Mean, median, least and greatest are of the parcels' total value. Changes are of the total value, against "
        + ("an earlier roll; there is none." if previous is None else f"the {previous} roll."),
        (
            "A parcel's class is the one on that year's roll; where the roll names none, the parcel's present class."
            " The neighborhood is the parcel's present one."
        ),
        "Dollars are rounded for print only; the XLSX, CSV and JSON of this report carry the cents.",
    ]


def _facts(summary: RollSummary) -> list[tuple[str, str]]:
    county = summary.county
    return [
        ("Roll year", str(summary.roll_year)),
        ("Compared with", str(summary.previous_roll_year or "no earlier roll")),
        ("Parcels", display.count(county.parcels)),
        ("Land value", display.dollars(county.land_value)),
        ("Improvement value", display.dollars(county.improvement_value)),
        ("Total value", display.dollars(county.total_value)),
        ("Assessed value", display.dollars(county.assessed_value)),
        ("Median total value", display.dollars(county.median_value)),
    ]


def roll_statements(summary: RollSummary) -> list[str]:
    """The summary in sentences."""
    county = summary.county
    statements = [
        (
            f"The {summary.roll_year} roll holds {phrases.number_of(county.parcels, 'parcel')} with a total value of"
            f" {display.dollars(county.total_value)}, of which {display.dollars(county.assessed_value)} is assessed."
        )
    ]
    if county.change is not None:
        change = county.change
        statements.append(
            f"Against the {summary.previous_roll_year} roll the total value"
            f" {phrases.changed_by(change.total_value, change.total_value_percent)}; the number of parcels"
            + (f" changed by {display.count_change(change.parcels)}." if change.parcels else " is the same.")
        )
    overlap = summary.overlap
    if overlap is not None and (overlap.only_in_roll or overlap.only_in_previous):
        statements.append(
            f"The two rolls hold different parcels: {display.count(overlap.in_both)} are on both,"
            f" {display.count(overlap.only_in_roll)} on the {summary.roll_year} roll alone"
            f" ({display.dollars(overlap.total_only_in_roll)}), {display.count(overlap.only_in_previous)} on the"
            f" {summary.previous_roll_year} roll alone ({display.dollars(overlap.previous_total_only_in_previous)})."
            " The total value of the parcels on both"
            f" {phrases.changed_by(overlap.change_in_both, overlap.change_in_both_percent)}."
        )
    if county.parcels_without_value:
        statements.append(
            f"{phrases.number_of(county.parcels_without_value, 'parcel')} of them"
            f" {phrases.have(county.parcels_without_value)} no total value: counted, and in no sum, mean or median."
        )
    return statements


def _row(name: str, group: RollGroup) -> list[Any]:
    change = group.change
    return [
        name,
        group.parcels,
        group.land_value,
        group.improvement_value,
        group.total_value,
        group.assessed_value,
        group.mean_value,
        group.median_value,
        group.min_value,
        group.max_value,
        None if change is None else change.total_value,
        None if change is None else change.total_value_percent,
    ]
