"""The kind of job of syncs. The sync machine runs it, and its life cycle is the module's own."""

from functions.sync.schemas.runs import SyncRequest
from shared.access import Permission
from shared.jobs import JobKind, NoResults

SYNC = JobKind(
    "sync",
    collection="sync-runs",
    id_parameter="run_id",
    request=SyncRequest,
    results=NoResults,
    run=Permission.RUN_SYNC,
    view=Permission.VIEW_SYNC,
    linked=("changes", "rejected-rows"),
)
