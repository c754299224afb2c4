"""The change of value: a roll against another, or a valuation run against a roll, the largest changes first."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from pydantic import model_validator
from sqlalchemy import Connection

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import Column, Contents, DataTable, Kind, Section, Statement, Statements
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.roll_summary import compared_years
from functions.reporting.domain.value_changes import ChangeBin, ChangeGrouping, GroupOfChanges, ValueChanges
from functions.reporting.render.charts.columns import column_chart
from functions.reporting.reports.assessment_roll import RollYear
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.reports.succeeded_job import require_succeeded_job
from functions.reporting.repository import rolls
from functions.reporting.repository.typed_rows import TypedRows
from functions.reporting.repository.value_changes import Comparison, parcel_changes, value_changes
from shared.db import unit_of_work
from shared.problems import Unprocessable
from shared.schemas import RequestSchema
from shared.typesetting import display

_GROUPING_TITLES: dict[ChangeGrouping, str] = {"property_class": "Property class", "neighborhood": "Neighborhood"}
PARCEL_COLUMNS = (
    Column("Property", name="property_id"),
    Column("Situs address"),
    Column("Class", name="property_class"),
    Column("Neighborhood"),
    Column("Before", Kind.DOLLARS, is_summed=True),
    Column("After", Kind.DOLLARS, is_summed=True),
    Column("Change", Kind.DOLLAR_CHANGE, is_summed=True),
    Column("Change %", Kind.PERCENT_CHANGE, "change_percent"),
)
_GROUP_COLUMNS = (
    Column("Compared", Kind.COUNT, is_summed=True),
    Column("Raised", Kind.COUNT, is_summed=True),
    Column("Lowered", Kind.COUNT, is_summed=True),
    Column("Unchanged", Kind.COUNT, is_summed=True),
    Column("Before", Kind.DOLLARS, is_summed=True),
    Column("After", Kind.DOLLARS, is_summed=True),
    Column("Change", Kind.DOLLAR_CHANGE, is_summed=True),
    Column("Change %", Kind.PERCENT_CHANGE),
    Column("Median %", Kind.PERCENT_CHANGE),
)


class ChangeOfValueParameters(RequestSchema):
    """The rolls to compare: `to_roll_year`, or the values of `valuation_run_id`, with `from_roll_year`.

    Without that it is the newest roll before `to_roll_year`, or the newest there is.
    """

    from_roll_year: RollYear | None = None
    to_roll_year: RollYear | None = None
    valuation_run_id: UUID | None = None

    @model_validator(mode="after")
    def _has_one_target(self) -> ChangeOfValueParameters:
        if (self.to_roll_year is None) == (self.valuation_run_id is None):
            raise ValueError("give to_roll_year or valuation_run_id, one of the two")
        if self.to_roll_year is not None and self.to_roll_year == self.from_roll_year:
            raise ValueError("from_roll_year and to_roll_year are the same")
        return self


class ChangeOfValue(ReportType[ChangeOfValueParameters]):
    """The report of every parcel's change of value."""

    title = "Change of Value"
    parameters = ChangeOfValueParameters

    def check(self, county_id: str, parameters: ChangeOfValueParameters) -> None:
        """Require the rolls, and a valuation run that has succeeded."""
        _compared(county_id, parameters)

    def build(self, heading: Heading, parameters: ChangeOfValueParameters) -> Report:
        """Compare the values in the database and lay the changes out."""
        comparison = _compared(heading.county_id, parameters)
        with unit_of_work(heading.county_id) as connection:
            changes = value_changes(connection, comparison)
        return changes_report(changes, parcel_changes(comparison, PARCEL_COLUMNS))


REPORT_TYPE = ChangeOfValue()


def _compared(county_id: str, parameters: ChangeOfValueParameters) -> Comparison:
    run_id, to_year = parameters.valuation_run_id, parameters.to_roll_year
    if run_id is not None:
        require_succeeded_job(county_id, "valuation_run", run_id, "/valuation_run_id")
    with unit_of_work(county_id) as connection:
        from_year = _from_year(connection, county_id, parameters)
    return Comparison(county_id, from_year, to_year, run_id)


def _from_year(connection: Connection, county_id: str, parameters: ChangeOfValueParameters) -> int:
    years = rolls.roll_years(connection, county_id)
    if parameters.to_roll_year is not None:
        _, earlier = compared_years(parameters.to_roll_year, years, pointer="/to_roll_year")
    else:
        earlier = max(years, default=None)
    if parameters.from_roll_year is not None:
        return compared_years(parameters.from_roll_year, years, pointer="/from_roll_year")[0]
    if earlier is None:
        raise Unprocessable("There is no roll to compare with.", pointer="/from_roll_year", slug="roll-year-empty")
    return earlier


def changes_report(changes: ValueChanges, parcels: TypedRows | list[list[Any]]) -> Report:
    """Lay out the changes; the table of data has every parcel."""
    table = DataTable(PARCEL_COLUMNS, parcels, title="All changes", shown_in_print=False)
    largest = [[getattr(change, column.data_name) for column in PARCEL_COLUMNS] for change in changes.largest]
    return Report(
        title=f"{ChangeOfValue.title} {_after(changes)}",
        contents=Contents(
            facts=_facts(changes),
            sections=[
                Section("Summary", [Statements([Statement(text) for text in _statements(changes)])]),
                Section("Distribution", [_chart(changes.distribution)]),
                *(_group_section(grouping, groups, changes.county) for grouping, groups in changes.groups.items()),
                Section("Largest changes", [DataTable(_unsummed(PARCEL_COLUMNS), largest), table]),
            ],
            flipped=True,
        ),
        document={"changes": changes.model_dump(mode="json")},
        table=table,
    )


def _unsummed(columns: tuple[Column, ...]) -> list[Column]:
    return [Column(column.title, column.kind, column.name) for column in columns]


def _after(changes: ValueChanges) -> str:
    return f"{changes.from_roll_year} to {changes.to_roll_year or 'a valuation run'}"


def _facts(changes: ValueChanges) -> list[tuple[str, str]]:
    county = changes.county
    return [
        ("Before", f"roll of {changes.from_roll_year}"),
        ("After", f"roll of {changes.to_roll_year}" if changes.to_roll_year else "valuation run"),
        ("Parcels compared", display.count(county.compared)),
        ("Median change", display.percent_change(county.median_change_percent)),
        ("Total before", display.dollars(county.total_before)),
        ("Total after", display.dollars(county.total_after)),
        ("Change", display.dollar_change(county.change)),
        ("Change %", display.percent_change(county.change_percent)),
    ]


def _statements(changes: ValueChanges) -> list[str]:
    county = changes.county
    statements = [
        (
            f"Of {phrases.number_of(county.compared, 'parcel')} with both values {display.count(county.raised)}"
            f" {phrases.have(county.raised)} risen, {display.count(county.lowered)} {phrases.have(county.lowered)}"
            f" fallen, and {display.count(county.unchanged)} {phrases.have(county.unchanged)} stayed."
        ),
        f"Their total value {phrases.changed_by(county.change, county.change_percent)}.",
    ]
    if county.only_before or county.only_after:
        statements.append(
            f"{phrases.number_of(county.only_before, 'parcel')} {phrases.have(county.only_before)} a value before only,"
            f" and {display.count(county.only_after)} after only; they enter no change."
        )
    return statements


def _chart(distribution: tuple[ChangeBin, ...]) -> Any:
    most = max(distribution, key=lambda each: each.parcels)
    return column_chart(
        "Parcels by change in percent",
        f"A column for each range of changes; most parcels, {display.count(most.parcels)}, changed by {_range(most)}.",
        [(_range(each), each.parcels) for each in distribution],
        x_title="Change of the parcel's total value",
    )


def _range(each: ChangeBin) -> str:
    if each.low is None:
        return f"below {display.count(each.high)}%"
    if each.high is None:
        return f"{display.count(each.low)}% and more"
    return f"{display.count(each.low)} to {display.count(each.high)}%"


def _group_section(grouping: ChangeGrouping, groups: tuple[GroupOfChanges, ...], county: GroupOfChanges) -> Section:
    title = _GROUPING_TITLES[grouping]
    table = DataTable(
        [Column(title), *_GROUP_COLUMNS],
        [_group_row("(none)" if group.group is None else group.group, group) for group in groups],
        title=f"Changes by {title.lower()}",
        total=_group_row("County", county),
        size=lambda row: row[1],
        largest="those of most parcels",
    )
    return Section(f"By {title.lower()}", [table])


def _group_row(name: str, group: GroupOfChanges) -> list[Any]:
    return [
        *(name, group.compared, group.raised, group.lowered, group.unchanged),
        *(group.total_before, group.total_after, group.change, group.change_percent, group.median_change_percent),
    ]
