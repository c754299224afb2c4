"""The property record card: one property with its values, characteristics, sales, owners, exemptions and history."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints
from sqlalchemy import Connection

from functions.reporting.domain.contents import Column, Contents, DataTable, Drawing, Kind
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.property_record import PropertyRecord
from functions.reporting.render.sections.record_card import (
    card_facts,
    card_map,
    card_sections,
    card_window,
    history_section,
)
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import properties
from shared.db import unit_of_work
from shared.problems import Unprocessable
from shared.schemas import RequestSchema

PropertyId = Annotated[str, StringConstraints(min_length=1, max_length=200)]

_VALUES = (
    Column("property_id"),
    Column("roll_year", Kind.YEAR),
    Column("property_class"),
    Column("land_value", Kind.DOLLARS),
    Column("improvement_value", Kind.DOLLARS),
    Column("total_value", Kind.DOLLARS),
    Column("assessed_value", Kind.DOLLARS),
)


class PropertyRecordCardParameters(RequestSchema):
    """`property_id`: a property of the county, a retired one too. Confidential owners are withheld from every card."""

    property_id: PropertyId


class PropertyRecordCard(ReportType[PropertyRecordCardParameters]):
    """The report of one property."""

    title = "Property Record Card"
    parameters = PropertyRecordCardParameters

    def check(self, county_id: str, parameters: PropertyRecordCardParameters) -> None:
        """Require a property of the county."""
        with unit_of_work(county_id) as connection:
            require_property(connection, county_id, parameters.property_id)

    def build(self, heading: Heading, parameters: PropertyRecordCardParameters) -> Report:
        """Read the property with the parcels around it, and lay them out."""
        with unit_of_work(heading.county_id) as connection:
            record = read_record(connection, heading.county_id, parameters.property_id)
            drawing = read_map(connection, heading.county_id, parameters.property_id)
        return card_report(record, drawing)


REPORT_TYPE = PropertyRecordCard()


def require_property(connection: Connection, county_id: str, property_id: str) -> None:
    """Raise Unprocessable for a property that the county does not have."""
    if not properties.property_exists(connection, county_id, property_id):
        raise _not_found(county_id, property_id)


def read_record(connection: Connection, county_id: str, property_id: str) -> PropertyRecord:
    """A property's record. Raises Unprocessable for one that the county does not have."""
    record = properties.property_record(connection, county_id, property_id)
    if record is None:
        raise _not_found(county_id, property_id)
    return record


def read_map(connection: Connection, county_id: str, property_id: str) -> Drawing | None:
    """The map of a property and its surroundings; None for one without a position."""
    parcel = properties.own_parcel(connection, county_id, property_id)
    if parcel is None:
        return None
    return card_map(parcel, properties.parcels_within(connection, county_id, card_window(parcel)))


def card_report(record: PropertyRecord, drawing: Drawing | None) -> Report:
    """Lay out a record card; the table of data has the values by year."""
    return Report(
        title=PropertyRecordCard.title,
        contents=Contents(
            facts=card_facts(record),
            sections=[*card_sections(record, drawing), history_section(record)],
            sign_off=(),
        ),
        document={"property": record.model_dump(mode="json")},
        table=DataTable(
            _VALUES,
            [
                [record.identity.property_id, *(getattr(value, column.data_name) for column in _VALUES[1:])]
                for value in record.values
            ],
        ),
    )


def _not_found(county_id: str, property_id: str) -> Unprocessable:
    return Unprocessable(
        f"{county_id} has no property {property_id}.", pointer="/property_id", slug="property-not-found"
    )
