"""The Lambda entry that converts geographic files: a state of the sync machine, and what previews ask for a sample.

Apart from `tasks`, for the function has GDAL's layer in place of Polars'.
"""

from typing import Any
from uuid import UUID

from aws_lambda_powertools import Logger
from pydantic import BaseModel, ConfigDict

from functions.sync.engine.convert import convert_file, sample_file
from functions.sync.sources.files.geographic.conversion import Bounds
from functions.sync.tasks.retries import machine_task
from shared.problems import Problem

_logger = Logger(service="sync")

_TO_ANSWER_IN = 30
"""Seconds of its time that the function keeps for itself."""
SAMPLE_SECONDS = 20
"""What a preview leaves for a sample: the API answers within 29 seconds."""


class _Conversion(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    county_id: str
    table: str
    run_id: UUID | None = None
    rows: int | None = None


@machine_task
def convert(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """-> {rows} of a file that is converted for a run; {key} of the first `rows` rows, where no run is named, or
    {refused: {detail, slug, status}}.
    """
    asked = _Conversion.model_validate(event)
    memory = int(context.memory_limit_in_mb)
    if asked.run_id is None:
        return _sampled(asked, Bounds(SAMPLE_SECONDS, memory))
    seconds = context.get_remaining_time_in_millis() / 1000 - _TO_ANSWER_IN
    rows = convert_file(asked.county_id, asked.run_id, asked.table, Bounds(seconds, memory))
    _logger.info(
        "file converted",
        extra={"county_id": asked.county_id, "run_id": str(asked.run_id), "table": asked.table, "rows": rows},
    )
    return {"rows": rows}


def _sampled(asked: _Conversion, bounds: Bounds) -> dict[str, Any]:
    try:
        return {"key": sample_file(asked.county_id, asked.table, asked.rows or 1, bounds)}
    except Problem as problem:
        return {"refused": {"detail": problem.detail, "slug": problem.slug, "status": problem.status}}
