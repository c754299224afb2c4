"""The sections of a property's record card."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import (
    Block,
    Column,
    DataTable,
    Drawing,
    Kind,
    Pairs,
    Prose,
    Section,
    Statement,
    Statements,
)
from functions.reporting.domain.parcel_shapes import MapParcel, MapWindow, window_around
from functions.reporting.domain.property_record import PropertyRecord
from functions.reporting.render.charts.parcel_map import MapLayer, parcel_map
from shared.typesetting import display

_MAP_HEIGHT, _MAP_WIDTH = 190.0, 420.0
_MIN_MAP_HEIGHT_M = 150.0
"""A choice: a lot of a town with the lots around it."""
_SURROUNDINGS = 0.9
"""Of the parcel's own height and width, on each side of it."""


def card_facts(record: PropertyRecord) -> list[tuple[str, str]]:
    """The property at a glance."""
    identity = record.identity
    return [
        ("Parcel", display.name(identity.parcel_number or identity.property_id)),
        ("Situs", display.name(identity.situs_address)),
        ("Class", display.name(identity.property_class)),
        ("Neighborhood", display.name(identity.neighborhood)),
        ("Land value", display.dollars(record.land_value)),
        ("Improvement value", display.dollars(record.improvement_value)),
        ("Total value", display.dollars(record.total_value)),
        ("Status", "current" if identity.retired_at is None else f"retired {identity.retired_at:%Y-%m-%d}"),
    ]


def card_sections(record: PropertyRecord, parcel_drawing: Drawing | None) -> list[Section]:
    """Identity with its map, values, characteristics, improvements, sales, owners and exemptions."""
    return [
        Section("Property", [Pairs(_identity(record)), *([] if parcel_drawing is None else [parcel_drawing])]),
        Section("Values by year", [*_value_statements(record), _or_prose(_values(record), "It is on no roll yet.")]),
        Section("Characteristics", [Pairs(_characteristics(record))]),
        *_listed("Improvements", _improvements(record), "The county has no improvement of it on record."),
        *_listed("Sales", _sales(record), "The county has no sale of it on record."),
        *_listed("Owners", _owners(record), "The county has no owner of it on record."),
        *_listed("Exemptions", _exemptions(record), "It has no exemption."),
    ]


def history_section(record: PropertyRecord) -> Section:
    """The changes of the record, the newest first."""
    rows = [
        [change.changed_at, change.version, phrases.label(change.field), change.before, change.after]
        for change in record.history
    ]
    columns = [
        Column("Changed", Kind.TIME),
        Column("Version", Kind.COUNT),
        Column("Field"),
        Column("Before"),
        Column("After"),
    ]
    (section,) = _listed("History", DataTable(columns, rows), "The record has not changed since it was first read.")
    return section


def _listed(title: str, table: DataTable, otherwise: str) -> list[Section]:
    """A table, or the sentence that there is nothing to list."""
    return [Section(title, [_or_prose(table, otherwise)])]


def _or_prose(table: DataTable, otherwise: str) -> Block:
    return table if list(table.rows) else Prose(otherwise)


def _identity(record: PropertyRecord) -> list[tuple[str, str]]:
    identity = record.identity
    place = " ".join(part for part in (identity.situs_city, identity.situs_zip) if part)
    return [
        ("Property ID", display.name(identity.property_id)),
        ("Parcel number", display.name(identity.parcel_number)),
        ("Situs address", display.name(", ".join(part for part in (identity.situs_address, place) if part) or None)),
        ("Property type", display.name(identity.property_type)),
        ("Tax district", display.name(identity.tax_district)),
        ("Legal description", " ".join((identity.legal_description or display.MISSING).split())),
    ]


def _value_statements(record: PropertyRecord) -> list[Block]:
    change = record.change
    if change is None:
        return []
    text = (
        f"From {change.previous_roll_year} to {change.roll_year} its total value"
        f" {phrases.changed_by(change.total_value, change.total_value_percent)}."
    )
    return [Statements([Statement(text)])]


def _values(record: PropertyRecord) -> DataTable:
    columns = [
        Column("Roll year", Kind.YEAR),
        Column("Class"),
        Column("Land", Kind.DOLLARS),
        Column("Improvements", Kind.DOLLARS),
        Column("Total value", Kind.DOLLARS),
        Column("Assessed value", Kind.DOLLARS),
    ]
    rows = [
        [
            *(value.roll_year, value.property_class),
            *(value.land_value, value.improvement_value, value.total_value, value.assessed_value),
        ]
        for value in record.values
    ]
    return DataTable(columns, rows)


def _characteristics(record: PropertyRecord) -> list[tuple[str, str]]:
    known = record.characteristics.model_dump(exclude={"attributes"})
    return [
        *((phrases.label(name), _text(value)) for name, value in known.items()),
        *((phrases.label(name), _text(value)) for name, value in sorted(record.characteristics.attributes.items())),
    ]


def _text(value: Any) -> str:
    match value:
        case None:
            return display.MISSING
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return f"{value.normalize():,f}"
        case _:
            return display.name(str(value))


def _improvements(record: PropertyRecord) -> DataTable:
    columns = [
        Column("Improvement"),
        Column("Kind"),
        Column("Area, sq ft", Kind.COUNT),
        Column("Built", Kind.YEAR),
        Column("Quality"),
        Column("Condition"),
        Column("Value", Kind.DOLLARS, is_summed=True),
    ]
    rows = [
        [
            building.improvement_id,
            building.improvement_type or building.description,
            None if building.area_sqft is None else round(building.area_sqft),
            *(building.year_built, building.quality, building.condition, building.improvement_value),
        ]
        for building in record.improvements
    ]
    return DataTable(columns, rows)


def _sales(record: PropertyRecord) -> DataTable:
    columns = [
        Column("Date", Kind.DAY),
        Column("Price", Kind.DOLLARS),
        Column("Validity"),
        Column("Deed"),
        Column("Instrument"),
    ]
    rows = [
        [sale.sale_date, sale.sale_price, phrases.label(sale.validity), sale.deed_type, sale.instrument_number]
        for sale in record.sales
    ]
    return DataTable(columns, rows)


def _owners(record: PropertyRecord) -> DataTable:
    rows = [
        [
            "(withheld: confidential)" if owner.withheld else owner.name,
            None if owner.ownership_share is None else 100 * owner.ownership_share,
            None if owner.withheld else owner.mailing,
        ]
        for owner in record.owners
    ]
    return DataTable([Column("Owner"), Column("Share", Kind.PERCENT), Column("Mailing address")], rows)


def _exemptions(record: PropertyRecord) -> DataTable:
    columns = [Column("Exemption"), Column("Roll year", Kind.YEAR), Column("Amount", Kind.DOLLARS)]
    return DataTable(columns, [[item.exemption_type, item.roll_year, item.amount] for item in record.exemptions])


def card_window(parcel: MapParcel) -> MapWindow:
    """The window of a parcel's map: itself with its surroundings."""
    return window_around(
        parcel.corners(), aspect=_MAP_WIDTH / _MAP_HEIGHT, margin=_SURROUNDINGS, min_height_m=_MIN_MAP_HEIGHT_M
    )


def card_map(parcel: MapParcel, neighbors: Sequence[MapParcel]) -> Drawing:
    """The parcel among its neighbors."""
    others = [other for other in neighbors if other.property_id != parcel.property_id]
    around = phrases.number_of(len(others), "parcel")
    return parcel_map(
        "The parcel and its surroundings",
        f"A map of the parcel, drawn darker, with the outlines or positions of {around} around it; north is up.",
        card_window(parcel),
        [MapLayer("other parcels", "pale", others), MapLayer("this parcel", "second", [parcel], radius=4)],
        height=_MAP_HEIGHT,
        width=_MAP_WIDTH,
    )
