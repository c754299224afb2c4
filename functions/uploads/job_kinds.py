"""The kind of job that inspects an upload. Its id is the upload's."""

from functions.uploads.schemas import InspectionRequest
from shared.access import Permission
from shared.jobs import JobKind, NoResults

INSPECTION = JobKind(
    "upload_inspection",
    collection="upload-inspections",
    id_parameter="upload_id",
    request=InspectionRequest,
    results=NoResults,
    run=Permission.UPLOAD_FILE,
    view=Permission.VIEW_UPLOADS,
    linked=(),
)
