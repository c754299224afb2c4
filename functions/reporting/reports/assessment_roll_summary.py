"""The assessment roll summary: a roll year's values by group, against the roll before it."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from functions.reporting import repository
from functions.reporting.domain.parameters import MAX_CHART_BARS, MAX_PRINTED_ROWS
from functions.reporting.domain.roll_summary import RollGroup, RollSummary, compared_years, summarize
from functions.reporting.reports.printing import printed_rows
from functions.reporting.reports.report_type import Heading, Report, ReportType
from functions.reporting.schemas import Grouping
from shared.csv_export.tables import Table
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
            year, previous = compared_years(parameters.roll_year, repository.roll_years(connection, county_id))
            years = [year] if previous is None else [year, previous]
            rows = repository.roll_rows(connection, county_id, years, parameters.groups)
            overlap = None if previous is None else repository.roll_overlap(connection, county_id, year, previous)
        return roll_report(heading, summarize(rows, year, previous, parameters.groups, overlap))


REPORT_TYPE = AssessmentRollSummary()


def roll_report(heading: Heading, summary: RollSummary) -> Report:
    """Lay out a roll summary."""
    return Report(
        title=f"{AssessmentRollSummary.title} {summary.roll_year}",
        view=_view(summary),
        document={"summary": summary.model_dump(mode="json")},
        table=_table(heading, summary),
    )


def _table(heading: Heading, summary: RollSummary) -> Table:
    """One row a group; the first is the county's."""
    rows = [["county", heading.county_id, *_cells(summary, summary.county)]]
    for grouping, groups in summary.groups.items():
        rows += [[grouping, group.group, *_cells(summary, group)] for group in groups]
    changes = [f"change_{name}" for name in _CHANGES]
    return Table(("grouping", "group", "roll_year", *_FIGURES, "previous_roll_year", *changes), rows)


def _cells(summary: RollSummary, group: RollGroup) -> list[Any]:
    figures = [getattr(group, name) for name in _FIGURES]
    changes = [None if group.change is None else getattr(group.change, name) for name in _CHANGES]
    return [summary.roll_year, *figures, summary.previous_roll_year, *changes]


def _view(summary: RollSummary) -> dict[str, Any]:
    return {
        "roll_year": summary.roll_year,
        "previous_roll_year": summary.previous_roll_year,
        "facts": _facts(summary),
        "statements": roll_statements(summary),
        "county": _line("County", summary.county),
        "groupings": [
            {
                "title": f"By {_GROUPING_TITLES[grouping].lower()}",
                "column": _GROUPING_TITLES[grouping],
                "rows": [_line(display.name(group.group), group) for group in printed_rows(groups, _total_value)],
                "omitted": display.omission(len(groups), MAX_PRINTED_ROWS, "those of greatest total value"),
                "bars": _bars(groups),
            }
            for grouping, groups in summary.groups.items()
        ],
    }


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
    parcels = "parcel" if county.parcels == 1 else "parcels"
    statements = [
        (
            f"The {summary.roll_year} roll holds {display.count(county.parcels)} {parcels} with a total value of"
            f" {display.dollars(county.total_value)}, of which {display.dollars(county.assessed_value)} is assessed."
        )
    ]
    if county.change is not None:
        change = county.change
        statements.append(
            f"Against the {summary.previous_roll_year} roll the total value changed by"
            f" {display.dollar_change(change.total_value)}"
            f" ({display.percent_change(change.total_value_percent)}); the number of parcels"
            + (f" changed by {display.count_change(change.parcels)}." if change.parcels else " is the same.")
        )
    overlap = summary.overlap
    if overlap is not None and (overlap.only_in_roll or overlap.only_in_previous):
        statements.append(
            f"The two rolls hold different parcels: {display.count(overlap.in_both)} are on both,"
            f" {display.count(overlap.only_in_roll)} on the {summary.roll_year} roll alone"
            f" ({display.dollars(overlap.total_only_in_roll)}), {display.count(overlap.only_in_previous)} on the"
            f" {summary.previous_roll_year} roll alone ({display.dollars(overlap.previous_total_only_in_previous)})."
            f" The total value of the parcels on both changed by {display.dollar_change(overlap.change_in_both)}"
            f" ({display.percent_change(overlap.change_in_both_percent)})."
        )
    if county.parcels_without_value:
        statements.append(
            f"{display.count(county.parcels_without_value)} of the parcels have no total value; they are counted,"
            " and enter no sum, mean or median of total value."
        )
    return statements


def _line(name: str, group: RollGroup) -> list[str]:
    change = group.change
    return [
        name,
        display.count(group.parcels),
        display.dollars(group.land_value),
        display.dollars(group.improvement_value),
        display.dollars(group.total_value),
        display.dollars(group.assessed_value),
        display.dollars(group.mean_value),
        display.dollars(group.median_value),
        display.dollars(group.min_value),
        display.dollars(group.max_value),
        display.MISSING if change is None else display.dollar_change(change.total_value),
        display.MISSING if change is None else display.percent_change(change.total_value_percent),
    ]


def _total_value(group: RollGroup) -> Decimal:
    return group.total_value


def _bars(groups: list[RollGroup]) -> list[dict[str, Any]]:
    """The largest groups' land and improvement value, as shares of the largest group's sum of both."""
    drawn = sorted(groups, key=lambda group: (-_sum(group), group.group or ""))[:MAX_CHART_BARS]
    greatest = max((_sum(group) for group in drawn), default=Decimal(0))
    if greatest <= 0:
        return []
    return [
        {
            "name": display.name(group.group),
            "land": float(max(group.land_value, Decimal(0)) / greatest),
            "improvement": float(max(group.improvement_value, Decimal(0)) / greatest),
            "value": display.dollars(group.land_value + group.improvement_value),
        }
        for group in drawn
    ]


def _sum(group: RollGroup) -> Decimal:
    return group.land_value + group.improvement_value
