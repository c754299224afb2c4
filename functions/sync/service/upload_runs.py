"""Runs of uploads: compared with the county's data once their mapping is confirmed, then applied or rejected."""

from uuid import UUID

from sqlalchemy import Connection, func

from functions.sync.failure import fail_orphaned_active_run
from functions.sync.job_kinds import SYNC
from functions.sync.run_lock import add_run, release
from functions.sync.schemas.runs import (
    ChangeFilter,
    ChangeSummary,
    ConfirmUpload,
    RollBackRequest,
    RowChange,
    UploadRun,
)
from functions.sync.service import change_views, commands, roll_backs
from functions.sync.service.machine import execution_arn, start_machine
from shared import audit
from shared.access import Caller
from shared.db import unit_of_work
from shared.jobs import Job, JobError
from shared.jobs import repository as jobs
from shared.jobs.lifecycle import deterministic_id, digest, refuse_reused_key
from shared.jobs.lifecycle import read as read_job
from shared.mapping import ROW_NUMBER, CountyMapping, MappingError, parse_mapping
from shared.paging import Page
from shared.problems import Conflict, Forbidden, Unprocessable
from shared.uploads import repository, views
from shared.uploads.repository import UploadRow
from shared.uploads.schemas import Inspection, Upload
from shared.uploads.source_tables import FILE_TABLE, PARCELS_TABLE
from shared.uploads.views import require_upload

_TRIGGER = "upload"
_CONFIRMABLE = ("awaiting_confirmation", "awaiting_approval", "failed", "unchanged")
"""Statuses in which an upload can be compared, for the first time or again with another mapping or with newer data."""


def confirm(
    county_id: str, upload_id: UUID, request: ConfirmUpload, *, caller: Caller, idempotency_key: str | None
) -> Job:
    """Confirm the mapping of an upload, and start its comparison with the county's data.

    Raises NotFound, Conflict for an upload that cannot be compared and while another run is active, Unprocessable for
    a mapping that does not read this file.
    """
    run_id = deterministic_id(county_id, SYNC.name, caller, idempotency_key)
    fail_orphaned_active_run(county_id)
    with unit_of_work(county_id) as connection:
        jobs.take_turns(connection, run_id)
        existing = jobs.find(connection, county_id, SYNC.name, run_id)
        run_request = UploadRun(upload_id=upload_id)
        if existing is not None:
            refuse_reused_key(existing.request_digest, digest(run_request))
        else:
            upload = require_upload(connection, county_id, upload_id, for_update=True)
            text, target = _confirmed_mapping(county_id, upload, request.mapping)
            _drop_waiting_run(connection, county_id, upload, f"Upload {upload_id} is compared again.")
            add_run(
                connection,
                county_id,
                run_id,
                run_request,
                submitted_by=caller.username,
                trigger=_TRIGGER,
                execution_arn=execution_arn(str(run_id)),
            )
            repository.set_upload(
                connection,
                county_id,
                upload_id,
                run_id=run_id,
                mapping=text,
                target_table=target,
                confirmed_by=caller.username,
                confirmed_at=func.now(),
            )
            details = {"run_id": str(run_id), "target_table": target}
            audit.record(connection, county_id, caller.username, "upload.confirmed", _subject(upload_id), details)
    job = read_job(county_id, SYNC, run_id)
    if job.status == "pending":
        start_machine(county_id, run_id, str(run_id), trigger=_TRIGGER)
    return job


def changes(
    county_id: str, upload_id: UUID, row_filter: ChangeFilter, *, page_size: int, page_token: str | None
) -> Page[RowChange]:
    """A page of the changes that an upload makes, or made. Raises NotFound, Conflict where there are none to show."""
    run_id = _compared_run(county_id, upload_id)
    return change_views.page(county_id, run_id, row_filter, page_size=page_size, page_token=page_token)


def summary(county_id: str, upload_id: UUID) -> ChangeSummary:
    """The changes of an upload in total. Raises NotFound, Conflict where there are none to show."""
    return change_views.summary(county_id, _compared_run(county_id, upload_id))


def approve(county_id: str, upload_id: UUID, caller: Caller, reason: str | None) -> Upload:
    """Approve an upload: exactly the changes that were shown are applied.

    Raises NotFound, Forbidden for whoever uploaded it or confirmed its mapping, Conflict where it does not wait,
    another run is active, or one of its rows has changed since.
    """
    with unit_of_work(county_id) as connection:
        upload = require_upload(connection, county_id, upload_id)
    if caller.username in (upload.created_by, upload.confirmed_by):
        raise Forbidden(
            "Another person approves an upload than the one who brought it or confirmed its mapping.",
            slug="own-upload",
        )
    if upload.run_id is None or upload.file_status == "rejected":
        raise Conflict(f"The upload is {upload.status}: it does not wait for approval.", slug="not-awaiting-approval")
    commands.approve_run(county_id, upload.run_id, caller, reason, "upload.approved")
    with unit_of_work(county_id) as connection:
        _decide(connection, county_id, upload_id, caller, reason)
    return views.get(county_id, upload_id)


def reject(county_id: str, upload_id: UUID, caller: Caller, reason: str) -> Upload:
    """Reject an upload; nothing of it remains but its record. Idempotent.

    Raises NotFound, Conflict where it is applied, or about to be.
    """
    with unit_of_work(county_id) as connection:
        upload = require_upload(connection, county_id, upload_id, for_update=True)
        if upload.status in ("applied", "applying", "rolled_back"):
            raise Conflict(f"The upload is {upload.status}: roll it back instead.", slug="upload-applied")
        if upload.file_status != "rejected":
            _drop_waiting_run(connection, county_id, upload, f"Upload {upload_id} was rejected.")
            _decide(connection, county_id, upload_id, caller, reason, status="rejected")
            details = {"reason": reason}
            audit.record(
                connection,
                county_id,
                caller.username,
                "upload.rejected",
                _subject(upload_id),
                details,
                old={"status": upload.status},
                new={"status": "rejected"},
            )
    return views.get(county_id, upload_id)


def roll_back(
    county_id: str, upload_id: UUID, request: RollBackRequest, *, caller: Caller, idempotency_key: str | None
) -> Job:
    """Start the roll-back of an applied upload. Raises as `roll_backs.roll_back`."""
    with unit_of_work(county_id) as connection:
        upload = require_upload(connection, county_id, upload_id)
    if upload.run_id is None:
        raise Conflict(f"The upload is {upload.status}: there is nothing to roll back.", slug="sync-run-not-applied")
    return roll_backs.roll_back(county_id, upload.run_id, request, caller=caller, idempotency_key=idempotency_key)


def _confirmed_mapping(county_id: str, upload: UploadRow, text: str | None) -> tuple[str, str]:
    """The mapping to read an upload by, and the table that it fills.

    Raises Conflict for an upload that cannot be compared, Unprocessable for a mapping that does not read its file.
    """
    if upload.status not in _CONFIRMABLE or upload.details.get("inspection") is None:
        raise Conflict(f"The upload is {upload.status}: it cannot be compared.", slug="upload-not-confirmable")
    inspection = Inspection.model_validate(upload.details["inspection"])
    text = text or upload.mapping or inspection.mapping
    if text is None:
        raise Unprocessable(
            "No mapping could be proposed for this file: send one.", pointer="/body/mapping", slug="mapping-missing"
        )
    try:
        mapping = parse_mapping(text, partial=True)
    except MappingError as error:
        raise error.as_problem("/body/mapping") from error
    _require_of_file(county_id, mapping, inspection)
    target = mapping.table_mappings[0].target_table_name
    if upload.target_table is not None and upload.confirmed_by is None and target != upload.target_table:
        raise _unfit(f"The upload was made for {upload.target_table}, and the mapping fills {target}.")
    return text, target


def _require_of_file(county_id: str, mapping: CountyMapping, inspection: Inspection) -> None:
    """Raise Unprocessable where a mapping is not one of this county, or reads something else than the file."""
    if mapping.county_id_default != county_id:
        raise _unfit(f"The mapping is of {mapping.county_id_default}, not of {county_id}.")
    if len(mapping.table_mappings) != 1 or mapping.table_mappings[0].source_table_name != FILE_TABLE:
        raise _unfit(f"The mapping of an upload has one table mapping, with the source_table_name {FILE_TABLE}.")
    others = {lookup.source_table_name for lookup in mapping.lookups.values()} - {FILE_TABLE, PARCELS_TABLE}
    if others:
        raise _unfit(f"A lookup of an upload reads {FILE_TABLE} or {PARCELS_TABLE}.")
    missing = sorted(mapping.table_mappings[0].source_fields - {*inspection.columns, ROW_NUMBER})
    if missing:
        raise _unfit(f"The file has no column {', '.join(missing)}, which the mapping names.")


def _unfit(detail: str) -> Unprocessable:
    return Unprocessable(detail, pointer="/body/mapping", slug="mapping-unfit")


def _drop_waiting_run(connection: Connection, county_id: str, upload: UploadRow, why: str) -> None:
    """Cancel the run of an upload that has not been applied. Raises Conflict while a task has it locked."""
    if upload.run_id is None:
        return
    run = commands.lock_run(connection, county_id, upload.run_id)
    if run.applied_at is None and run.status in ("pending", "running", "awaiting_approval"):
        error = JobError(type="superseded", detail=why)
        jobs.set_status(connection, county_id, run.run_id, "cancelled", error)
        release(connection, county_id, run.run_id)


def _decide(
    connection: Connection, county_id: str, upload_id: UUID, caller: Caller, reason: str | None, **values: str
) -> None:
    repository.set_upload(
        connection,
        county_id,
        upload_id,
        decided_by=caller.username,
        decided_at=func.now(),
        decision_reason=reason,
        **values,
    )


def _compared_run(county_id: str, upload_id: UUID) -> UUID:
    with unit_of_work(county_id) as connection:
        upload = require_upload(connection, county_id, upload_id)
    run_id: UUID | None = upload.run_id
    if run_id is None:
        raise Conflict(f"The upload is {upload.status}: there are no changes to look at.", slug="no-changes-to-show")
    return run_id


def _subject(upload_id: UUID) -> str:
    return f"uploads/{upload_id}"
