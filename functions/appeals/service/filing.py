"""Filing an appeal: on which property, against which deadline."""

from datetime import date
from uuid import UUID

from sqlalchemy import Connection

from functions.appeals.repository import appeals, roll_values
from functions.appeals.schemas import Appeal, AppealRequest
from functions.appeals.service.views import reference_of, require_appeal, to_appeal
from shared import audit
from shared.access import Caller
from shared.counties.notice_county import NoticeCounty, notice_county
from shared.db import unit_of_work
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.problems import Conflict, NotFound, Unprocessable
from shared.rolls.appeal_deadlines import deadline_without_notice

_KIND = "appeal"


def file(county_id: str, request: AppealRequest, *, caller: Caller, idempotency_key: str | None) -> Appeal:
    """File an appeal; the same request with the same key finds the one that it filed before.

    Raises NotFound for a property that is not there, Conflict for one that is retired, not on the roll or appealed
    already, Unprocessable for an appeal that is late without good cause.
    """
    appeal_id = deterministic_id(county_id, _KIND, caller, idempotency_key)
    request_digest = digest(request)
    with unit_of_work(county_id) as connection:
        county = notice_county(connection, county_id)
        appeals.lock_numbers(connection, county_id, request.roll_year)
        known = appeals.find(connection, county_id, appeal_id)
        if known is not None:
            refuse_reused_key(known.request_digest, request_digest)
            return to_appeal(county_id, known, county, caller)
        _add(connection, county_id, appeal_id, request, request_digest, county, caller)
        row = require_appeal(connection, county_id, appeal_id)
        details = {"reference": reference_of(row), **request.model_dump(mode="json"), "late": row.late}
        audit.record(connection, county_id, caller.username, "appeal.filed", f"appeals/{appeal_id}", details)
        return to_appeal(county_id, row, county, caller)


def _add(
    connection: Connection,
    county_id: str,
    appeal_id: UUID,
    request: AppealRequest,
    request_digest: str,
    county: NoticeCounty,
    caller: Caller,
) -> None:
    property_class = _require_appealable(connection, county_id, request)
    notice = appeals.sent_notice(connection, county_id, request.property_id, request.roll_year)
    no_notice = deadline_without_notice(county.settings, request.roll_year)
    deadline = no_notice if notice is None else notice.deadline
    late = _require_in_time(request, deadline, county.today())
    appeals.add(
        connection,
        county_id,
        {
            **request.model_dump(),
            "appeal_id": appeal_id,
            "request_digest": request_digest,
            "appeal_no": appeals.next_number(connection, county_id, request.roll_year),
            "property_class": property_class,
            "status": "filed",
            "level": "informal",
            "deadline": deadline,
            "late": late,
            "notice_id": None if notice is None else notice.notice_id,
            "filed_by": caller.username,
            "version": 1,
        },
    )


def _require_appealable(connection: Connection, county_id: str, request: AppealRequest) -> str | None:
    """The class of a property whose value can be appealed. Raises NotFound, Conflict."""
    parcel = appeals.parcel(connection, county_id, request.property_id)
    if parcel is None:
        raise NotFound(f"{county_id} has no property {request.property_id}.", slug="property-not-found")
    if parcel.retired_at is not None:
        raise Conflict(
            f"The property {request.property_id} was retired on {parcel.retired_at:%Y-%m-%d}; its value is not appealed"
            " any more.",
            slug="property-retired",
        )
    assessed = roll_values.assessments_of(connection, county_id, request.property_id, request.roll_year)
    if not assessed:
        raise Conflict(
            f"The property {request.property_id} is not on the roll of {request.roll_year}.", slug="not-on-roll"
        )
    under_way = appeals.find_open(connection, county_id, request.property_id, request.roll_year)
    if under_way is not None:
        raise Conflict(
            f"Its value of {request.roll_year} is appealed already: {reference_of(under_way)} is {under_way.status}.",
            slug="appeal-under-way",
        )
    return assessed[0].property_class or parcel.property_class


def _require_in_time(request: AppealRequest, deadline: date | None, today: date) -> bool:
    """True for a late appeal with good cause. Raises Unprocessable for one without, or filed on a day to come."""
    if request.filed_on > today:
        raise Unprocessable(f"{request.filed_on} has not come yet.", pointer="/filed_on", slug="filed-in-future")
    late = deadline is not None and request.filed_on > deadline
    if late and request.good_cause is None:
        raise Unprocessable(
            f"An appeal was in time until {deadline}; this one was filed on {request.filed_on}. Give its good cause"
            " where the county accepts one.",
            pointer="/good_cause",
            slug="appeal-late",
        )
    return late
