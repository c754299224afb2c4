"""SQL of lists of notices, and of the print shop's list of a batch."""

from uuid import UUID

from pg8000.native import literal
from sqlalchemy import Connection, case, exists, select, tuple_

from functions.notices.schemas import ListedNotice, NoticeStatus
from shared.db.literals import uuid_literal
from shared.db.models import Notice, Owner

_CONFIDENTIAL = exists().where(
    Owner.county_id == Notice.county_id,
    Owner.property_id == Notice.property_id,
    Owner.confidential.is_(True),
    Owner.retired_at.is_(None),
)


def page(
    connection: Connection,
    county_id: str,
    *,
    roll_year: int | None,
    property_id: str | None,
    batch_id: UUID | None,
    status: NoticeStatus | None,
    see_confidential: bool,
    after: tuple[str, UUID] | None,
    limit: int,
) -> list[ListedNotice]:
    """Notices that meet every filter, by property, from the one after a key."""
    recipient = Notice.recipient if see_confidential else case((_CONFIDENTIAL, None), else_=Notice.recipient)
    columns = (getattr(Notice, name) for name in ListedNotice.model_fields if name != "recipient")
    statement = select(*columns, recipient.label("recipient")).where(Notice.county_id == county_id)
    filters = (
        (Notice.roll_year, roll_year),
        (Notice.property_id, property_id),
        (Notice.batch_id, batch_id),
        (Notice.status, status),
    )
    statement = statement.where(*(column == value for column, value in filters if value is not None))
    if after is not None:
        statement = statement.where(tuple_(Notice.property_id, Notice.notice_id) > tuple_(*after))
    rows = connection.execute(statement.order_by(Notice.property_id, Notice.notice_id).limit(limit))
    return [ListedNotice.model_construct(**row._mapping) for row in rows]


def print_list_sql(county_id: str, batch_id: UUID) -> str:
    """SQL of the print shop's list of a batch: a row a letter, in the order of files and pages."""
    return (
        "SELECT recipient, mailing_address, mailing_city, mailing_state, mailing_zip, parcel_number, property_id,"  # noqa: S608 - literals
        " situs_address, old_land_value, old_improvement_value, old_total_value, new_land_value,"
        " new_improvement_value, new_total_value, mailed_on, deadline, area,"
        f" 'letters-' || lpad(CAST(file_no AS text), 4, '0') || '.pdf' AS file, letter_no AS letter, page_no AS page"
        f" FROM notices WHERE county_id = {literal(county_id)} AND batch_id = {uuid_literal(batch_id)}"
        " AND file_no IS NOT NULL ORDER BY file_no, letter_no"
    )
