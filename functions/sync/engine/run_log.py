"""Log lines of the sync machine's states."""

from uuid import UUID

from aws_lambda_powertools import Logger

_logger = Logger(service="sync")


def log_state(message: str, county_id: str, run_id: UUID, **figures: object) -> None:
    """Log that a state of a run has come to its end, with figures of it."""
    _logger.info(message, extra={"county_id": county_id, "run_id": str(run_id), **figures})
