"""The list of a county's sales."""

from decimal import Decimal

from functions.properties.repository import sales as repository
from functions.properties.schemas.market import ListedSale, SaleFilter
from functions.properties.schemas.parcels import SALE_SORTS
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.filters import require_ordered
from shared.paging import CountedPage, decode_token, encode_token
from shared.sorting import SortOrder, parse_sort_key, sort_key, sort_order

_NEWEST_FIRST = SortOrder("sale_date", descending=True)


def page(
    county_id: str, sale_filter: SaleFilter, sort: str | None, *, count: bool, page_size: int, page_token: str | None
) -> CountedPage[ListedSale]:
    """A page of the sales that a filter describes, in the order of `sort`, with their number where it is wanted.

    Raises BadRequest for another query's token, Unprocessable for an unknown order, or a filter that nothing can meet.
    """
    order = sort_order(sort, SALE_SORTS, _NEWEST_FIRST)
    require_ordered(("from", sale_filter.first_day), ("to", sale_filter.last_day))
    require_ordered(("min_price", sale_filter.min_price), ("max_price", sale_filter.max_price))
    query = ["sales", county_id, sale_filter.model_dump(mode="json"), sort]
    after = decode_token(query, page_token, parse_sort_key(SALE_SORTS[order.field]), str)
    with unit_of_work(county_id) as connection:
        rows = repository.page(
            connection,
            county_id,
            sale_filter,
            order,
            after=(after[0], after[1]) if after else None,
            limit=page_size + 1,
        )
        if not rows:
            require_onboarded(connection, county_id)
        total = repository.count(connection, county_id, sale_filter) if count and after is None else None
    token = None
    if len(rows) > page_size:
        last = rows[page_size - 1]
        token = encode_token(query, [sort_key(last[order.field]), last["sale_id"]])
    items = [ListedSale.model_construct(**{**row, "ratio": _as_float(row["ratio"])}) for row in rows[:page_size]]
    return CountedPage.model_construct(items=items, next_page_token=token, total=total)


def _as_float(ratio: Decimal | None) -> float | None:
    return None if ratio is None else float(ratio)
