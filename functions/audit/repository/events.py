"""SQL of the events."""

from datetime import datetime

from sqlalchemy import Connection, String, cast, func, select

from functions.audit.schemas import AuditEvent
from shared.db.models import AuditEvent as EventRow


def events(
    connection: Connection,
    county_id: str,
    *,
    actor: str | None,
    action: str | None,
    subject: str | None,
    text: str | None,
    since: datetime | None,
    until: datetime | None,
    before_id: int | None,
    limit: int,
) -> list[AuditEvent]:
    """Events, newest first, of which each given condition holds; `text` is somewhere in them, in whatever case."""
    columns = [getattr(EventRow, name) for name in AuditEvent.model_fields]
    statement = select(*columns).where(EventRow.county_id == county_id)
    for column, value in ((EventRow.actor, actor), (EventRow.action, action), (EventRow.subject, subject)):
        if value is not None:
            statement = statement.where(column == value)
    if since is not None:
        statement = statement.where(EventRow.occurred_at >= since)
    if until is not None:
        statement = statement.where(EventRow.occurred_at < until)
    if text is not None:
        documents = (cast(column, String) for column in (EventRow.details, EventRow.old, EventRow.new))
        searched = func.concat_ws(" ", EventRow.actor, EventRow.subject, *documents)
        statement = statement.where(func.strpos(func.lower(searched), text.lower()) > 0)
    if before_id is not None:
        statement = statement.where(EventRow.event_id < before_id)
    rows = connection.execute(statement.order_by(EventRow.event_id.desc()).limit(limit))
    return [AuditEvent(**row._mapping) for row in rows]
