"""The curated files of a county: a manifest that was published, and the plan of the next one."""

from datetime import datetime
from uuid import UUID

from shared.schemas import Schema


class ManifestFile(Schema):
    """A Parquet file (its key in the data bucket) with the rows after the file before it up to `upper_key`.

    None is open: the last file ends where the table does.
    """

    key: str
    rows: int
    upper_key: str | None


class ManifestTable(Schema):
    """The files that together are one table."""

    rows: int
    files: list[ManifestFile]


class Manifest(Schema):
    """A county's curated tables after a run: what a consumer reads, and nothing else.

    Rows that were changed after `changes_through`, but for the run's own, may be missing until the next manifest.
    """

    county_id: str
    run_id: UUID
    published_at: datetime
    changes_through: datetime
    tables: dict[str, ManifestTable]


class PlannedFile(Schema):
    """A file of a publication; `lower_key` is the end of the one before it. What is not written is taken over."""

    file: ManifestFile
    lower_key: str | None
    written: bool


class WrittenAhead(Schema):
    """Files that were written while a run was applied, all those of their tables; as of `moment`."""

    moment: datetime
    tables: dict[str, list[PlannedFile]]


class Publication(Schema):
    """What a run is to publish."""

    changes_through: datetime
    tables: dict[str, list[PlannedFile]]
