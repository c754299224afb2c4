"""SQL of the list of sales."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, func, literal_column, select
from sqlalchemy.orm import aliased
from sqlalchemy.types import Numeric, String

from functions.properties.schemas.market import ListedSale, SaleFilter
from functions.properties.schemas.parcels import SALE_SORTS
from shared.db.keyset import Key, bounded_count, sorted_page
from shared.db.models import PropertyOperational, Sale, SaleDecision
from shared.paging import ListTotal
from shared.sale_validity import SALE_RATIO, SALE_VALIDITY
from shared.sorting import SortOrder

# the names by which the shared definitions know them
_S, _D, _P = aliased(Sale, name="s"), aliased(SaleDecision, name="d"), aliased(PropertyOperational, name="p")
_VALIDITY: ColumnElement[str] = literal_column(SALE_VALIDITY, String)
_RATIO: ColumnElement[Any] = literal_column(f"({SALE_RATIO})", Numeric)
_DECISION: ColumnElement[Any] = func.nullif(_D.decision, "as_coded")
_COLUMNS: dict[str, Any] = {
    **{name: getattr(_S, name) for name in ListedSale.model_fields if hasattr(_S, name)},
    **{name: getattr(_P, name) for name in ("parcel_number", "situs_address", "neighborhood", "property_class")},
    "total_value": _P.total_value,
    "decision": _DECISION,
    "validity": _VALIDITY,
    "ratio": _RATIO,
}
_LISTED = [_COLUMNS[name].label(name) for name in ListedSale.model_fields]
_SORTED: dict[str, Any] = {name: _COLUMNS[name] for name in SALE_SORTS}


def page(
    connection: Connection, county_id: str, sale_filter: SaleFilter, order: SortOrder, *, after: Key | None, limit: int
) -> list[dict[str, Any]]:
    """Current sales in an order, those after the key `after`."""
    statement = _filtered(select(*_LISTED), county_id, sale_filter)
    rows = connection.execute(sorted_page(statement, _SORTED, order, _SORTED["sale_id"], after=after, limit=limit))
    return [dict(row._mapping) for row in rows]


def count(connection: Connection, county_id: str, sale_filter: SaleFilter) -> ListTotal:
    """The number of current sales that meet a filter."""
    return bounded_count(connection, _filtered(select(_S.sale_id), county_id, sale_filter))


def _filtered(statement: Select[Any], county_id: str, sale_filter: SaleFilter) -> Select[Any]:
    decided = and_(_D.county_id == _S.county_id, _D.sale_id == _S.sale_id, _D.superseded_at.is_(None))
    on_the_roll = and_(_P.county_id == _S.county_id, _P.property_id == _S.property_id, _P.retired_at.is_(None))
    return (
        statement.select_from(_S)
        .outerjoin(_D, decided)
        .outerjoin(_P, on_the_roll)
        .where(*_conditions(county_id, sale_filter))
    )


def _conditions(county_id: str, sale_filter: SaleFilter) -> Iterator[ColumnElement[bool]]:
    yield _S.county_id == county_id
    yield _S.retired_at.is_(None)
    if sale_filter.first_day is not None:
        yield _S.sale_date >= sale_filter.first_day
    if sale_filter.last_day is not None:
        yield _S.sale_date <= sale_filter.last_day
    if sale_filter.min_price is not None:
        yield _S.sale_price >= sale_filter.min_price
    if sale_filter.max_price is not None:
        yield _S.sale_price <= sale_filter.max_price
    if sale_filter.validity is not None:
        yield _VALIDITY.in_([sale_filter.validity])
    if sale_filter.decision is not None:
        yield _DECISION.is_(None) if sale_filter.decision == "none" else _DECISION.in_([sale_filter.decision])
    for column, value in (
        (_P.neighborhood, sale_filter.neighborhood),
        (_P.property_class, sale_filter.property_class),
        (_S.property_id, sale_filter.property_id),
    ):
        if value is not None:
            yield column == value
