"""SQL of the audit trail."""

from datetime import datetime

from sqlalchemy import Connection, select

from functions.audit.schemas import AuditEvent
from shared.db.models import AuditEvent as EventRow


def events(
    connection: Connection,
    county_id: str,
    *,
    actor: str | None,
    action: str | None,
    subject: str | None,
    since: datetime | None,
    before_id: int | None,
    limit: int,
) -> list[AuditEvent]:
    """Events, newest first, of which each given condition holds."""
    statement = select(
        EventRow.event_id, EventRow.occurred_at, EventRow.actor, EventRow.action, EventRow.subject, EventRow.details
    ).where(EventRow.county_id == county_id)
    for column, value in ((EventRow.actor, actor), (EventRow.action, action), (EventRow.subject, subject)):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(EventRow.occurred_at >= since)
    if before_id is not None:
        statement = statement.where(EventRow.event_id < before_id)
    rows = connection.execute(statement.order_by(EventRow.event_id.desc()).limit(limit))
    return [AuditEvent(**row._mapping) for row in rows]
