"""Routes of schedules."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.schedules.schemas import Schedule, SchedulePatch, ScheduleRequest
from functions.schedules.service import registration
from shared.access import Permission
from shared.api import Api, answer
from shared.api.answers import no_content
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("schedules")
handler = api.handler

_ALL = "/v1/counties/{county_id}/job-schedules"
_ONE = _ALL + "/{schedule_id}"


@api.post(_ALL, permission=Permission.SIGN_IN, summary="Schedule a job", status=201)
def make_schedule(county_id: str, body: ScheduleRequest) -> Response[Schedule]:
    """Make a report, an export, a study or an analysis again and again: with the parameters of one that was made, and
    for the user who schedules it. Needs the permission to submit jobs of that kind.
    """
    schedule = registration.make(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    location = f"/v1/counties/{county_id}/job-schedules/{schedule.schedule_id}"
    return answer(schedule, 201, version=schedule.version, location=location)


@api.get(_ALL, permission=Permission.SIGN_IN, summary="Schedules of jobs")
def list_schedules(
    county_id: str, page_size: PageSize = 50, page_token: Annotated[str | None, Query()] = None
) -> Response[Page[Schedule]]:
    """Of the kinds of jobs that the caller may see, the newest first: when each runs next, and how it ended last."""
    return answer(registration.page(county_id, api.caller, page_size=page_size, page_token=page_token))


@api.get(_ONE, permission=Permission.SIGN_IN, summary="One schedule")
def get_schedule(county_id: str, schedule_id: UUID) -> Response[Schedule]:
    """When it runs next, and the job that it made last."""
    schedule = registration.read(county_id, schedule_id, api.caller)
    return answer(schedule, version=schedule.version)


@api.patch(_ONE, permission=Permission.SIGN_IN, summary="Change a schedule")
def change_schedule(county_id: str, schedule_id: UUID, body: SchedulePatch) -> Response[Schedule]:
    """Change its name or its times, stop it, or start it; whoever starts it is the user for whom it acts."""
    schedule = registration.change(
        county_id, schedule_id, body, expected_version=api.required_version(), caller=api.caller
    )
    return answer(schedule, version=schedule.version)


@api.delete(_ONE, permission=Permission.SIGN_IN, summary="Delete a schedule")
def delete_schedule(county_id: str, schedule_id: UUID) -> Response[None]:
    """Nothing is made any more; what was made stays."""
    registration.remove(county_id, schedule_id, caller=api.caller)
    return no_content()
