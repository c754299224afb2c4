"""Fail: the state of the machine that every failure leads to."""

from collections.abc import Mapping
from uuid import UUID

from aws_lambda_powertools import Logger

from functions.sync.failure import fail_run
from shared.jobs.schemas import JobError

_logger = Logger(service="sync")


def fail(county_id: str, run_id: UUID, failure: Mapping[str, str], *, ended_execution: str | None = None) -> JobError:
    """Mark a run as failed for the machine's `failure` ({Error, Cause}), and log it. Idempotent.

    `ended_execution`: the ARN of an execution that ended without ending its run, where EventBridge reports one.
    """
    error = fail_run(county_id, run_id, failure, ended_execution=ended_execution)
    _logger.error("sync failed", county_id=county_id, run_id=str(run_id), error=error.model_dump())
    return error
