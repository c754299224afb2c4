"""State of a run between the tasks of its machine."""

from datetime import date, datetime
from uuid import UUID

from functions.sync.schemas import GuardFinding, ReadBy, RejectedFilter, RunMode, RunStatus, TableCounts
from shared.schemas import Schema


class TablePlan(Schema):
    """How a run reads one table.

    `reads` tells one table or query and its key from another. `since` is where the reading begins: a watermark, or a
    change tracking version. `watermark` and `change_version` are the source's as they were before a row was read:
    where the next incremental run begins once this one is applied. `whole_run` is the last applied run that read the
    whole table; `digests_hold` says whether a partition with its digest can be passed over.
    """

    columns: dict[str, str]
    reads: str
    mapping_digest: str
    read_by: ReadBy
    rows: int = 0
    since: str | None = None
    watermark: str | None = None
    change_version: int | None = None
    whole_run: UUID | None = None
    digests_hold: bool = False


class RunState(Schema):
    """A run as the tasks need it. `closed_rolls`: rows that it was found to change of closed rolls, by year."""

    county_id: str
    run_id: UUID
    status: RunStatus
    mode: RunMode
    validate_only: bool
    trigger: str
    submitted_by: str
    mapping_digest: str | None
    plan: dict[str, TablePlan]
    tables: dict[str, TableCounts]
    base_run: UUID | None
    replay_of: UUID | None
    replay_filter: RejectedFilter | None
    approved_by: str | None
    approval_reason: str | None
    closed_rolls: dict[int, int]
    guard_findings: list[GuardFinding]
    planned_at: datetime | None
    applied_at: datetime | None
    published_at: datetime | None

    @property
    def today(self) -> date:
        """The day by which years and dates are judged: that of the plan, however long the run takes."""
        if self.planned_at is None:
            raise LookupError(f"run {self.run_id} has not been planned")
        return self.planned_at.date()


class Watermark(Schema):
    """How far a table has been read, by the mapping of that digest."""

    table_name: str
    mapping_digest: str
    watermark: str | None
    change_version: int | None
