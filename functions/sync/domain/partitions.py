"""State of a partition: a range of a table's keys, read by one call of the Partition task."""

from typing import Any, Literal
from uuid import UUID

from shared.schemas import Schema


class PartitionState(Schema):
    """A key range of one table in one run. `read_run` and `read_no`: the partition that last read its rows."""

    run_id: UUID
    table_name: str
    partition_no: int
    lower_key: list[Any] | None
    upper_key: list[Any] | None
    status: Literal["pending", "done"]
    digest: str | None = None
    unchanged: bool = False
    rows_read: int | None = None
    rows_good: int | None = None
    rows_rejected: int | None = None
    rows_staged: int | None = None
    raw_key: str | None = None
    read_run: UUID | None = None
    read_no: int | None = None

    @property
    def figures(self) -> dict[str, int | bool | None]:
        """The counts that the task answers and logs."""
        return self.model_dump(include={"unchanged", "rows_read", "rows_rejected", "rows_staged"})

    @property
    def name(self) -> str:
        """Label of the partition in messages, with its key range."""
        lower = "the beginning" if self.lower_key is None else "/".join(map(str, self.lower_key))
        upper = "the end" if self.upper_key is None else "/".join(map(str, self.upper_key))
        return f"partition {self.partition_no} of {self.table_name} (keys after {lower} up to {upper})"
