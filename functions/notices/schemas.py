"""Requests and answers of notices of value."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from shared.jobs.download import StoredFile
from shared.schemas import RequestSchema, Schema

MAX_AREAS = 500
MAX_PROPERTIES = 1000
MAX_TEMPLATE = 100_000
"""Characters of a template: the platform's own has 4,000; a logo as SVG has room."""

NoticeStatus = Literal["prepared", "sent", "held_back", "superseded"]
AreaKind = Literal["neighborhood", "tax_district"]
HoldReason = Literal["no_owner", "name_missing", "confidential_owner", "street_missing", "city_missing", "zip_missing"]
SkipReason = Literal[
    "retired", "without_value", "unchanged", "split_only", "already_noticed", "changed_since_notice", "in_another_batch"
]
"""`changed_since_notice`: noticed, and its value is another one by now; a batch with `supersede` notices it anew.
`in_another_batch`: prepared in a batch that has not ended."""
Area = Annotated[str, StringConstraints(min_length=1, max_length=200)]
PropertyId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
RollYear = Annotated[int, Field(ge=1900, le=2200)]


class NoticeBatchRequest(RequestSchema):
    """A batch: a notice for each property whose total value differs between the roll and the one before it.

    `area` makes files of one area each, and `areas` leaves out all others; `property_ids` leaves out all but these.
    With `supersede` a property that was noticed, and has another value by now, is noticed anew; without, it is not.
    """

    roll_year: RollYear
    mailed_on: date
    area: AreaKind | None = None
    areas: Annotated[list[Area], Field(min_length=1, max_length=MAX_AREAS)] | None = None
    property_ids: Annotated[list[PropertyId], Field(min_length=1, max_length=MAX_PROPERTIES)] | None = None
    supersede: bool = False


class LetterFile(Schema):
    """A file of letters, in the order of mailing."""

    file_no: int
    filename: str
    area: str | None
    letters: int
    size_bytes: int


class LetterFilePart(Schema):
    """A file of letters as a part of its job: its number, its letters, and the version of the template."""

    file_no: int
    letters: int
    template_version: int


class NoticeBatchResults(Schema):
    """The outcome of a batch: letters by file, the print shop's list, and the counts of what has no letter."""

    roll_year: int
    previous_year: int
    mailed_on: date
    deadline: date
    template_version: int
    letters: int
    superseded: int
    held_back: dict[HoldReason, int]
    skipped: dict[SkipReason, int]
    files: list[LetterFile]
    file: StoredFile


class ListedNotice(Schema):
    """A notice in a list. `reasons` say why it is held back; then it has no letter.

    Of a property with a confidential owner the recipient is shown to who may edit properties, and not even kept where
    the letter was held back for that.

    `replaces` and `superseded_by` lead to the notice before and after. `file_no`, `letter_no` and `page_no` say where
    the letter is.
    """

    notice_id: UUID
    batch_id: UUID
    roll_year: int
    property_id: str
    parcel_number: str | None
    status: NoticeStatus
    reasons: list[HoldReason]
    old_land_value: Decimal | None
    old_improvement_value: Decimal | None
    old_total_value: Decimal | None
    new_land_value: Decimal | None
    new_improvement_value: Decimal | None
    new_total_value: Decimal | None
    mailed_on: date
    deadline: date
    area: str | None
    recipient: str | None
    replaces: UUID | None
    superseded_by: UUID | None
    file_no: int | None
    letter_no: int | None
    page_no: int | None
    made_at: datetime


class TemplateField(Schema):
    """A field that a template may use, as `notice.NAME`."""

    name: str
    description: str


class NoticeTemplate(Schema):
    """The template of the county's letters: a typst text that defines `letter(notice)`.

    `version` 0, and `is_default`, is the platform's; `fields` are all that a template may use.
    """

    template: str
    is_default: bool
    version: int
    made_by: str | None
    made_at: datetime | None
    fields: list[TemplateField]


class NoticeTemplateRequest(RequestSchema):
    """A county's own template, or null for a return to the platform's."""

    template: Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEMPLATE)] | None
