"""Routes of notices of value."""

from typing import Annotated, Any
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from functions.notices.job_kinds import NOTICE_BATCH
from functions.notices.schemas import LetterFile, ListedNotice, NoticeStatus, NoticeTemplate, NoticeTemplateRequest
from functions.notices.service import batches, listing, templates
from shared.access import Permission
from shared.api import Api, Operation, answer, declare_job_routes, faults_in_body, see_other
from shared.api.paging import PageSize
from shared.paging import Page

api = Api("notices")
handler = api.handler

_NOTICES = "/v1/counties/{county_id}/notices"
_TEMPLATE = "/v1/counties/{county_id}/notice-template"
_FILES = NOTICE_BATCH.path + "/files"

declare_job_routes(
    api,
    NOTICE_BATCH,
    submit=Operation(
        "make_notice_batch",
        "Make a batch of notices",
        "Make a letter for each property whose total value differs between the roll and the one before it. Refused on\n"
        "days on which the county mails no notices. A property is noticed once a roll; `supersede` notices it anew\n"
        "where its value has changed since.",
    ),
    check=batches.require_mailable,
    get=Operation("get_notice_batch", "A batch's progress", "How a batch goes: its files of letters, one by one."),
    results=Operation(
        "get_notice_batch_results",
        "The outcome of a batch",
        "Letters by file, and by reason the counts of the properties that have none.",
    ),
    download=Operation(
        "download_print_list",
        "Take the print shop's list",
        "Redirect (303) to an address of the list that holds for 15 minutes: recipient, address, parcel, values,\n"
        "deadline, file and page of each letter, as CSV in the order of mailing.",
    ),
)


@api.get(_FILES, permission=NOTICE_BATCH.view, summary="A batch's files of letters")
def list_letter_files(county_id: str, batch_id: UUID) -> Response[list[LetterFile]]:
    """In the order of mailing. 409 before the batch has ended."""
    return answer(batches.files(county_id, batch_id))


@api.get(_FILES + "/{file_no}", permission=NOTICE_BATCH.view, summary="Take a file of letters", status=303)
def download_letter_file(
    county_id: str, batch_id: UUID, file_no: Annotated[int, Path(ge=1, le=1_000_000)]
) -> Response[Any]:
    """Redirect (303) to an address of the PDF that holds for 15 minutes."""
    return see_other(batches.address_of(county_id, batch_id, file_no))


@api.get(_NOTICES, permission=NOTICE_BATCH.view, summary="Notices")
def list_notices(
    county_id: str,
    roll_year: Annotated[int | None, Query(ge=1900, le=2200)] = None,
    property_id: Annotated[str | None, Query(max_length=200)] = None,
    batch_id: Annotated[UUID | None, Query()] = None,
    status: Annotated[NoticeStatus | None, Query()] = None,
    page_size: PageSize = 100,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[ListedNotice]]:
    """By property. `status=held_back` are those without a letter: confidential owners and undeliverable addresses."""
    return answer(
        listing.page(
            county_id,
            roll_year=roll_year,
            property_id=property_id,
            batch_id=batch_id,
            status=status,
            caller=api.caller,
            page_size=page_size,
            page_token=page_token,
        )
    )


@api.get(_TEMPLATE, permission=NOTICE_BATCH.view, summary="The template of letters")
def get_notice_template(county_id: str) -> Response[NoticeTemplate]:
    """The county's own, or the platform's, with the fields that a template may use."""
    template = templates.find(county_id)
    return answer(template, version=template.version)


@api.put(_TEMPLATE, permission=Permission.MANAGE_COUNTY, summary="Replace the template of letters")
def replace_notice_template(county_id: str, body: NoticeTemplateRequest) -> Response[NoticeTemplate]:
    """A typst text that defines `letter(notice)`; null returns to the platform's. Needs If-Match.

    It is typeset with hostile data first: an unknown field, a file, a package or an error of typst's is refused with
    its line.
    """
    with faults_in_body():
        template = templates.replace(county_id, body, expected_version=api.required_version(), caller=api.caller)
    return answer(template, version=template.version)
