"""Routes of exemptions."""

from typing import Annotated, Any, Literal
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.exemptions.schemas import (
    ApplicationRequest,
    Check,
    DecisionRequest,
    DocumentRequest,
    Exemption,
    ExemptionDocument,
    ExemptionFinding,
    ExemptionSummary,
    NewExemptionDocument,
    Status,
    TaxableValue,
    WithdrawalRequest,
)
from functions.exemptions.service import applications, documents, values
from shared.access import Permission
from shared.api import Api, answer, faults_in_body, see_other
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("exemptions")
handler = api.handler

_ALL = "/v1/counties/{county_id}/exemptions"
_ONE = _ALL + "/{exemption_id}"
_RollYear = Annotated[int, Query(ge=1900, le=2200)]


@api.get(_ALL + "/summary", permission=Permission.VIEW_PROPERTIES, summary="The loss of a roll by exemptions")
def get_exemption_summary(
    county_id: str,
    roll_year: _RollYear,
    area: Annotated[Literal["neighborhood", "tax_district"], Query()] = "neighborhood",
) -> Response[ExemptionSummary]:
    """Properties with exemptions: market, assessed and taxable value, and the loss by type and area."""
    return answer(values.summary(county_id, roll_year, area))


@api.get(_ALL + "/findings", permission=Permission.VIEW_PROPERTIES, summary="Exemptions to look at")
def list_exemption_findings(
    county_id: str,
    roll_year: _RollYear,
    check: Annotated[Check | None, Query()] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[ExemptionFinding]]:
    """Two of one owner, granted to somebody who owns it no more, expired, or to be renewed: each with its reason."""
    return answer(values.findings(county_id, roll_year, check, page_size=page_size, page_token=page_token))


@api.get(_ALL, permission=Permission.VIEW_PROPERTIES, summary="Exemptions applied for and decided here")
def list_exemptions(
    county_id: str,
    status: Annotated[Status | None, Query()] = None,
    exemption_type: Annotated[str | None, Query(max_length=60)] = None,
    property_id: Annotated[str | None, Query(max_length=300)] = None,
    renewal_due_by: Annotated[int | None, Query(ge=1900, le=2200)] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[Exemption]]:
    """Applications and what was granted, by id. `renewal_due_by` is a roll year: what is to be renewed for it."""
    page = applications.page(
        county_id,
        status=status,
        exemption_type=exemption_type,
        property_id=property_id,
        renewal_due_by=renewal_due_by,
        page_size=page_size,
        page_token=page_token,
    )
    return answer(page)


@api.post(_ALL, permission=Permission.EDIT_PROPERTY, summary="Apply for an exemption", status=201)
def apply_for_exemption(county_id: str, body: ApplicationRequest) -> Response[Exemption]:
    """Record an application for one of the county's types. 409 where the property has one of the type in the period."""
    with faults_in_body():
        exemption = applications.apply(county_id, body, caller=api.caller, idempotency_key=api.idempotency_key)
    location = _ONE.format(county_id=county_id, exemption_id=exemption.exemption_id)
    return answer(exemption, 201, location=location, version=exemption.version)


@api.get(_ONE, permission=Permission.VIEW_PROPERTIES, summary="One exemption")
def get_exemption(county_id: str, exemption_id: UUID) -> Response[Exemption]:
    """The application, its decision, and its period."""
    exemption = applications.one(county_id, exemption_id)
    return answer(exemption, version=exemption.version)


@api.post(_ONE + "/decide", permission=Permission.APPROVE_VALUATION, summary="Decide on an exemption")
def decide_on_exemption(county_id: str, exemption_id: UUID, body: DecisionRequest) -> Response[Exemption]:
    """Grant or deny an application, renew or end what was granted. Who filed the application does not decide on it."""
    with faults_in_body():
        exemption = applications.decide(county_id, exemption_id, body, caller=api.caller)
    return answer(exemption, version=exemption.version)


@api.post(_ONE + "/withdraw", permission=Permission.EDIT_PROPERTY, summary="Withdraw an application")
def withdraw_application(county_id: str, exemption_id: UUID, body: WithdrawalRequest) -> Response[Exemption]:
    """End an application that nobody has decided on; one that is withdrawn stays so."""
    exemption = applications.withdraw(county_id, exemption_id, body, caller=api.caller)
    return answer(exemption, version=exemption.version)


@api.get(_ONE + "/documents", permission=Permission.VIEW_PROPERTIES, summary="Documents of an application")
def list_exemption_documents(county_id: str, exemption_id: UUID) -> Response[list[ExemptionDocument]]:
    """Every document, in the order in which they came."""
    return answer(documents.of_exemption(county_id, exemption_id))


@api.post(_ONE + "/documents", permission=Permission.EDIT_PROPERTY, summary="Add a document", status=201)
def add_exemption_document(county_id: str, exemption_id: UUID, body: DocumentRequest) -> Response[NewExemptionDocument]:
    """A document, with the address to which its file is sent by PUT: once, within 15 minutes, as it was announced."""
    key = api.idempotency_key
    document = documents.announce(county_id, exemption_id, body, caller=api.caller, idempotency_key=key)
    location = (
        _ONE.format(county_id=county_id, exemption_id=exemption_id) + f"/documents/{document.document_id}/download"
    )
    return answer(document, 201, location=location)


@api.get(
    _ONE + "/documents/{document_id}/download",
    permission=Permission.VIEW_PROPERTIES,
    summary="Take a document",
    status=303,
)
def download_exemption_document(county_id: str, exemption_id: UUID, document_id: UUID) -> Response[Any]:
    """Redirect (303) to an address of the document that holds for 15 minutes. 409 before its file was sent."""
    return see_other(documents.address(county_id, exemption_id, document_id))


@api.get(
    "/v1/counties/{county_id}/properties/{property_id}/taxable-value",
    permission=Permission.VIEW_PROPERTIES,
    summary="A property's taxable value",
)
def get_taxable_value(county_id: str, property_id: str, roll_year: _RollYear) -> Response[TaxableValue]:
    """Market and taxable value apart, with each exemption, its rule and what it takes off."""
    return answer(values.taxable_value(county_id, property_id, roll_year))
