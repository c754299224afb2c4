"""The audit trail: who changed what. Written in the transaction of the change itself."""

from typing import Any

from pg8000.native import literal
from sqlalchemy import Connection, insert

from shared.db.models import AuditEvent


def record(
    connection: Connection, county_id: str, actor: str, action: str, subject: str, details: dict[str, Any]
) -> None:
    """Write an event down: `action` as `property.edited`, `subject` as `properties/0123059127`."""
    connection.execute(
        insert(AuditEvent).values(county_id=county_id, actor=actor, action=action, subject=subject, details=details)
    )


def counted(county_id: str, actor: str, action: str, subject: str, what: str, change: str) -> str:
    """SQL that changes rows and writes down how many, as `{what: number}`; nothing where there are none.

    For changes that nobody waits for; `change` is an INSERT, UPDATE or DELETE without parameters.
    """
    event = ", ".join(literal(value) for value in (county_id, actor, action, subject))
    return (
        f"WITH changed AS ({change} RETURNING 1)"  # noqa: S608 - literals, and a statement of ours
        " INSERT INTO audit_events (county_id, actor, action, subject, details)"
        f" SELECT {event}, jsonb_build_object({literal(what)}, count(*)) FROM changed HAVING count(*) > 0"
    )
