"""Audit events as an auditor reads them."""

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from shared.schemas import Schema

_ACTIONS = Path(__file__).with_name("actions.json")
"""Derived from `shared.audit` and every module's job kinds by `python -m infra.openapi`: a function carries its own
module only.
"""

if TYPE_CHECKING:
    KnownAction = str
else:
    KnownAction = Literal[tuple(json.loads(_ACTIONS.read_text()))]


class AuditEvent(Schema):
    """Who did what to which thing, and when."""

    event_id: int
    occurred_at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]
