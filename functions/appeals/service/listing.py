"""Lists of appeals, their packets, and what they came to."""

from datetime import date, datetime
from uuid import UUID

from functions.appeals.repository import appeals
from functions.appeals.repository.appeals import ABSENT_BITS, AppealRow
from functions.appeals.schemas import (
    AppealStatus,
    AppealSummary,
    AppealTotals,
    Level,
    PacketRequest,
    ValueLoss,
)
from functions.appeals.service.views import to_packet_request, to_summary
from shared.access import Caller
from shared.counties.notice_county import notice_county
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.paging import Page, decode_token, encode_token

MAX_HEARINGS = 1000
"""Of one day. A choice: a board hears some dozens."""


def page(
    county_id: str,
    *,
    roll_year: int | None,
    property_id: str | None,
    status: AppealStatus | None,
    level: Level | None,
    hearing_on: date | None,
    caller: Caller,
    page_size: int,
    page_token: str | None,
) -> Page[AppealSummary]:
    """A page of the county's appeals, the newest first. Raises NotFound, BadRequest for another query's token."""
    query = ["appeals", county_id, roll_year, property_id, status, level, hearing_on]
    before = decode_token(query, page_token, datetime.fromisoformat, UUID)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        rows = appeals.page(
            connection,
            county_id,
            roll_year=roll_year,
            property_id=property_id,
            status=status,
            level=level,
            hearing_on=hearing_on,
            before=None if before is None else (before[0], before[1]),
            limit=page_size + 1,
        )
    shown, more = rows[:page_size], len(rows) > page_size
    token = encode_token(query, [shown[-1].filed_at.isoformat(), str(shown[-1].appeal_id)]) if more else None
    return Page(items=[to_summary(county_id, row, caller) for row in shown], next_page_token=token)


def packets_of_day(county_id: str, day: date) -> list[PacketRequest]:
    """The packets of the appeals that are heard on a day, in the order of the hearings. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        county = notice_county(connection, county_id)
        rows = appeals.scheduled_on(connection, county_id, day, MAX_HEARINGS)
    return [to_packet_request(county_id, row, county) for row in rows]


def totals(county_id: str, roll_year: int) -> AppealTotals:
    """The appeals of a roll year by status, and the value loss of the settled ones. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        counts = appeals.counts(connection, county_id, roll_year)
        losses = appeals.value_losses(connection, county_id, roll_year)
    groups = {name: [_loss(row) for row in losses if row.absent == absent] for name, absent in ABSENT_BITS.items()}
    return AppealTotals(
        roll_year=roll_year,
        appeals={row.status: row.appeals for row in counts},
        late=sum(row.late for row in counts),
        total=groups["total"][0],
        by_level=groups["by_level"],
        by_class=groups["by_class"],
        by_reason=groups["by_reason"],
    )


def _loss(row: AppealRow) -> ValueLoss:
    return ValueLoss.model_validate({name: getattr(row, name) for name in ValueLoss.model_fields})
