"""State of a run between the tasks of its machine."""

from datetime import date, datetime
from uuid import UUID

from functions.sync.schemas.runs import RejectedFilter, RunMode, RunStatus
from shared.contracts.sync_run import GuardFinding, ReadBy, TableCounts
from shared.schemas import Schema


class TablePlan(Schema):
    """Plan of reading one table.

    `reads`: digest of the table or query and its key. `since`: the watermark or change tracking version at which an
    incremental reading begins. `watermark` and `change_version`: the source's before any row was read, at which the
    next incremental run begins once this one is applied. `whole_run`: the last applied run that read the whole table;
    while `digests_hold`, a partition with the digest that it had in that run is skipped.
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
    """A run as the states of its machine read it. `closed_rolls`: rows that it changes of closed rolls, by year."""

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
    upload_id: UUID | None = None
    rolls_back: UUID | None = None
    rolled_back_by: UUID | None = None
    skip_conflicts: bool = False

    @property
    def reads_source(self) -> bool:
        """True for a sync with the county's source, a replay included."""
        return self.upload_id is None and self.rolls_back is None

    @property
    def today(self) -> date:
        """The day by which years and dates are checked: that of the plan, however long the run takes."""
        if self.planned_at is None:
            raise LookupError(f"run {self.run_id} has not been planned")
        return self.planned_at.date()


class Watermark(Schema):
    """Position up to which a table has been read, with the mapping of that digest."""

    table_name: str
    mapping_digest: str
    watermark: str | None
    change_version: int | None
