"""A county with parcels and sales, some of them awkward."""

import math
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
import shapely
from sqlalchemy import insert

from shared.db import unit_of_work
from shared.db.models import County, PropertyOperational, Sale
from tests.conftest import MigratedDatabase
from tests.job_cloud import job_cloud

__all__ = ["job_cloud"]

COUNTY = "king_wa"
LOADED = datetime(2026, 3, 1, 12, 30, 15, 250_000, tzinfo=UTC)
PROVENANCE = {"source_system": "TEST", "row_hash": "h", "version": 1, "valid_from": LOADED}
HOSTILE = "O'Brien \"A\"\tTab\nline\\N \\. #let x = 1 =cmd()|' /C calc'!A0 <b>&amp; 日本 \r\\"


def add_county(county_id: str, name: str = "King County, Washington") -> None:
    with unit_of_work(county_id) as connection:
        connection.execute(
            insert(County).values(county_id=county_id, friendly_name=name, configuration={}, mapping="", version=1)
        )


def parcel(number: int, **values: Any) -> dict[str, Any]:
    return {
        "county_id": COUNTY,
        "property_id": f"P{number:04}",
        "parcel_number": f"{number:010}",
        "situs_address": f"{number} Main St",
        "property_class": "residential",
        "neighborhood": "98001",
        "longitude": -122.0 - number / 1000,
        "latitude": 47.2 + number / 1000,
        "land_area_sqft": Decimal("5000.25") + number,
        "year_built": 1900 + number if number % 3 else None,
        "bathrooms": Decimal("2.25"),
        "total_value": Decimal("450000.01") + number if number % 4 else None,
        "last_sale_date": date(2020, 1, 1 + number) if number % 2 else None,
        "exemption_flags": ["senior", "veteran"] if number == 1 else None,
        **PROVENANCE,
        **values,
    }


def sale(number: int, property_id: str, **values: Any) -> dict[str, Any]:
    return {
        "county_id": COUNTY,
        "sale_id": f"S{number:04}",
        "property_id": property_id,
        "sale_date": date(2024, 2, 1 + number),
        "sale_price": Decimal("500000.10") + number,
        "validity_code": "valid",
        "buyer": "A Buyer",
        **PROVENANCE,
        **values,
    }


def add(model: Any, rows: list[dict[str, Any]]) -> None:
    columns: dict[str, None] = {name: None for row in rows for name in row}
    with unit_of_work(rows[0]["county_id"]) as connection:
        connection.execute(insert(model), [columns | row for row in rows])


@pytest.fixture
def empty_county(database: MigratedDatabase, job_cloud: None) -> None:
    """A county that nothing was synced into yet."""
    add_county(COUNTY)


@pytest.fixture
def county(empty_county: None) -> None:
    """Twelve parcels: points, one with hostile text, and three that nobody can place. Five sales."""
    add(
        PropertyOperational,
        [
            *(parcel(i) for i in range(8)),
            parcel(8, situs_address=HOSTILE, legal_description="\\N", neighborhood=""),
            parcel(9, longitude=None, latitude=None),
            parcel(10, latitude=None),
            parcel(11, longitude=500.0),
            parcel(12, retired_at=LOADED),
        ],
    )
    add(
        Sale,
        [
            sale(1, "P0001"),
            sale(2, "P0001", validity_code="not_arms_length", parcel_count=2),
            sale(3, "P0009"),
            sale(4, "P9999"),
            sale(5, "P0012"),
            sale(6, "P0002", retired_at=LOADED),
        ],
    )


SQUARE = shapely.Polygon([(-122.0, 47.0), (-122.0, 47.001), (-121.999, 47.001), (-121.999, 47.0)])
"""Its outer ring runs clockwise, which RFC 7946 does not allow."""
TWO_SQUARES = shapely.MultiPolygon([SQUARE, shapely.affinity.translate(SQUARE, 0.01, 0.01)])
BROKEN_WKB = b"\x01\x03\x00\x00\x00\xff\xff"
NOT_FINITE = shapely.to_wkb(shapely.Polygon([(-122, 47), (-122, 48), (math.inf, 48), (-122, 47)]))


@pytest.fixture
def shaped_county(empty_county: None) -> None:
    """Parcels that all have polygons, two of them without a point."""
    add(
        PropertyOperational,
        [
            parcel(1, geometry=shapely.to_wkb(SQUARE)),
            parcel(2, geometry=shapely.to_wkb(TWO_SQUARES, byte_order=0), longitude=None, latitude=None),
            parcel(3, geometry=shapely.to_wkb(shapely.force_3d(SQUARE, 12.0)), longitude=None, latitude=None),
        ],
    )
    add(Sale, [sale(1, "P0001"), sale(2, "P0002")])
