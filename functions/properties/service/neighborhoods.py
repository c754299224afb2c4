"""The list of a county's neighborhoods."""

from datetime import date

from functions.properties.repository import neighborhoods as repository
from functions.properties.schemas.market import Neighborhood
from shared.access import Caller, Permission
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.filters import require_ordered
from shared.paging import Page, decode_token, encode_token


def page(
    county_id: str,
    first_day: date | None,
    last_day: date | None,
    caller: Caller,
    *,
    page_size: int,
    page_token: str | None,
) -> Page[Neighborhood]:
    """A page of the neighborhoods of the current roll, by name, with the sales of a period."""
    require_ordered(("from", first_day), ("to", last_day))
    query = ["neighborhoods", county_id, first_day, last_day]
    after = decode_token(query, page_token, str)
    with unit_of_work(county_id) as connection:
        rows = repository.page(
            connection, county_id, first_day, last_day, after=after[0] if after else "", limit=page_size + 1
        )
        if not rows:
            require_onboarded(connection, county_id)
    hidden = {} if caller.may(county_id, Permission.VIEW_VALUATION) else {"ratios": None}
    items = [Neighborhood.model_validate({**row, **hidden}) for row in rows[:page_size]]
    more = len(rows) > page_size
    return Page[Neighborhood](
        items=items, next_page_token=encode_token(query, [items[-1].neighborhood]) if more else None
    )
