"""The sync audit: one run's counts, guards, rejects and changes by field, and who approved it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from functions.reporting.domain import phrases
from functions.reporting.domain.contents import (
    Column,
    Contents,
    DataTable,
    Kind,
    Pairs,
    Prose,
    Section,
    Statement,
    Statements,
)
from functions.reporting.domain.heading import Heading
from functions.reporting.domain.sync_audit import COUNTS, SyncAuditRecord
from functions.reporting.reports.report_type import Report, ReportType
from functions.reporting.repository import sync_runs
from shared.db import unit_of_work
from shared.jobs.schemas import FINISHED
from shared.problems import Conflict, Unprocessable
from shared.schemas import RequestSchema
from shared.typesetting import display


class SyncAuditParameters(RequestSchema):
    """`sync_run_id`: a sync run of the county that has ended, or that waits for approval."""

    sync_run_id: UUID


class SyncAudit(ReportType[SyncAuditParameters]):
    """The report of a sync run."""

    title = "Sync Audit"
    parameters = SyncAuditParameters

    def check(self, county_id: str, parameters: SyncAuditParameters) -> None:
        """Require a run that has ended or waits for approval."""
        _read(county_id, parameters.sync_run_id)

    def build(self, heading: Heading, parameters: SyncAuditParameters) -> Report:
        """Read the run and lay it out."""
        return audit_report(_read(heading.county_id, parameters.sync_run_id))


REPORT_TYPE = SyncAudit()


def _read(county_id: str, run_id: UUID) -> SyncAuditRecord:
    with unit_of_work(county_id) as connection:
        run = sync_runs.sync_run(connection, county_id, run_id)
    if run is None:
        raise Unprocessable(f"{county_id} has no sync run {run_id}.", pointer="/sync_run_id", slug="sync-run-not-found")
    if run.status not in (*FINISHED, "awaiting_approval"):
        raise Conflict(f"Sync run {run_id} is {run.status}: audit it when it has ended.", slug="sync-run-under-way")
    return run


def audit_report(run: SyncAuditRecord) -> Report:
    """Lay out a run; the table of data has the changes by field."""
    columns = [Column("Table", name="table_name"), Column("Field"), Column("Changed rows", Kind.COUNT, is_summed=True)]
    changes = [
        [table, field, rows]
        for table, counts in run.tables.items()
        for field, rows in sorted(counts.changed_fields.items(), key=lambda item: (-item[1], item[0]))
    ]
    table = DataTable(columns, changes)
    return Report(
        title=SyncAudit.title,
        contents=Contents(
            facts=_facts(run),
            sections=[
                Section("Summary", [Statements([Statement(text) for text in _statements(run)])]),
                Section("Run", [Pairs(_run_pairs(run))]),
                Section("Rows by table", [_counts_table(run)]),
                Section("Guards", [_guards(run)] if run.guards else [Prose("No guard was tripped.")]),
                Section("Rejected rows", [_rejects(run)] if run.rejects else [Prose("No row was rejected.")]),
                Section("Changes by field", [table] if changes else [Prose("No field of a known row changed.")]),
                Section("Findings", [_findings(run)] if run.findings else [Prose("The run has no findings.")]),
            ],
            sign_off=("Reviewed by",),
        ),
        document={"sync_run": run.model_dump(mode="json")},
        table=table,
    )


def _facts(run: SyncAuditRecord) -> list[tuple[str, str]]:
    return [
        ("Status", run.status.replace("_", " ")),
        ("Mode", run.mode.replace("_", " ")),
        ("Started by", display.name(run.submitted_by)),
        ("Approved by", display.name(run.approved_by) if run.approved_by else display.MISSING),
        ("Requested", _moment(run.created_at)),
        ("Applied", _moment(run.applied_at)),
    ]


def _statements(run: SyncAuditRecord) -> list[str]:
    totals = run.totals
    statements = [
        (f"The run read {phrases.number_of(totals['read'], 'row')} and rejected {display.count(totals['rejected'])}."),
        (
            f"It {'changed' if run.applied_at else 'would change'} {phrases.number_of(totals['changed'], 'known row')},"
            f" added {display.count(totals['added'])}, removed {display.count(totals['removed'])}, and took back"
            f" {display.count(totals['returned'])}."
        ),
        (
            f"{display.count(run.partitions_unchanged)} of {phrases.number_of(run.partitions, 'partition')}"
            f" {phrases.have(run.partitions_unchanged)} not changed since the run before."
        ),
    ]
    if run.applied_at is None:
        statements.append("Nothing of it has been applied.")
    if run.error:
        statements.append(f"It ended with an error: {display.name(run.error)}")
    return statements


def _run_pairs(run: SyncAuditRecord) -> list[tuple[str, str]]:
    return [
        ("run", str(run.run_id)),
        ("trigger", display.name(run.trigger)),
        ("only validated", "yes" if run.validate_only else "no"),
        ("planned", _moment(run.planned_at)),
        ("reconciled", _moment(run.reconciled_at)),
        ("applied", _moment(run.applied_at)),
        ("published", _moment(run.published_at)),
        ("ended", _moment(run.finished_at)),
        ("reason of the approval", display.name(run.approval_reason) if run.approval_reason else display.MISSING),
        ("digest of the mapping", display.name(run.mapping_digest) if run.mapping_digest else display.MISSING),
    ]


def _moment(time: datetime | None) -> str:
    return display.MISSING if time is None else display.moment(time)


def _counts_table(run: SyncAuditRecord) -> DataTable:
    columns = [Column("Table"), *(Column(name.capitalize(), Kind.COUNT, is_summed=True) for name in COUNTS)]
    return DataTable(columns, [[name, *(getattr(counts, c) for c in COUNTS)] for name, counts in run.tables.items()])


def _guards(run: SyncAuditRecord) -> DataTable:
    columns = [
        *(Column("Guard"), Column("Table"), Column("Field"), Column("Share", Kind.PERCENT)),
        *(Column("Limit", Kind.PERCENT), Column("What it found")),
    ]
    rows = [
        [
            *(phrases.label(guard.guard), guard.table, guard.field),
            *(None if share is None else 100 * share for share in (guard.share, guard.limit)),
            guard.detail,
        ]
        for guard in run.guards
    ]
    return DataTable(columns, rows)


def _rejects(run: SyncAuditRecord) -> DataTable:
    columns = [
        *(Column("Table"), Column("Rule"), Column("Field")),
        *(Column("Rows", Kind.COUNT), Column("Still open", Kind.COUNT)),
    ]
    rows = [[found.table, phrases.label(found.rule), found.field, found.rows, found.open_rows] for found in run.rejects]
    return DataTable(columns, rows, title="By rule and field; a row may break several")


def _findings(run: SyncAuditRecord) -> DataTable:
    columns = [Column("Finding"), Column("Table"), Column("Rows", Kind.COUNT)]
    return DataTable(columns, [[phrases.label(found.kind), found.table, found.findings] for found in run.findings])
