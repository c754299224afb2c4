"""Audit events as an auditor reads them."""

from datetime import datetime
from typing import Any

from shared.schemas import Schema


class AuditEvent(Schema):
    """Who did what to which thing, and when."""

    event_id: int
    occurred_at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
