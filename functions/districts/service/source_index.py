"""The rows of a load between its steps: an index, and objects in the job's folder."""

from pydantic import BaseModel, ConfigDict

from shared.jobs import RunningJob
from shared.problems import Unprocessable

MAX_FEATURES = 200_000
"""Features of a layer. A choice: the address points of a county, which a function holds in memory at once."""


class SourceIndex(BaseModel):
    """The number of a source's rows and of the objects that hold them, and the types of its columns."""

    model_config = ConfigDict(frozen=True)

    rows: int
    parts: int
    types: dict[str, str]


def index_key(job: RunningJob) -> str:
    """The key of the index, which says that all rows are there."""
    return job.key("source.json")


def rows_key(job: RunningJob, part: int) -> str:
    """The key of a part of the rows, counted from 0."""
    return job.key(f"rows-{part:05}.arrow")


def require_room(rows: int) -> None:
    """Raise Unprocessable for a source without rows, or with more than a layer may have."""
    if rows == 0:
        raise Unprocessable("The source has no features: an empty layer is not loaded.", slug="source-empty")
    if rows > MAX_FEATURES:
        raise Unprocessable(
            f"The source has {rows:,} features; a layer has up to {MAX_FEATURES:,}.", slug="too-many-features"
        )
