"""Uploads as the API shows them, and the result of their inspection."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from shared.counties.source_description import FileFormat
from shared.jobs.schemas import JobError
from shared.schemas import Schema

UploadStatus = Literal[
    "awaiting_file",
    "inspecting",
    "refused",
    "awaiting_confirmation",
    "comparing",
    "awaiting_approval",
    "applying",
    "applied",
    "unchanged",
    "rejected",
    "rolled_back",
    "failed",
]
"""`refused`: the file cannot be read, or exceeds a limit. `unchanged`: its rows are as the county has them. `failed`:
the inspection or the comparison ended without a result, and can be asked for again."""


class ProposedField(Schema):
    """A column of the file with the field that it is proposed to fill, and the reason; neither where none is known."""

    source: str
    target: str | None
    reason: str


class Inspection(Schema):
    """Content of a file, and the mapping proposed for it.

    `mapping` is the proposal, or that of `remembered_from`, an earlier upload with the same columns. `notes` are what a
    person should know before he confirms. `same_content_as` is the first upload of the same content. `rows` is unknown
    of a geographic file, which is converted when it is compared.
    """

    format: FileFormat
    columns: dict[str, str]
    rows: int | None
    sample: list[dict[str, str | None]]
    target_table: str | None
    fields: list[ProposedField]
    mapping: str | None
    remembered_from: UUID | None
    same_content_as: UUID | None
    notes: list[str]


class UploadCounts(Schema):
    """Rows of an upload by what its comparison found; `rejected` ones are in the quarantine of its run."""

    rows: int
    added: int
    changed: int
    unchanged: int
    rejected: int


class UploadSummary(Schema):
    """An upload in a list. `run_id` is the sync run that compares and applies it."""

    id: UUID
    filename: str
    size_bytes: int
    sha256: str
    target_table: str | None
    status: UploadStatus
    created_by: str
    created_at: datetime
    run_id: UUID | None
    counts: UploadCounts | None
    links: dict[str, str]


class Upload(UploadSummary):
    """An upload: its file, what was found in it, the mapping that was confirmed, and the decision about it.

    `error` says why it was refused or failed.
    """

    inspection: Inspection | None
    mapping: str | None
    confirmed_by: str | None
    confirmed_at: datetime | None
    guard_findings: list[dict[str, Any]]
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str | None
    error: JobError | None
