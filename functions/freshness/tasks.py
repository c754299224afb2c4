"""Lambda entry of the clock's measurement of freshness."""

from typing import Any

from functions.freshness import service
from shared.observability import lambda_entry


@lambda_entry
def measure(_event: dict[str, Any], _context: Any) -> dict[str, int]:
    """-> {ScheduledCounties, LateCounties}."""
    return service.measure()
