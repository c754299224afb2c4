"""The kind of job of batches of notices."""

from functions.notices.schemas import NoticeBatchRequest, NoticeBatchResults
from shared.access import Permission
from shared.jobs import JobKind

NOTICE_BATCH = JobKind(
    "notice_batch",
    collection="notice-batches",
    id_parameter="batch_id",
    request=NoticeBatchRequest,
    results=NoticeBatchResults,
    run=Permission.RUN_REPORT,
    view=Permission.VIEW_REPORT,
    linked=("results", "download", "files"),
)
