"""The counts of a sync run by table, and its guards: written by the engine, answered by the API, read by reports."""

from typing import Literal

from pydantic import Field

from shared.schemas import Schema

ReadBy = Literal["whole", "watermark", "change_tracking", "quarantine", "upload", "history"]
"""Way in which a run reads one table. An incremental run reads a table whole that has no watermark yet."""


class TableCounts(Schema):
    """Rows of one table in a run, by what became of them. `rejected` counts rows in quarantine, also those of unchanged
    partitions; `repeated_keys` those among them whose key an earlier row of the source has, so that only the first was
    taken; `warned` the rows that this run took with a warning.
    """

    read_by: ReadBy = "whole"
    known: int = 0
    read: int = 0
    rejected: int = 0
    repeated_keys: int = 0
    warned: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    returned: int = 0
    changed_fields: dict[str, int] = Field(default_factory=dict)

    @property
    def differences(self) -> int:
        """Rows that apply would write."""
        return self.added + self.changed + self.removed + self.returned


class GuardFinding(Schema):
    """A reason for which a run waits for approval: `share` exceeds `limit`, in `table`."""

    guard: Literal[
        "removed_share",
        "rejected_share",
        "dropped_column",
        "shrunken_table",
        "moving_source",
        "closed_roll",
        "emptied_column",
        "single_value",
        "changed_column",
        "value_total",
        "later_changes",
        "rolled_back",
    ]
    table: str
    field: str | None = None
    detail: str
    share: float | None = None
    limit: float | None = None
    roll_year: int | None = None
    rows: int | None = None
