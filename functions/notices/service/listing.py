"""Lists of notices."""

from uuid import UUID

from functions.notices.repository import listing
from functions.notices.schemas import ListedNotice, NoticeStatus
from shared.access import Caller, Permission
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token


def page(
    county_id: str,
    *,
    roll_year: int | None,
    property_id: str | None,
    batch_id: UUID | None,
    status: NoticeStatus | None,
    caller: Caller,
    page_size: int,
    page_token: str | None,
) -> Page[ListedNotice]:
    """A page of the county's notices, by property. Raises NotFound, BadRequest for another query's token."""
    query = ["notices", county_id, roll_year, property_id, batch_id, status]
    after = decode_token(query, page_token, str, UUID)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        notices = listing.page(
            connection,
            county_id,
            roll_year=roll_year,
            property_id=property_id,
            batch_id=batch_id,
            status=status,
            see_confidential=caller.may(county_id, Permission.EDIT_PROPERTY),
            after=None if after is None else (after[0], after[1]),
            limit=page_size + 1,
        )
    items = notices[:page_size]
    last = [items[-1].property_id, str(items[-1].notice_id)] if len(notices) > page_size else None
    return Page(items=items, next_page_token=encode_token(query, last) if last else None)
