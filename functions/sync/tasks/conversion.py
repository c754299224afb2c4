"""Lambda entry of Convert, a state of the sync machine; previews call it for a sample.

Apart from `machine`, since its function has GDAL's layer in place of Polars'.
"""

from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from functions.sync.engine.convert import convert_file, sample_file
from functions.sync.tasks.retries import machine_task
from shared.problems import Problem, SourceRefused
from shared.sources.files.geographic.conversion import Bounds

ANSWER_RESERVE_S = 30
"""Seconds of its time that the function keeps to answer when a conversion has to be ended. A choice, far above the
second that this takes."""
SAMPLE_SECONDS = 20
"""Seconds that a preview leaves for a sample: API Gateway ends the request after 29."""


class _ConvertEvent(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    county_id: str
    table: str
    run_id: UUID | None = None
    upload_id: UUID | None = None
    rows: int | None = None


@machine_task
def convert(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """-> {rows} of a file that is converted for a run; {key} of the first `rows` rows of the
    county's file or of an upload, where no run is named, or
    {refused: {detail, slug, source_refused}}.
    """
    request = _ConvertEvent.model_validate(event)
    memory = int(context.memory_limit_in_mb)
    if request.run_id is None:
        return _sample(request, Bounds(SAMPLE_SECONDS, memory))
    seconds = context.get_remaining_time_in_millis() / 1000 - ANSWER_RESERVE_S
    return {"rows": convert_file(request.county_id, request.run_id, request.table, Bounds(seconds, memory))}


def _sample(request: _ConvertEvent, bounds: Bounds) -> dict[str, Any]:
    try:
        return {"key": sample_file(request.county_id, request.upload_id, request.table, request.rows or 1, bounds)}
    except Problem as problem:
        return {
            "refused": {
                "detail": problem.detail,
                "slug": problem.slug,
                "source_refused": isinstance(problem, SourceRefused),
            }
        }
