"""Routes of the audit trail."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import AwareDatetime

from functions.audit import service
from functions.audit.schemas import AuditEvent, KnownAction
from shared.access import Permission
from shared.api import Api, answer
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("audit")
handler = api.handler


@api.get("/v1/counties/{county_id}/audit-events", permission=Permission.VIEW_AUDIT_LOG, summary="Who changed what")
def list_audit_events(
    county_id: str,
    actor: Annotated[str | None, Query()] = None,
    action: Annotated[KnownAction | None, Query()] = None,
    subject: Annotated[str | None, Query()] = None,
    since: Annotated[AwareDatetime | None, Query()] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[AuditEvent]]:
    """Audit events, newest first."""
    return answer(
        service.list_events(
            county_id,
            actor=actor,
            action=action,
            subject=subject,
            since=since,
            page_size=page_size,
            page_token=page_token,
        )
    )
