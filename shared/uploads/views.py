"""Uploads as the API shows them, from their records."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from shared.db import unit_of_work
from shared.db.tenancy import require_onboarded
from shared.jobs.schemas import JobError
from shared.problems import NotFound
from shared.uploads import repository
from shared.uploads.repository import UploadRow
from shared.uploads.schemas import Inspection, Upload, UploadCounts, UploadSummary


def get(county_id: str, upload_id: UUID) -> Upload:
    """An upload. Raises NotFound."""
    with unit_of_work(county_id) as connection:
        return to_upload(county_id, require_upload(connection, county_id, upload_id))


def require_upload(connection: Connection, county_id: str, upload_id: UUID, *, for_update: bool = False) -> UploadRow:
    """The record of an upload; with `for_update` locked until the transaction ends. Raises NotFound."""
    row = repository.find(connection, county_id, upload_id, for_update=for_update)
    if row is None:
        require_onboarded(connection, county_id)
        raise NotFound(f"{county_id} has no upload {upload_id}.", slug="upload-not-found")
    return row


def to_summary(county_id: str, row: UploadRow) -> UploadSummary:
    """The record of an upload as lists show it."""
    return UploadSummary(**_summary(county_id, row))


def to_upload(county_id: str, row: UploadRow) -> Upload:
    """The record of an upload as a whole."""
    error = row.details.get("error") or row.run_error or row.inspection_error
    inspection = row.details.get("inspection")
    return Upload(
        **_summary(county_id, row),
        inspection=Inspection.model_validate(inspection) if inspection else None,
        mapping=row.mapping,
        confirmed_by=row.confirmed_by,
        confirmed_at=row.confirmed_at,
        guard_findings=row.guard_findings or [],
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        decision_reason=row.decision_reason,
        error=JobError.model_validate(error) if error else None,
    )


def _summary(county_id: str, row: UploadRow) -> dict[str, Any]:
    own = f"/v1/counties/{county_id}/uploads/{row.upload_id}"
    links = {"self": own}
    if row.run_id is not None:
        run = f"/v1/counties/{county_id}/sync-runs/{row.run_id}"
        links |= {"changes": f"{own}/changes", "run": run, "rejected_rows": f"{run}/rejected-rows"}
    return {
        "id": row.upload_id,
        "filename": row.filename,
        "size_bytes": row.size_bytes or 0,
        "sha256": row.sha256 or "",
        "target_table": row.target_table,
        "status": row.status,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "run_id": row.run_id,
        "counts": _counts((row.counts or {}).get("tables") or {}),
        "links": links,
    }


def _counts(tables: dict[str, dict[str, Any]]) -> UploadCounts | None:
    """The counts of the one table that an upload fills; None before it is compared."""
    for counts in tables.values():
        read, rejected = counts["read"], counts["rejected"]
        added, changed = counts["added"], counts["changed"]
        unchanged = max(0, read - rejected - added - changed)
        return UploadCounts(rows=read, added=added, changed=changed, unchanged=unchanged, rejected=rejected)
    return None
