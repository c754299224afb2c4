"""The list of jobs of every kind, syncs included."""

from datetime import datetime
from uuid import UUID

from functions.jobs import repository
from functions.jobs.schemas import KINDS, JobFilter
from shared.access import Caller
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.filters import require_past
from shared.jobs import Job
from shared.jobs.kind import job_links
from shared.jobs.lifecycle import as_record
from shared.paging import Page, decode_token, encode_token


def page(county_id: str, caller: Caller, job_filter: JobFilter, *, page_size: int, page_token: str | None) -> Page[Job]:
    """A page of the county's jobs, the newest first, of the kinds that the caller may see, as they are recorded.

    Raises Forbidden for a kind that the caller may not see, Unprocessable for a time to come, NotFound for a county
    that is not onboarded.
    """
    require_past("since", job_filter.since)
    kinds = _visible_kinds(county_id, caller, job_filter.kind)
    query = ["jobs", county_id, kinds, job_filter.model_dump(mode="json")]
    before = decode_token(query, page_token, datetime.fromisoformat, UUID)
    with unit_of_work(county_id) as connection:
        rows = repository.page(connection, county_id, kinds, job_filter, before=before, limit=page_size + 1)
        if not rows:
            require_onboarded(connection, county_id)
    items = []
    for row in rows[:page_size]:
        kind = KINDS[row.kind]
        links = job_links(county_id, kind.collection, kind.linked, row.job_id)
        items.append(Job(**dict(as_record(row)), links=links))
    last = [items[-1].created_at.isoformat(), str(items[-1].id)] if len(rows) > page_size else None
    return Page[Job](items=items, next_page_token=encode_token(query, last) if last is not None else None)


def _visible_kinds(county_id: str, caller: Caller, kind: str | None) -> list[str]:
    """The kinds that the caller may see in the county, or the one that is asked for. Raises Forbidden."""
    if kind is not None:
        caller.require(KINDS[kind].view)
        caller.require_county(county_id, KINDS[kind].view)
        return [kind]
    return sorted(name for name, known in KINDS.items() if caller.may(county_id, known.view))
