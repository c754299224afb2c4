"""Routes of the audit trail."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from functions.audit.schemas import AuditEvent, AuditSeal, KnownAction, SealVerdict
from functions.audit.service import events, seals, verification
from shared.access import Permission
from shared.api import Api, answer
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("audit")
handler = api.handler

_EVENTS = "/v1/counties/{county_id}/audit-events"
_SEALS = "/v1/counties/{county_id}/audit-seals"


@api.get(_EVENTS, permission=Permission.VIEW_AUDIT_LOG, summary="Who changed what")
def list_audit_events(
    county_id: str,
    actor: Annotated[str | None, Query()] = None,
    action: Annotated[KnownAction | None, Query()] = None,
    subject: Annotated[str | None, Query()] = None,
    q: Annotated[str | None, Query(min_length=1, max_length=200, description="A text that they contain.")] = None,
    since: Annotated[AwareDatetime | None, Query()] = None,
    until: Annotated[AwareDatetime | None, Query(description="Before this time.")] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[AuditEvent]]:
    """Audit events, newest first. `q` is looked for in actor, subject, details, old and new values."""
    return answer(
        events.list_events(
            county_id,
            actor=actor,
            action=action,
            subject=subject,
            text=q,
            since=since,
            until=until,
            page_size=page_size,
            page_token=page_token,
        )
    )


@api.get(_SEALS, permission=Permission.VIEW_AUDIT_LOG, summary="The seals of the audit trail")
def list_audit_seals(
    county_id: str, page_size: PageSize = 100, page_token: Annotated[str | None, Query()] = None
) -> Response[Page[AuditSeal]]:
    """The links of the hash chain, the oldest first. The clock seals what was written every few minutes."""
    return answer(verification.list_seals(county_id, page_size=page_size, page_token=page_token))


@api.post(_SEALS, permission=Permission.VIEW_AUDIT_LOG, summary="Seal the audit trail")
def seal_audit_events(county_id: str) -> Response[list[AuditSeal]]:
    """Seal now what the clock would seal: the events of all transactions that have ended. Answers the new seals."""
    return answer(seals.seal_now(county_id))


@api.get(_SEALS + "/verification", permission=Permission.VIEW_AUDIT_LOG, summary="Verify the audit trail")
def verify_audit_seals(
    county_id: str, page_size: PageSize = 1000, page_token: Annotated[str | None, Query()] = None
) -> Response[Page[SealVerdict]]:
    """Each seal held against the events of now and against its record in the bucket, the oldest first.

    A page may have fewer seals than asked for. What was changed, deleted, added or exchanged since is named.
    """
    return answer(verification.verify(county_id, page_size=page_size, page_token=page_token))
