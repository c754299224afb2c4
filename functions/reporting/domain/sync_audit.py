"""A sync run as its audit shows it: who, when, what it read, rejected and changed, and who approved it."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.schemas import Schema

COUNTS = ("known", "read", "rejected", "warned", "added", "changed", "removed", "returned")
"""The counts of a table that are shown."""


class RejectCount(Schema):
    """Rows in quarantine of a table by rule and field, and those of them that no later run has settled."""

    table: str
    rule: str
    field: str
    rows: int
    open_rows: int


class FindingCount(Schema):
    """Findings of a run by kind and table."""

    kind: str
    table: str
    findings: int


class SyncAuditRecord(Schema):
    """A run. `tables` are its counts by table, with the changes by field; `totals` their sums."""

    run_id: UUID
    status: str
    mode: str
    trigger: str
    validate_only: bool
    submitted_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    planned_at: datetime | None
    reconciled_at: datetime | None
    applied_at: datetime | None
    published_at: datetime | None
    approved_by: str | None
    approval_reason: str | None
    mapping_digest: str | None
    error: str | None
    partitions: int
    partitions_unchanged: int
    tables: dict[str, TableCounts]
    totals: dict[str, int]
    guards: tuple[GuardFinding, ...]
    rejects: tuple[RejectCount, ...]
    findings: tuple[FindingCount, ...]


def totals_of(tables: Mapping[str, TableCounts]) -> dict[str, int]:
    """The sums of the counts over all tables."""
    return {name: sum(getattr(counts, name) for counts in tables.values()) for name in COUNTS}
