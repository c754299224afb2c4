"""Routes of appeals."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.appeals.render.calendar import CONTENT_TYPE, MEDIA_TYPE
from functions.appeals.schemas import (
    Appeal,
    AppealDocument,
    AppealRequest,
    AppealStatus,
    AppealSummary,
    AppealTotals,
    DecisionRequest,
    DocumentRequest,
    HearingRequest,
    Level,
    NewDocument,
    NoteRequest,
    PacketRequest,
    StipulationRequest,
    WithdrawalRequest,
)
from functions.appeals.service import decisions, documents, filing, listing, proceedings, views
from shared.access import Permission
from shared.api import Api, answer, faults_in_body, see_other
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("appeals")
handler = api.handler

_ALL = "/v1/counties/{county_id}/appeals"
_ONE = _ALL + "/{appeal_id}"
_DOCUMENTS = _ONE + "/documents"
RollYear = Annotated[int, Query(ge=1900, le=2200)]


@api.post(_ALL, permission=Permission.EDIT_PROPERTY, summary="File an appeal", status=201)
def file_appeal(county_id: str, body: AppealRequest) -> Response[Appeal]:
    """For an owner, of a property's value in a roll year. The time for it counts from the mailing of its notice, and
    without a notice ends on the county's day. A late one needs a good cause, and is marked so; one on a retired parcel,
    or on one that is appealed already, is refused.
    """
    with faults_in_body():
        appeal = filing.file(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(appeal, 201, version=appeal.version, location=appeal.links["self"])


@api.get(_ALL, permission=Permission.VIEW_PROPERTIES, summary="Appeals, the newest first")
def list_appeals(
    county_id: str,
    roll_year: Annotated[int | None, Query(ge=1900, le=2200)] = None,
    property_id: Annotated[str | None, Query(max_length=200)] = None,
    status: Annotated[AppealStatus | None, Query()] = None,
    level: Annotated[Level | None, Query()] = None,
    hearing_on: Annotated[date | None, Query(description="a day in the county's time zone")] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[AppealSummary]]:
    """Every filter that is given must hold."""
    return answer(
        listing.page(
            county_id,
            roll_year=roll_year,
            property_id=property_id,
            status=status,
            level=level,
            hearing_on=hearing_on,
            caller=api.caller,
            page_size=page_size,
            page_token=page_token,
        )
    )


@api.get(_ALL + "/summary", permission=Permission.VIEW_PROPERTIES, summary="The outcome of a roll's appeals")
def get_appeal_totals(county_id: str, roll_year: RollYear) -> Response[AppealTotals]:
    """Appeals by status, and the value loss of the settled ones by level, class and reason."""
    return answer(listing.totals(county_id, roll_year))


@api.get(_ALL + "/packets", permission=Permission.VIEW_PROPERTIES, summary="The evidence packets of a day")
def list_packets(county_id: str, hearing_on: Annotated[date, Query()]) -> Response[list[PacketRequest]]:
    """A request for each appeal that is heard on the day, in the order of the hearings: POST its `body` to its `href`,
    which makes the packet as a report.
    """
    return answer(listing.packets_of_day(county_id, hearing_on))


@api.get(_ONE, permission=Permission.VIEW_PROPERTIES, summary="One appeal")
def get_appeal(county_id: str, appeal_id: UUID) -> Response[Appeal]:
    """The appeal, its hearing and its decision; `packet` is the request that makes its evidence packet."""
    appeal = views.get(county_id, appeal_id, api.caller)
    return answer(appeal, version=appeal.version)


@api.post(_ONE + "/review", permission=Permission.EDIT_PROPERTY, summary="Review an appeal informally")
def review_appeal(county_id: str, appeal_id: UUID, body: NoteRequest) -> Response[Appeal]:
    """The office looks at the value again, before any hearing. Needs If-Match."""
    return _moved(
        proceedings.review(county_id, appeal_id, body, expected_version=api.required_version(), caller=api.caller)
    )


@api.post(_ONE + "/schedule", permission=Permission.EDIT_PROPERTY, summary="Schedule a hearing")
def schedule_hearing(county_id: str, appeal_id: UUID, body: HearingRequest) -> Response[Appeal]:
    """Or move one that is scheduled. Needs If-Match."""
    return _moved(
        proceedings.schedule(county_id, appeal_id, body, expected_version=api.required_version(), caller=api.caller)
    )


@api.get(
    _ONE + "/hearing.ics",
    permission=Permission.VIEW_PROPERTIES,
    summary="A hearing as a calendar entry",
    media_types=(MEDIA_TYPE,),
)
def get_hearing(county_id: str, appeal_id: UUID) -> Response[Any]:
    """An iCalendar file (RFC 5545); the entry of an appeal that was settled before its hearing is cancelled."""
    return Response(200, CONTENT_TYPE, proceedings.hearing_calendar(county_id, appeal_id))


@api.post(_ONE + "/hear", permission=Permission.EDIT_PROPERTY, summary="Note that a hearing was held")
def hear_appeal(county_id: str, appeal_id: UUID, body: NoteRequest) -> Response[Appeal]:
    """Its decision is yet to come. Needs If-Match."""
    return _moved(
        proceedings.hear(county_id, appeal_id, body, expected_version=api.required_version(), caller=api.caller)
    )


@api.post(_ONE + "/decide", permission=Permission.APPROVE_VALUATION, summary="Decide an appeal")
def decide_appeal(county_id: str, appeal_id: UUID, body: DecisionRequest) -> Response[Appeal]:
    """After the informal review or the hearing, by somebody else than who filed it. A value that changes goes to the
    roll, to a closed one as a numbered supplement. Needs If-Match.
    """
    version = api.required_version()
    with faults_in_body():
        return _moved(decisions.decide(county_id, appeal_id, body, expected_version=version, caller=api.caller))


@api.post(_ONE + "/stipulate", permission=Permission.APPROVE_VALUATION, summary="Settle an appeal by agreement")
def stipulate_appeal(county_id: str, appeal_id: UUID, body: StipulationRequest) -> Response[Appeal]:
    """The values that the office and the petitioner have agreed on; they go to the roll as those of a decision do.

    Needs If-Match, and somebody else than who filed the appeal.
    """
    version = api.required_version()
    with faults_in_body():
        return _moved(decisions.stipulate(county_id, appeal_id, body, expected_version=version, caller=api.caller))


@api.post(_ONE + "/withdraw", permission=Permission.EDIT_PROPERTY, summary="Withdraw an appeal")
def withdraw_appeal(county_id: str, appeal_id: UUID, body: WithdrawalRequest) -> Response[Appeal]:
    """The value stays as it is. Needs If-Match."""
    return _moved(
        proceedings.withdraw(county_id, appeal_id, body, expected_version=api.required_version(), caller=api.caller)
    )


@api.post(_DOCUMENTS, permission=Permission.EDIT_PROPERTY, summary="Announce a document", status=201)
def add_document(county_id: str, appeal_id: UUID, body: DocumentRequest) -> Response[NewDocument]:
    """A document, with the address to which its file is sent by PUT: once, within 15 minutes, with the size and the
    content that were announced. Then it is confirmed.
    """
    document = documents.announce(county_id, appeal_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(document, 201)


@api.get(_DOCUMENTS, permission=Permission.VIEW_PROPERTIES, summary="The documents of an appeal")
def list_documents(county_id: str, appeal_id: UUID) -> Response[list[AppealDocument]]:
    """The oldest first."""
    return answer(documents.all_documents(county_id, appeal_id))


@api.post(_DOCUMENTS + "/{document_id}/confirm", permission=Permission.EDIT_PROPERTY, summary="Confirm a document")
def confirm_document(county_id: str, appeal_id: UUID, document_id: UUID) -> Response[AppealDocument]:
    """Its file is there, and is of the type that was announced. 409 before it is there."""
    return answer(documents.confirm(county_id, appeal_id, document_id, caller=api.caller))


@api.get(
    _DOCUMENTS + "/{document_id}/download",
    permission=Permission.VIEW_PROPERTIES,
    summary="Take a document",
    status=303,
)
def download_document(county_id: str, appeal_id: UUID, document_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the file that holds for 15 minutes."""
    return see_other(documents.address_of(county_id, appeal_id, document_id))


def _moved(appeal: Appeal) -> Response[Appeal]:
    return answer(appeal, version=appeal.version)
