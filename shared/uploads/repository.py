"""SQL of uploads, for their intake and for the runs that apply them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, select, tuple_, update
from sqlalchemy.orm import aliased

from shared.db.models import Job, SyncRun, Upload

UploadRow = Row[*tuple[Any, ...]]

_inspection, _run_job = aliased(Job), aliased(Job)
"""The job that inspects an upload, which has its id, and the one of its run."""

_STATUS = case(
    (Upload.status.in_(("rejected", "refused")), Upload.status),
    (SyncRun.rolled_back_by.is_not(None), "rolled_back"),
    (SyncRun.applied_at.is_not(None), "applied"),
    (_run_job.status == "succeeded", "unchanged"),
    (_run_job.status == "awaiting_approval", "awaiting_approval"),
    (_run_job.status.in_(("failed", "cancelled")), "failed"),
    (SyncRun.approved_by.is_not(None), "applying"),
    (SyncRun.run_id.is_not(None), "comparing"),
    (Upload.status == "inspected", "awaiting_confirmation"),
    (_inspection.status.in_(("failed", "cancelled")), "failed"),
    (_inspection.status.is_not(None), "inspecting"),
    else_="awaiting_file",
)
"""The status of an upload: of its file as it is stored, and of its inspection and its run as their jobs say."""

_SHOWN = (
    Upload.upload_id, Upload.filename, Upload.size_bytes, Upload.sha256, Upload.target_table, Upload.created_by,
    Upload.created_at, Upload.run_id, SyncRun.counts, _STATUS.label("status"),
)  # fmt: skip
_WHOLE = (
    *_SHOWN, Upload.details, Upload.mapping, Upload.confirmed_by, Upload.confirmed_at, Upload.decided_by,
    Upload.decided_at, Upload.decision_reason, Upload.object_key, Upload.description, Upload.request_digest,
    Upload.status.label("file_status"), SyncRun.guard_findings, _inspection.error.label("inspection_error"),
    _run_job.error.label("run_error"),
)  # fmt: skip


def find(connection: Connection, county_id: str, upload_id: UUID, *, for_update: bool = False) -> UploadRow | None:
    """An upload with its status; with `for_update` locked until the transaction ends."""
    if for_update:
        lock = select(Upload.upload_id).where(*_at(county_id, upload_id)).with_for_update()
        connection.execute(lock)
    return connection.execute(_selected(county_id, _WHOLE).where(Upload.upload_id == upload_id)).one_or_none()


def page(
    connection: Connection,
    county_id: str,
    *,
    status: str | None,
    created_by: str | None,
    target_table: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[UploadRow]:
    """A page of uploads, the newest first; `before`: creation time and id of the last one of the previous page."""
    statement = _selected(county_id, _SHOWN).order_by(Upload.created_at.desc(), Upload.upload_id.desc()).limit(limit)
    filters = ((_STATUS, status), (Upload.created_by, created_by), (Upload.target_table, target_table))
    statement = statement.where(*(column == value for column, value in filters if value is not None))
    if before is not None:
        statement = statement.where(tuple_(Upload.created_at, Upload.upload_id) < tuple_(*before))
    return list(connection.execute(statement))


def set_upload(connection: Connection, county_id: str, upload_id: UUID, **values: Any) -> None:
    """Set columns of an upload."""
    connection.execute(update(Upload).where(*_at(county_id, upload_id)).values(**values))


def same_content(connection: Connection, county_id: str, upload_id: UUID, sha256: str) -> UUID | None:
    """The first other upload whose file was inspected and has this content."""
    return connection.scalar(
        select(Upload.upload_id)
        .where(Upload.county_id == county_id, Upload.sha256 == sha256, Upload.upload_id != upload_id)
        .where(Upload.signature.is_not(None))
        .order_by(Upload.created_at)
        .limit(1)
    )


def remembered_mapping(
    connection: Connection, county_id: str, signature: str, target_table: str | None
) -> UploadRow | None:
    """The mapping (`upload_id`, `mapping`, `target_table`) that was confirmed last for a file of this signature."""
    statement = select(Upload.upload_id, Upload.mapping, Upload.target_table).where(
        Upload.county_id == county_id, Upload.signature == signature, Upload.confirmed_at.is_not(None)
    )
    if target_table is not None:
        statement = statement.where(Upload.target_table == target_table)
    return connection.execute(statement.order_by(Upload.confirmed_at.desc()).limit(1)).one_or_none()


def _selected(county_id: str, columns: tuple[Any, ...]) -> Select[Any]:
    own = Upload.county_id == county_id
    return (
        select(*columns)
        .outerjoin(
            _inspection,
            and_(_inspection.county_id == county_id, _inspection.job_id == Upload.upload_id),
        )
        .outerjoin(SyncRun, and_(SyncRun.county_id == county_id, SyncRun.run_id == Upload.run_id))
        .outerjoin(_run_job, and_(_run_job.county_id == county_id, _run_job.job_id == Upload.run_id))
        .where(own)
    )


def _at(county_id: str, upload_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Upload.county_id == county_id, Upload.upload_id == upload_id
