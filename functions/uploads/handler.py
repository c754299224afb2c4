"""Routes of uploads. Those of an upload's run (confirm, changes, approve, reject, roll back) are the sync's."""

from typing import Annotated
from uuid import UUID

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.uploads.job_kinds import INSPECTION
from functions.uploads.schemas import InspectionRequest, NewUpload, UploadRequest
from functions.uploads.service import intake
from shared.access import Permission
from shared.api import Api, Operation, accepted, answer, declare_job_routes
from shared.api.paging import PageSize
from shared.jobs import Job
from shared.mapping.targets import TargetName
from shared.paging import Page
from shared.uploads.schemas import Upload, UploadStatus, UploadSummary

api = Api("uploads")
handler = api.handler

_UPLOADS = "/v1/counties/{county_id}/uploads"


@api.post(_UPLOADS, permission=Permission.UPLOAD_FILE, summary="Announce a file", status=201)
def create_upload(county_id: str, request: UploadRequest) -> Response[NewUpload]:
    """An upload, with the address to which its file is sent by PUT: once, within 15 minutes, with the size and the
    content that were announced. Then its inspection is asked for.
    """
    upload = intake.create(county_id, request, caller=api.caller, idempotency_key=api.idempotency_key)
    return answer(upload, 201, location=upload.links["self"])


@api.get(_UPLOADS, permission=Permission.VIEW_UPLOADS, summary="Uploads, the newest first")
def list_uploads(
    county_id: str,
    status: Annotated[UploadStatus | None, Query()] = None,
    created_by: Annotated[str | None, Query(max_length=200)] = None,
    target_table: Annotated[TargetName | None, Query()] = None,
    page_size: PageSize = 50,
    page_token: Annotated[str | None, Query()] = None,
) -> Response[Page[UploadSummary]]:
    """The files that people brought, with what became of them."""
    return answer(
        intake.page(
            county_id,
            status=status,
            created_by=created_by,
            target_table=target_table,
            page_size=page_size,
            page_token=page_token,
        )
    )


@api.get(_UPLOADS + "/{upload_id}", permission=Permission.VIEW_UPLOADS, summary="One upload")
def get_upload(county_id: str, upload_id: UUID) -> Response[Upload]:
    """The upload: its file as it was inspected, the mapping proposed for it with reasons, its run, and the decision."""
    return answer(intake.find(county_id, upload_id))


@api.post(INSPECTION.collection_path, permission=INSPECTION.run, summary="Inspect a file that was sent", status=202)
def inspect_upload(county_id: str, request: InspectionRequest) -> Response[Job]:
    """A job reads the file: its format, columns and rows, and which mapping fits. 409 before the file is there."""
    return accepted(intake.start_inspection(county_id, request, api.caller))


declare_job_routes(
    api,
    INSPECTION,
    get=Operation("get_upload_inspection", "An inspection's progress", "The job that inspects an upload."),
)
