"""The curated files of a county: a manifest that was published, and the plan of the next one."""

from datetime import datetime
from uuid import UUID

from shared.schemas import Schema


class ManifestFile(Schema):
    """A Parquet file (its key in the data bucket) with the rows after those of the previous file, up to `upper_key`.

    The last file of a table has no upper key.
    """

    key: str
    rows: int
    upper_key: str | None


class ManifestTable(Schema):
    """A table: its files, in the order of their keys."""

    rows: int
    files: list[ManifestFile]


class Manifest(Schema):
    """A county's curated tables after a run, for consumers.

    Rows changed after `changes_through` by anything but the run may be missing until the next manifest.
    """

    county_id: str
    run_id: UUID
    published_at: datetime
    changes_through: datetime
    tables: dict[str, ManifestTable]


class PlannedFile(Schema):
    """A file of a publication, with keys after `lower_key`. One that is not to be `written` exists already."""

    file: ManifestFile
    lower_key: str | None
    written: bool


class EarlyFiles(Schema):
    """Files written while a run was applied, complete by table; `moment` is the time of that transaction."""

    moment: datetime
    tables: dict[str, list[PlannedFile]]


class Publication(Schema):
    """Plan of a run's publication: every file of every table."""

    changes_through: datetime
    tables: dict[str, list[PlannedFile]]
