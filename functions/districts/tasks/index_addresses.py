"""The Lambda entry that hears of applied syncs, and indexes the county's addresses."""

from typing import Any

from aws_lambda_powertools import Logger

from shared.observability import lambda_entry
from shared.situs.index import refresh

_logger = Logger(service="districts")


@lambda_entry
def index_addresses(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    """-> {addresses}: the number of the county's addresses. The event is EventBridge's, of a sync that was applied."""
    county_id = str(event["detail"]["county_id"])
    addresses = refresh(county_id)
    _logger.info("addresses indexed", county_id=county_id, addresses=addresses)
    return {"addresses": addresses}
