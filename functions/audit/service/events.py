"""Finding events of the audit trail."""

from datetime import datetime

from functions.audit.repository import events as repository
from functions.audit.schemas import AuditEvent
from shared.db import unit_of_work
from shared.paging import Page, decode_token, encode_token


def list_events(
    county_id: str,
    *,
    actor: str | None,
    action: str | None,
    subject: str | None,
    text: str | None,
    since: datetime | None,
    until: datetime | None,
    page_size: int,
    page_token: str | None,
) -> Page[AuditEvent]:
    """A page of events, newest first."""
    query = [county_id, actor, action, subject, text, since, until]
    after = decode_token(query, page_token, int)
    with unit_of_work(county_id) as connection:
        events = repository.events(
            connection,
            county_id,
            actor=actor,
            action=action,
            subject=subject,
            text=text,
            since=since,
            until=until,
            before_id=after[0] if after else None,
            limit=page_size + 1,
        )
    items = events[:page_size]
    more = len(events) > page_size
    return Page(items=items, next_page_token=encode_token(query, [str(items[-1].event_id)]) if more else None)
