"""The assessment roll: every assessment of a roll year, as a table."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from functions.reporting.domain.contents import Column, Contents, DataTable, Kind, Section
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.roll_summary import compared_years, summarize
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import rolls
from shared.db import unit_of_work
from shared.schemas import RequestSchema
from shared.typesetting import display

RollYear = Annotated[int, Field(ge=1800, le=2200)]

ROLL_COLUMNS = (
    Column("Property", name="property_id"),
    Column("Parcel number"),
    Column("Situs address"),
    Column("Class", name="property_class"),
    Column("Neighborhood"),
    Column("Tax district"),
    Column("Land", Kind.DOLLARS, "land_value", is_summed=True),
    Column("Improvements", Kind.DOLLARS, "improvement_value", is_summed=True),
    Column("Total value", Kind.DOLLARS, is_summed=True),
    Column("Assessed value", Kind.DOLLARS, is_summed=True),
)


class AssessmentRollParameters(RequestSchema):
    """The roll year."""

    roll_year: RollYear


class AssessmentRoll(ReportType[AssessmentRollParameters]):
    """The report of every assessment of a roll year. It is for spreadsheets: on paper there is the summary."""

    title = "Assessment Roll"
    formats = ("xlsx", "csv")
    parameters = AssessmentRollParameters

    def build(self, heading: Heading, parameters: AssessmentRollParameters) -> Report:
        """Lay out the roll year, whose rows are read as they are written. Raises Unprocessable for an empty year."""
        county_id = heading.county_id
        with unit_of_work(county_id) as connection:
            year, _ = compared_years(parameters.roll_year, rolls.roll_years(connection, county_id))
            county = summarize(
                rolls.roll_rows(connection, county_id, [year], ["property_class"]), year, None, ["property_class"]
            ).county
        table = DataTable(ROLL_COLUMNS, rolls.assessments(county_id, year, ROLL_COLUMNS), title=f"Roll {year}")
        facts = [
            ("Roll year", str(year)),
            ("Parcels", display.count(county.parcels)),
            ("Total value", display.dollars(county.total_value)),
            ("Assessed value", display.dollars(county.assessed_value)),
        ]
        return Report(
            title=f"{self.title} {year}",
            contents=Contents(facts=facts, sections=[Section("Roll", [table])]),
            document={"roll_year": year},
            table=table,
        )


REPORT_TYPE = AssessmentRoll()
