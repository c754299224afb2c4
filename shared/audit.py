"""The audit trail: who changed what. Written in the transaction of the change itself."""

from typing import Any

from sqlalchemy import Connection, insert

from shared.db.models import AuditEvent


def record(
    connection: Connection, county_id: str, actor: str, action: str, subject: str, details: dict[str, Any]
) -> None:
    """Write an event down: `action` as `property.edited`, `subject` as `properties/0123059127`."""
    connection.execute(
        insert(AuditEvent).values(county_id=county_id, actor=actor, action=action, subject=subject, details=details)
    )
