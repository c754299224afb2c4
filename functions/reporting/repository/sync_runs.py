"""SQL of sync runs."""

from uuid import UUID

from sqlalchemy import Connection, text

from functions.reporting.domain.sync_audit import FindingCount, RejectCount, SyncAuditRecord, totals_of
from shared.contracts.sync_run import GuardFinding, TableCounts

_RUN = text(
    "SELECT r.run_id, j.status, r.mode, r.trigger, r.validate_only, j.submitted_by, j.created_at, j.started_at,"
    " j.finished_at, r.planned_at, r.reconciled_at, r.applied_at, r.published_at, r.approved_by, r.approval_reason,"
    " r.mapping_digest, j.error ->> 'detail' AS error, r.counts -> 'tables' AS tables, r.guard_findings,"
    " (SELECT count(*) FROM sync_partitions p WHERE p.county_id = r.county_id AND p.run_id = r.run_id) AS partitions,"
    " (SELECT count(*) FROM sync_partitions p WHERE p.county_id = r.county_id AND p.run_id = r.run_id AND p.unchanged)"
    " AS partitions_unchanged"
    " FROM sync_runs r JOIN jobs j ON j.county_id = r.county_id AND j.job_id = r.run_id"
    " WHERE r.county_id = :county_id AND r.run_id = :run_id"
)
_REJECTS = text(
    "SELECT table_name AS table, reason ->> 'rule' AS rule, coalesce(reason ->> 'field', '') AS field,"
    " count(*) AS rows, count(*) FILTER (WHERE resolution IS NULL) AS open_rows"
    " FROM rejected_rows, jsonb_array_elements(reasons) AS reason"
    " WHERE county_id = :county_id AND run_id = :run_id GROUP BY 1, 2, 3 ORDER BY 1, 4 DESC, 2, 3"
)
_FINDINGS = text(
    "SELECT kind, table_name AS table, count(*) AS findings FROM sync_findings"
    " WHERE county_id = :county_id AND run_id = :run_id GROUP BY 1, 2 ORDER BY 1, 2"
)


def sync_run(connection: Connection, county_id: str, run_id: UUID) -> SyncAuditRecord | None:
    """A run with its counts; None where the county has no such run."""
    keys = {"county_id": county_id, "run_id": run_id}
    row = connection.execute(_RUN, keys).mappings().one_or_none()
    if row is None:
        return None
    run = dict(row)
    stored, guards = run.pop("tables") or {}, run.pop("guard_findings") or []
    tables = {name: TableCounts.model_validate(counts, extra="ignore") for name, counts in stored.items()}
    rejects, findings = connection.execute(_REJECTS, keys), connection.execute(_FINDINGS, keys)
    return SyncAuditRecord(
        **run,
        tables=tables,
        totals=totals_of(tables),
        guards=tuple(GuardFinding.model_validate(guard, extra="ignore") for guard in guards),
        rejects=tuple(RejectCount.model_validate(dict(found)) for found in rejects.mappings()),
        findings=tuple(FindingCount.model_validate(dict(found)) for found in findings.mappings()),
    )
