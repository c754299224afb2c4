"""Receiving files: announced, sent to a signed address of S3, then inspected by a job."""

from datetime import datetime
from pathlib import PurePath
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.uploads.job_kinds import INSPECTION
from functions.uploads.repository import intake
from functions.uploads.schemas import InspectionRequest, NewUpload, UploadRequest
from shared import audit, jobs, storage
from shared.access import Caller
from shared.counties.configuration import CountyConfiguration, FileIngestionSettings
from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs import Job
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.paging import Page, decode_token, encode_token
from shared.problems import Conflict, NotFound, Unprocessable
from shared.uploads import repository
from shared.uploads.schemas import Upload, UploadStatus, UploadSummary
from shared.uploads.sending import address_to_send
from shared.uploads.source_tables import UPLOADS
from shared.uploads.views import get, require_upload, to_summary, to_upload

MAX_PAGE = 500
"""Uploads of a page at most. A choice: some hundred kilobytes."""
_MEGABYTE = 1 << 20


def create(county_id: str, request: UploadRequest, *, caller: Caller, idempotency_key: str | None) -> NewUpload:
    """Record an upload, and sign the address that takes its file.

    The same request with the same key gives the upload that it made before, with a new address. Raises NotFound,
    Unprocessable for a file beyond the county's limits.
    """
    upload_id = deterministic_id(county_id, INSPECTION.name, caller, idempotency_key)
    key = storage.county_key(county_id, UPLOADS, _stored_name(upload_id, request.filename))
    request_digest = digest(request)
    with unit_of_work(county_id) as connection:
        limits = file_limits(connection, county_id)
        _require_within(limits, request)
        added = intake.add(
            connection,
            county_id,
            upload_id,
            filename=request.filename,
            object_key=key,
            status="announced",
            created_by=caller.username,
            size_bytes=request.size_bytes,
            sha256=request.sha256,
            target_table=request.target_table,
            request_digest=request_digest,
            description=_described(request, key),
        )
        row = require_upload(connection, county_id, upload_id)
        if added:
            details = {"filename": request.filename, "size_bytes": request.size_bytes, "sha256": request.sha256}
            audit.record(connection, county_id, caller.username, "upload.created", f"uploads/{upload_id}", details)
        else:
            refuse_reused_key(row.request_digest, request_digest)
        same = repository.same_content(connection, county_id, upload_id, request.sha256)
    send = address_to_send(key, request.size_bytes, request.sha256)
    return NewUpload(**dict(to_upload(county_id, row)), send=send, same_content_as=same)


def page(
    county_id: str,
    *,
    status: UploadStatus | None,
    created_by: str | None,
    target_table: str | None,
    page_size: int,
    page_token: str | None,
) -> Page[UploadSummary]:
    """A page of the county's uploads, the newest first. Raises NotFound, BadRequest for a token of another query."""
    query = ["uploads", county_id, status, created_by, target_table]
    size = min(page_size, MAX_PAGE)
    with unit_of_work(county_id) as connection:
        require_onboarded(connection, county_id)
        before = decode_token(query, page_token, datetime.fromisoformat, UUID)
        rows = repository.page(
            connection,
            county_id,
            status=status,
            created_by=created_by,
            target_table=target_table,
            before=(before[0], before[1]) if before else None,
            limit=size + 1,
        )
    items = [to_summary(county_id, row) for row in rows[:size]]
    last = [items[-1].created_at.isoformat(), str(items[-1].id)] if len(rows) > size else None
    return Page[UploadSummary](items=items, next_page_token=encode_token(query, last) if last else None)


def find(county_id: str, upload_id: UUID) -> Upload:
    """An upload; one whose inspection nobody works on any more is failed. Raises NotFound."""
    upload = get(county_id, upload_id)
    if upload.status == "inspecting":
        jobs.get(county_id, INSPECTION, upload_id)
        return get(county_id, upload_id)
    return upload


def start_inspection(county_id: str, request: InspectionRequest, caller: Caller) -> Job:
    """Start the inspection of a file that was sent; one that was asked for before is answered as it is.

    Raises NotFound, Conflict where the file is not there yet, or was inspected.
    """
    upload_id = request.upload_id
    upload = get(county_id, upload_id)
    if upload.status == "inspecting" or (upload.status == "failed" and upload.inspection is None):
        return jobs.get(county_id, INSPECTION, upload_id)
    if upload.status != "awaiting_file":
        raise Conflict(f"The upload is {upload.status}: its file was inspected.", slug="upload-inspected")
    with unit_of_work(county_id) as connection:
        key = require_upload(connection, county_id, upload_id).object_key
    try:
        storage.find(key)
    except NotFound:
        raise Conflict("The file is not there yet: send it to its address first.", slug="file-not-sent") from None
    return jobs.submit(county_id, INSPECTION, request, caller=caller, job_id=upload_id)


def file_limits(connection: Connection, county_id: str) -> FileIngestionSettings:
    """The county's limits of files. Raises NotFound for a county that is not onboarded."""
    configuration = intake.configuration(connection, county_id)
    if configuration is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    return CountyConfiguration.model_validate(configuration).plugin_settings.file_ingestion


def _require_within(limits: FileIngestionSettings, request: UploadRequest) -> None:
    if request.size_bytes > limits.max_megabytes * _MEGABYTE:
        raise Unprocessable(
            f"The file has {request.size_bytes / _MEGABYTE:,.0f} MB; the county takes {limits.max_megabytes:,}.",
            pointer="/body/size_bytes",
            slug="file-too-large",
        )
    if request.description is not None and request.description.format not in limits.formats:
        raise Unprocessable(
            f"The county takes no files of the format {request.description.format}; it takes:"
            f" {', '.join(limits.formats)}.",
            pointer="/body/description/format",
            slug="file-format-not-taken",
        )


def _stored_name(upload_id: UUID, filename: str) -> str:
    """The name of the object: the upload's id, with the ending of the file where it is a plain one."""
    ending = PurePath(filename).suffix.lower()
    return f"{upload_id}{ending if ending[1:].isalnum() and ending.isascii() else ''}"


def _described(request: UploadRequest, key: str) -> dict[str, Any] | None:
    if request.description is None:
        return None
    return {**request.description.model_dump(mode="json"), "file": key.rpartition("/")[2]}
