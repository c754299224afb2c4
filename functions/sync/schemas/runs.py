"""Models of the sync API: requests, filters and answers; and the events of the bus."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from pydantic import StringConstraints

from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.counties.configuration import SyncMode
from shared.events import Event
from shared.jobs.schemas import JobError, JobStatus, Progress
from shared.mapping.targets import TargetName
from shared.rolls.totals import ClassTotals, RollTotals
from shared.schemas import CountyId, RequestSchema, Schema

RunStatus = JobStatus
"""Status of a run: that of its job."""


Change = Literal["added", "changed", "removed", "returned"]


RunMode = Literal["full", "incremental", "snapshot", "replay", "upload", "roll_back"]
"""`full` reads everything and passes over partitions whose rows are as the last applied run read them; `snapshot`
compares every row; `incremental` reads what changed since; `replay` reads what an earlier run put into quarantine;
`upload` reads a person's file; `roll_back` restores the versions before an applied run."""


Resolution = Literal["synced", "gone", "rejected_again"]
"""Resolution of a row in quarantine: a later run took it, its source no longer has it, or a later run rejected it again
and has it with its present reasons."""


RowState = Literal["open", "resolved"]


TargetTable = TargetName
"""The tables that a sync fills."""


class SyncRequest(RequestSchema):
    """A sync to start. Without a mode the county's configuration decides.

    With `validate_only` the run stops before it applies anything, and its changes wait for approval.
    """

    mode: SyncMode | None = None
    validate_only: bool = False


class RejectedFilter(RequestSchema):
    """Filter of rows in quarantine; rows match all that is given."""

    table: TargetTable | None = None
    rule: Annotated[str, StringConstraints(max_length=100)] | None = None
    field: Annotated[str, StringConstraints(max_length=200)] | None = None


class ReplayRequest(RejectedFilter):
    """Open rows in quarantine of a run to map again; without a filter all of them."""

    validate_only: bool = False


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


class UploadRun(RequestSchema):
    """A run that reads an upload. It always stops for approval."""

    upload_id: UUID


class ConfirmUpload(RequestSchema):
    """The mapping by which an upload is read; without one the mapping that its inspection proposed or remembered."""

    mapping: Annotated[str, StringConstraints(min_length=1, max_length=1_000_000)] | None = None


class RejectUpload(RequestSchema):
    """The refusal of an upload, with its reason."""

    reason: Reason


class RollBackRequest(RequestSchema):
    """The roll-back of an applied run.

    A row that has changed since, or belongs to a closed roll, stands against it: then nothing is rolled back, or with
    `skip_conflicts` the other rows. With `dry_run` the roll-back stops before anything is written, and shows its
    changes and conflicts; approved, it writes exactly these.
    """

    dry_run: bool = False
    skip_conflicts: bool = False
    reason: Reason | None = None


class ApproveSync(RequestSchema):
    """Approval of a waiting run; of one that changes a closed roll, with the reason of the correction."""

    reason: Reason | None = None


FindingKind = Literal["override_conflict", "values_disagree", "closed_roll", "later_change"]
"""`override_conflict`: the source's new value of a field, or that of an upload, supersedes another, decided value;
`values_disagree`: values of the source stand beside decided ones (those of an upload too), and land and improvements do
not add up to the total;
`closed_roll`: the row belongs to a roll that is closed, which it would correct;
`later_change`: the row stands against a roll-back, because it has changed since or belongs to a closed roll.
"""


class FindingFilter(Schema):
    """Filter of a run's findings."""

    kind: FindingKind | None = None
    table: TargetTable | None = None


class Finding(Schema):
    """A finding of a run on one row, for a person to review.

    `details` of an `override_conflict`: `decided` and `source`, the values; `source_before`, which the decision stood
    against; `decided_by`, `decided_at`, `origin` and `decision_id`. Of `values_disagree`: the three values.
    Of `closed_roll`: `roll_year`, `property_id` and `change`. Of `later_change`: the `fields` that differ by now,
    `version`, and `changed_by` (a person) or `changed_by_run` of the first change; or `closed_roll`, its year.
    """

    finding_no: int
    kind: FindingKind
    table: str
    key: str
    field: str | None
    details: dict[str, Any]


class SourceNote(Schema):
    """A difference of the source that does not stop a run: a column that is new, or has another type."""

    note: Literal["new_column", "changed_type"]
    table: str
    column: str
    detail: str


class TableProgress(Schema):
    """Progress of the partitions of one table; `finished_at` is that of the last one done."""

    finished_at: datetime | None
    partitions: int
    done: int
    unchanged: int
    rows_read: int
    rows_rejected: int


class PartitionCounts(Schema):
    """Partitions of a run, by state."""

    total: int
    done: int
    unchanged: int


class SyncRun(Schema):
    """A run: its job, and the results of the sync.

    `rows_per_second`: rate at which its partitions are read; `seconds_left`: time for the others at that rate.
    """

    id: UUID
    kind: Literal["sync"] = "sync"
    status: JobStatus
    progress: Progress
    submitted_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    error: JobError | None
    links: dict[str, str]
    mode: RunMode
    validate_only: bool
    trigger: str
    replay_of: UUID | None
    upload_id: UUID | None
    rolls_back: UUID | None
    rolled_back_by: UUID | None
    rows_per_second: float | None
    seconds_left: float | None
    partitions: PartitionCounts
    tables: dict[str, TableCounts]
    guard_findings: list[GuardFinding]
    findings: dict[FindingKind, int]
    notes: list[SourceNote]
    approved_by: str | None
    applied_at: datetime | None
    published_at: datetime | None


class FieldChange(Schema):
    """A field's value before and after, as JSON."""

    field: str
    old: Any
    new: Any


class RowChange(Schema):
    """The change of one row by a run, waiting or applied."""

    table: str
    key: str
    change: Change
    fields: list[FieldChange]


class ChangeFilter(Schema):
    """Filter of a run's changes; with `field` the rows that existed before and differ in that field."""

    table: TargetTable | None = None
    change: Change | None = None
    field: Annotated[str, StringConstraints(max_length=100)] | None = None


class ChangeSummary(Schema):
    """The changes of a run in total: guard findings, rows by table and field, the roll before and after."""

    guard_findings: list[GuardFinding]
    tables: dict[str, TableCounts]
    before: RollTotals
    after: RollTotals
    property_classes: list[ClassTotals]


class Partition(Schema):
    """A key range of one table in one run, with its result."""

    table: str
    partition: int
    lower_key: list[Any] | None
    upper_key: list[Any] | None
    status: Literal["pending", "done"]
    unchanged: bool
    rows_read: int | None
    rows_rejected: int | None
    rows_staged: int | None
    seconds: float | None
    finished_at: datetime | None
    error: str | None


class RejectReason(Schema):
    """A reason for which a row was rejected or warned of: rule, target field, and a message that quotes the value."""

    rule: str
    field: str
    message: str


class RejectedRow(Schema):
    """A source row in quarantine, as it was read. Without a `resolution` it is open."""

    row_no: int
    table: str
    source_key: str | None
    source_row: dict[str, Any]
    reasons: list[RejectReason]
    resolution: Resolution | None
    resolved_by_run: UUID | None
    resolved_at: datetime | None


class WarnedRow(Schema):
    """A source row that was taken with a warning, as it was read."""

    row_no: int
    table: str
    source_key: str | None
    target_key: str | None
    source_row: dict[str, Any]
    reasons: list[RejectReason]


class SyncCompleted(Event):
    """A run has been applied and published: the manifest of its curated tables, and what it did to each table."""

    SOURCE: ClassVar[str] = "terrafusion.sync"

    county_id: CountyId
    run_id: UUID
    manifest: str
    tables: dict[str, TableCounts]


class SyncFailed(Event):
    """A run has failed; nothing of it was applied unless it says so itself."""

    SOURCE: ClassVar[str] = "terrafusion.sync"

    county_id: CountyId
    run_id: UUID
    error: JobError
