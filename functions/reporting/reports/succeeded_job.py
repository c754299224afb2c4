"""Jobs of other modules whose results a report reads."""

from uuid import UUID

from shared import jobs
from shared.jobs import JobRecord
from shared.problems import Conflict, NotFound, Unprocessable


def require_succeeded_job(county_id: str, kind: str, job_id: UUID, pointer: str) -> JobRecord:
    """The job of a kind that has results.

    Raises Unprocessable, its pointer into the parameters, for one that the county does not have, and Conflict for one
    that has not succeeded.
    """
    words = kind.replace("_", " ")
    slug = kind.replace("_", "-")
    try:
        job = jobs.record(county_id, kind, job_id)
    except NotFound as error:
        raise Unprocessable(
            f"{county_id} has no {words} {job_id}.", pointer=pointer, slug=f"{slug}-not-found"
        ) from error
    if job.status != "succeeded":
        raise Conflict(
            f"{words.capitalize()} {job_id} is {job.status}: a report needs one that has succeeded.",
            slug=f"{slug}-not-succeeded",
        )
    return job
