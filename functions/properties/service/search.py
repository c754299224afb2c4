"""Searches of properties."""

from functions.properties.repository import search as repository
from functions.properties.schemas.parcels import (
    PROPERTY_RANGES,
    PROPERTY_SORTS,
    BoundingBox,
    PropertyFilter,
    PropertySummary,
)
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.exact import is_number
from shared.filters import require_ordered
from shared.geo.bounding_box import checked_box
from shared.paging import CountedPage, decode_token, encode_token
from shared.problems import Unprocessable
from shared.sorting import SortOrder, parse_sort_key, sort_key, sort_order

MAX_ATTRIBUTE_FILTERS = 10
"""A choice: each is read of every row."""
MAX_ATTRIBUTE_NAME = 100
MAX_ATTRIBUTE_TEXT = 200
_BY_ID = SortOrder("property_id")


def search(
    county_id: str,
    property_filter: PropertyFilter,
    sort: str | None,
    *,
    count: bool,
    page_size: int,
    page_token: str | None,
) -> CountedPage[PropertySummary]:
    """A page of the properties that a filter describes, in the order of `sort`, with their number where it is wanted.

    Raises BadRequest for another query's token, Unprocessable for an unknown order, or a filter that nothing can meet.
    """
    order = sort_order(sort, PROPERTY_SORTS, _BY_ID)
    for name in PROPERTY_RANGES:
        require_ordered(*((f"{end}_{name}", getattr(property_filter, f"{end}_{name}")) for end in ("min", "max")))
    _require_bounded(property_filter.attributes)
    query = [county_id, property_filter.model_dump(mode="json"), sort]
    after = decode_token(query, page_token, parse_sort_key(PROPERTY_SORTS[order.field]), str)
    with unit_of_work(county_id) as connection:
        rows = repository.search(
            connection,
            county_id,
            property_filter,
            order,
            after=(after[0], after[1]) if after else None,
            limit=page_size + 1,
        )
        if not rows:
            require_onboarded(connection, county_id)
        total = repository.count(connection, county_id, property_filter) if count and after is None else None
    items = rows[:page_size]
    token = None
    if len(rows) > page_size:
        token = encode_token(query, [sort_key(getattr(items[-1], order.field)), items[-1].property_id])
    return CountedPage.model_construct(items=items, next_page_token=token, total=total)


def _require_bounded(attributes: dict[str, str]) -> None:
    if len(attributes) > MAX_ATTRIBUTE_FILTERS:
        raise Unprocessable(
            f"A search filters by {MAX_ATTRIBUTE_FILTERS} attributes at most.",
            pointer="/query",
            slug="too-many-filters",
        )
    for name, text in attributes.items():
        if not 0 < len(name) <= MAX_ATTRIBUTE_NAME or len(text) > MAX_ATTRIBUTE_TEXT:
            raise Unprocessable(
                f"An attribute's name has up to {MAX_ATTRIBUTE_NAME} characters, its value {MAX_ATTRIBUTE_TEXT}.",
                pointer=f"/query/attributes.{name[:MAX_ATTRIBUTE_NAME]}",
                slug="attribute-filter-invalid",
            )


def bounding_box(value: str | None) -> BoundingBox | None:
    """Read `west,south,east,north` in degrees. Raises Unprocessable, naming what is wrong with it."""
    if value is None:
        return None
    parts = value.split(",")
    if len(parts) != 4 or not all(is_number(part) for part in parts):
        raise _bad_box("bbox is four numbers: west,south,east,north.")
    west, south, east, north = (float(part) for part in parts)
    try:
        checked_box((west, south, east, north))
    except ValueError as error:
        raise _bad_box(f"{error}.") from None
    return BoundingBox(min_longitude=west, min_latitude=south, max_longitude=east, max_latitude=north)


def _bad_box(detail: str) -> Unprocessable:
    return Unprocessable(detail, pointer="/query/bbox", slug="bbox-invalid")
