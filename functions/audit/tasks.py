"""Lambda entry of the clock's sealing of audit events."""

from typing import Any

from functions.audit.service import seals
from shared.observability import lambda_entry


@lambda_entry
def seal(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """-> {seals}: the number of new ones."""
    return {"seals": seals.seal_all()}
