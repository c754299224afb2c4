"""SQL of lookups. Bounds are compared as numbers, by which an index is searched under row-level security."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from functions.districts.schemas import AddressMatch, DistrictParcel, LayerKind

_LAYERS = (
    "SELECT layer, title, kind FROM district_layers WHERE county_id = :county AND geometry_type IN ('polygon', 'mixed')"
    " AND (cardinality(CAST(:named AS text[])) = 0 OR layer = ANY (CAST(:named AS text[]))) ORDER BY layer"
)
_VALID = "valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)"
_FEATURES = (
    "SELECT layer, district_id, name, attributes, geometry FROM districts WHERE county_id = :county"  # noqa: S608
    " AND layer = ANY (CAST(:layers AS text[])) AND west <= :east AND east >= :west AND south <= :north"
    f" AND north >= :south AND {_VALID} ORDER BY layer, district_id"
)
_FEATURE = (
    "SELECT layer, district_id, name, attributes, geometry FROM districts WHERE county_id = :county"  # noqa: S608
    f" AND layer = :layer AND district_id = :district_id AND {_VALID}"
)
_PARCELS = (
    "SELECT property_id, parcel_number, situs_address, longitude, latitude FROM properties_operational"
    " WHERE county_id = :county AND retired_at IS NULL AND longitude BETWEEN :west AND :east"
    " AND latitude BETWEEN :south AND :north AND property_id > :after ORDER BY property_id LIMIT :limit"
)
_PARCEL = (
    "SELECT property_id, longitude, latitude, geometry FROM properties_operational"
    " WHERE county_id = :county AND property_id = :property_id AND retired_at IS NULL"
)
_STREETS = (
    "SELECT street, city, greatest(similarity(street, :street), similarity(street || ' ' || city, :street))"
    " AS likeness FROM situs_streets WHERE county_id = :county ORDER BY 3 DESC, 1, 2 LIMIT :limit"
)
_ADDRESSES = (
    "SELECT p.property_id, coalesce(p.situs_address, concat_ws(' ', p.situs_number, p.situs_prefix, p.situs_street,"
    " p.situs_suffix)) AS address, p.situs_city AS city, p.situs_zip AS zip, p.longitude, p.latitude, a.street,"
    " a.number, a.unit, a.city AS indexed_city, a.zip AS indexed_zip FROM situs_addresses a"
    " JOIN properties_operational p ON p.county_id = a.county_id AND p.property_id = a.property_id"
    " WHERE a.county_id = :county AND a.street = ANY (CAST(:streets AS text[])) AND p.retired_at IS NULL"
)
_WITH_NUMBER = f"{_ADDRESSES} AND a.number = ANY (CAST(:numbers AS text[])) ORDER BY a.property_id LIMIT :limit"
_OF_STREETS = f"{_ADDRESSES} ORDER BY a.property_id LIMIT :limit"


@dataclass(frozen=True)
class LookupLayer:
    """A layer that lookups use."""

    layer: str
    title: str
    kind: LayerKind


@dataclass(frozen=True)
class StoredFeature:
    """A feature that was valid on a day."""

    layer: str
    district_id: str
    name: str
    attributes: dict[str, Any]
    geometry: bytes


@dataclass(frozen=True)
class Parcel:
    """A current parcel's place."""

    property_id: str
    longitude: float | None
    latitude: float | None
    geometry: bytes | None


@dataclass(frozen=True)
class IndexedStreet:
    """A street, and how much its trigrams have in common with those of another."""

    street: str
    city: str
    likeness: float


@dataclass(frozen=True)
class IndexedAddress:
    """An address of the index, with the property's own."""

    property_id: str
    address: str
    city: str | None
    zip: str | None
    longitude: float | None
    latitude: float | None
    street: str
    number: str
    unit: str
    indexed_city: str
    indexed_zip: str

    def to_match(self, score: float) -> AddressMatch:
        """The address as an answer."""
        return AddressMatch(
            property_id=self.property_id,
            address=self.address,
            city=self.city,
            zip=self.zip,
            longitude=self.longitude,
            latitude=self.latitude,
            score=round(score, 3),
        )


def polygon_layers(connection: Connection, county_id: str, named: Sequence[str]) -> list[LookupLayer]:
    """The layers with polygons, by name: all of them, or those that are named."""
    rows = connection.execute(text(_LAYERS), {"county": county_id, "named": list(named)})
    return [LookupLayer(**row._mapping) for row in rows]


def features_at(
    connection: Connection,
    county_id: str,
    layers: Sequence[str],
    box: tuple[float, float, float, float],
    day: date,
) -> list[StoredFeature]:
    """The features of layers that were valid on a day, and whose bounds meet a box."""
    west, south, east, north = box
    parameters = {
        "county": county_id,
        "layers": list(layers),
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "day": day,
    }
    return [StoredFeature(**row._mapping) for row in connection.execute(text(_FEATURES), parameters)]


def feature(connection: Connection, county_id: str, layer: str, district_id: str, day: date) -> StoredFeature | None:
    """A feature as it was on a day."""
    parameters = {"county": county_id, "layer": layer, "district_id": district_id, "day": day}
    row = connection.execute(text(_FEATURE), parameters).one_or_none()
    return None if row is None else StoredFeature(**row._mapping)


def parcels_in_box(
    connection: Connection, county_id: str, box: tuple[float, float, float, float], after: str, limit: int
) -> list[DistrictParcel]:
    """Current parcels whose point lies in a box, by identifier."""
    west, south, east, north = box
    parameters = {
        "county": county_id,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "after": after,
        "limit": limit,
    }
    return [DistrictParcel.model_construct(**row._mapping) for row in connection.execute(text(_PARCELS), parameters)]


def parcel(connection: Connection, county_id: str, property_id: str) -> Parcel | None:
    """A current parcel."""
    row = connection.execute(text(_PARCEL), {"county": county_id, "property_id": property_id}).one_or_none()
    return None if row is None else Parcel(**row._mapping)


def is_indexed(connection: Connection, county_id: str) -> bool:
    """True where the county's addresses have been indexed."""
    statement = text("SELECT EXISTS (SELECT 1 FROM situs_indexes WHERE county_id = :county)")
    return bool(connection.scalar(statement, {"county": county_id}))


def streets_like(connection: Connection, county_id: str, street: str, limit: int) -> list[IndexedStreet]:
    """The county's streets that have the most in common with a text, which may end in the city."""
    rows = connection.execute(text(_STREETS), {"county": county_id, "street": street, "limit": limit})
    return [IndexedStreet(**row._mapping) for row in rows]


def addresses(
    connection: Connection, county_id: str, streets: Sequence[str], numbers: Sequence[str] | None, limit: int
) -> list[IndexedAddress]:
    """The addresses of streets: those with one of the numbers, or all of them."""
    parameters: dict[str, object] = {"county": county_id, "streets": list(streets), "limit": limit}
    if numbers is None:
        rows = connection.execute(text(_OF_STREETS), parameters)
    else:
        rows = connection.execute(text(_WITH_NUMBER), parameters | {"numbers": list(numbers)})
    return [IndexedAddress(**row._mapping) for row in rows]
