"""A property with everything that a record card shows."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from functions.reporting.domain.contents import Drawing
from functions.reporting.domain.parcel_shapes import MapParcel
from functions.reporting.domain.property_record import PropertyRecord, YearValue, latest_change
from functions.reporting.render.sections.record_card import card_map
from functions.reporting.reports.property_record_card import card_report
from functions.reporting.reports.report_type import Report
from shared.geo.geometry import polygons_wkb

_LOT = 0.0004
"""Degrees: some 45 by 30 meters."""


def lot(column: int, row: int, *, property_id: str | None = None) -> MapParcel:
    """A rectangular parcel of a grid of streets."""
    west, south = -122.33 + column * _LOT, 47.6 + row * _LOT
    ring = [(west, south), (west + _LOT, south), (west + _LOT, south + _LOT), (west, south + _LOT), (west, south)]
    middle = (west + _LOT / 2, south + _LOT / 2)
    return MapParcel(property_id or f"L{column}-{row}", middle, polygons_wkb([[ring]]))


def parcel_drawing() -> Drawing:
    """A lot among lots, some of which are known as points alone."""
    others = [lot(column, row) for column in range(-8, 9) for row in range(-4, 5)]
    others = [other if number % 11 else MapParcel(*_point(other)) for number, other in enumerate(others)]
    return card_map(lot(0, 0, property_id="P1"), others)


def _point(parcel: MapParcel) -> tuple[str, tuple[float, float], None]:
    return parcel.property_id, parcel.position, None


def property_record(name: str = "Elm Street", **values: Any) -> PropertyRecord:
    """A house with two roll years, a garage, two sales, a confidential owner, an exemption and a changed field."""
    years = [
        YearValue(
            roll_year=year,
            property_class=name,
            land_value=Decimal(100_000 + 5000 * (year - 2024)),
            improvement_value=Decimal("250000.50"),
            total_value=Decimal("350000.50") + 5000 * (year - 2024),
            assessed_value=Decimal(300_000),
        )
        for year in (2025, 2024)
    ]
    document = {
        "identity": {
            "property_id": "P1",
            "parcel_number": name,
            "situs_address": name,
            "situs_city": name,
            "situs_zip": "98101",
            "legal_description": name * 8,
            "property_type": "residential",
            "property_class": name,
            "neighborhood": name,
            "tax_district": name,
            "longitude": -122.33,
            "latitude": 47.6,
            "retired_at": None,
        },
        "characteristics": {
            "land_area_sqft": Decimal("7200.00"),
            "living_area_sqft": Decimal("1850.50"),
            "year_built": 1962,
            "effective_year": 1980,
            "bedrooms": Decimal("3.00"),
            "bathrooms": Decimal("1.75"),
            "stories": None,
            "condition": name,
            "quality": name,
            "attributes": {name or "x": name, "waterfront": True, "grade": 7},
        },
        "land_value": Decimal(105_000),
        "improvement_value": Decimal("250000.50"),
        "total_value": Decimal("355000.50"),
        "values": years,
        "change": latest_change(years),
        "improvements": [
            _building("1", name, Decimal("1850.50"), Decimal(230_000)),
            _building("2", None, None, Decimal("20000.50")),
        ],
        "sales": [
            _sale("S2", date(2023, 5, 2), Decimal(340_000), "valid", name),
            _sale("S1", date(2003, 1, 9), Decimal(10), "nominal_price", None),
        ],
        "owners": [
            {"name": name, "ownership_share": 0.5, "mailing": name, "withheld": False},
            {"name": None, "ownership_share": 0.5, "mailing": None, "withheld": True},
        ],
        "exemptions": [{"exemption_type": name, "roll_year": 2025, "amount": Decimal(40_000)}],
        "history": [
            {
                "changed_at": datetime(2025, 2, 3, 4, 5, tzinfo=UTC),
                "version": 2,
                "field": f"attributes.{name}",
                "before": None,
                "after": name,
            }
        ],
    }
    return PropertyRecord.model_validate({**document, **values})


def _building(improvement_id: str, name: str | None, area: Decimal | None, value: Decimal) -> dict[str, Any]:
    return {
        "improvement_id": improvement_id,
        "improvement_type": name,
        "description": name,
        "area_sqft": area,
        "year_built": 1962,
        "quality": name,
        "condition": None,
        "improvement_value": value,
    }


def _sale(sale_id: str, day: date, price: Decimal, validity: str, deed: str | None) -> dict[str, Any]:
    return {
        "sale_id": sale_id,
        "sale_date": day,
        "sale_price": price,
        "validity": validity,
        "deed_type": deed,
        "instrument_number": deed,
    }


def record_card_of(name: str) -> Report:
    """The card of a property that has one name for everything."""
    return card_report(property_record(name), parcel_drawing())
