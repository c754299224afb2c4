"""SQL of searches of properties."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from functions.properties.schemas.parcels import PROPERTY_RANGES, PROPERTY_SORTS, PropertyFilter, PropertySummary
from shared.db.keyset import Key, bounded_count, sorted_page
from shared.db.models import PropertyOperational
from shared.paging import ListTotal
from shared.sorting import SortOrder

_SUMMARY = [getattr(PropertyOperational, name) for name in PropertySummary.model_fields]
_SORTED: dict[str, Any] = {name: getattr(PropertyOperational, name) for name in PROPERTY_SORTS}


def search(
    connection: Connection,
    county_id: str,
    property_filter: PropertyFilter,
    order: SortOrder,
    *,
    after: Key | None,
    limit: int,
) -> list[PropertySummary]:
    """Properties in an order, those after the key `after`."""
    statement = select(*_SUMMARY).where(*_conditions(county_id, property_filter))
    page = sorted_page(statement, _SORTED, order, _SORTED["property_id"], after=after, limit=limit)
    return [PropertySummary.model_construct(**row._mapping) for row in connection.execute(page)]


def count(connection: Connection, county_id: str, property_filter: PropertyFilter) -> ListTotal:
    """The number of properties that meet a filter."""
    statement = select(PropertyOperational.property_id).where(*_conditions(county_id, property_filter))
    return bounded_count(connection, statement)


def _conditions(county_id: str, property_filter: PropertyFilter) -> Iterator[ColumnElement[bool]]:
    yield PropertyOperational.county_id == county_id
    for name in ("parcel_number", "property_class", "neighborhood"):
        value = getattr(property_filter, name)
        if value is not None:
            yield getattr(PropertyOperational, name) == value
    yield from _ranges(property_filter)
    for name, value in property_filter.attributes.items():
        yield PropertyOperational.attributes.op("->>")(name) == value
    if not property_filter.include_retired:
        yield PropertyOperational.retired_at.is_(None)
    if property_filter.updated_since is not None:
        yield PropertyOperational.valid_from >= property_filter.updated_since
    if property_filter.bbox is not None:
        box = property_filter.bbox
        yield PropertyOperational.longitude.between(box.min_longitude, box.max_longitude)
        yield PropertyOperational.latitude.between(box.min_latitude, box.max_latitude)
    for word in (property_filter.q or "").split():
        yield PropertyOperational.situs_address.icontains(word, autoescape=True)


def _ranges(property_filter: PropertyFilter) -> Iterator[ColumnElement[bool]]:
    for name in PROPERTY_RANGES:
        column = getattr(PropertyOperational, name)
        least, most = (getattr(property_filter, f"{end}_{name}") for end in ("min", "max"))
        if least is not None:
            yield column >= least
        if most is not None:
            yield column <= most
