"""The kind of job of write-backs."""

from functions.write_back.schemas import WriteBackRequest, WriteBackResults
from shared.access import Permission
from shared.jobs import JobKind

WRITE_BACK = JobKind(
    "write_back",
    collection="write-backs",
    id_parameter="write_back_id",
    request=WriteBackRequest,
    results=WriteBackResults,
    run=Permission.APPROVE_VALUATION,
    view=Permission.VIEW_VALUATION,
    linked=("results", "rows", "download"),
)
