"""Who made versions of synced rows: runs and approvals by their ids, edits by what they decided."""

from collections.abc import Collection
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Connection, Row, or_, select

from functions.properties.schemas.parcels import VersionAuthor
from shared.db.models import Appeal, FieldOverride, Job, SyncedModel, SyncRun, ValuationApproval


def of_runs(connection: Connection, county_id: str, ids: Collection[UUID]) -> dict[UUID, VersionAuthor]:
    """The sync runs, approvals, withdrawals of approvals, and appeals among these ids."""
    if not ids:
        return {}
    runs = connection.execute(
        select(SyncRun.run_id, SyncRun.approved_by, Job.submitted_by, SyncRun.upload_id, SyncRun.rolls_back)
        .join(Job, (Job.county_id == SyncRun.county_id) & (Job.job_id == SyncRun.run_id))
        .where(SyncRun.county_id == county_id, SyncRun.run_id.in_(ids))
    )
    authors = {
        row.run_id: VersionAuthor(kind=_kind(row), by=row.approved_by or row.submitted_by, sync_run_id=row.run_id)
        for row in runs
    }
    approvals = connection.execute(
        select(
            ValuationApproval.approval_id,
            ValuationApproval.run_id,
            ValuationApproval.approved_by,
            ValuationApproval.undo_id,
            ValuationApproval.undone_by,
        ).where(
            ValuationApproval.county_id == county_id,
            or_(ValuationApproval.approval_id.in_(ids), ValuationApproval.undo_id.in_(ids)),
        )
    )
    for row in approvals:
        of_approval: dict[str, Any] = {"valuation_run_id": row.run_id, "approval_id": row.approval_id}
        authors[row.approval_id] = VersionAuthor(kind="approval", by=row.approved_by, **of_approval)
        if row.undo_id is not None:
            authors[row.undo_id] = VersionAuthor(kind="approval_undone", by=row.undone_by, **of_approval)
    appeals = connection.execute(
        select(Appeal.appeal_id, Appeal.decided_by).where(Appeal.county_id == county_id, Appeal.appeal_id.in_(ids))
    )
    for appeal in appeals:
        authors[appeal.appeal_id] = VersionAuthor(kind="appeal", by=appeal.decided_by, appeal_id=appeal.appeal_id)
    return authors


def of_edits(
    connection: Connection, county_id: str, model: SyncedModel, keys: Collection[str]
) -> dict[tuple[str, int], str]:
    """Who edited rows, by key and the version that the edit made."""
    rows = connection.execute(
        select(FieldOverride.row_key, FieldOverride.version, FieldOverride.made_by)
        .distinct()
        .where(
            FieldOverride.county_id == county_id,
            FieldOverride.table_name == model.__tablename__,
            FieldOverride.row_key.in_(keys),
            FieldOverride.origin == "edit",
        )
    )
    return {(row.row_key, row.version): row.made_by for row in rows}


def _kind(run: Row[*tuple[Any, ...]]) -> Literal["sync", "upload", "roll_back"]:
    if run.upload_id is not None:
        return "upload"
    return "sync" if run.rolls_back is None else "roll_back"
