"""The route of jobs of every kind."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from functions.jobs import service
from functions.jobs.schemas import JobFilter, KnownKind
from shared.access import Permission
from shared.api import Api, answer
from shared.api.paging import PageSize
from shared.jobs import Job, JobStatus
from shared.paging import Page

api = Api("jobs")
handler = api.handler


@api.get("/v1/counties/{county_id}/jobs", permission=Permission.SIGN_IN, summary="Jobs of every kind")
def list_jobs(
    county_id: str,
    kind: Annotated[KnownKind | None, Query()] = None,
    status: Annotated[JobStatus | None, Query()] = None,
    mine: Annotated[bool, Query(description="only those that the caller has submitted")] = False,
    since: Annotated[AwareDatetime | None, Query(description="submitted at this time or later")] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[Job]]:
    """The jobs of every kind, syncs included, the newest first, with links to each job, its results and its file.

    Shows the kinds of jobs that the caller's permissions let them see one by one; another kind is refused.
    """
    submitted_by = api.caller.username if mine else None
    job_filter = JobFilter(kind=kind, status=status, submitted_by=submitted_by, since=since)
    return answer(service.page(county_id, api.caller, job_filter, page_size=page_size, page_token=page_token))
