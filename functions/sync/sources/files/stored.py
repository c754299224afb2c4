"""What is kept about a file, so that its parts are found again without reading it whole."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from shared import storage
from shared.problems import NotFound
from shared.source_description import FileDescription
from shared.storage import StoredObject, county_key


class FileIndex(BaseModel):
    """Where the ranges of a file end: `ends[i]` is the place after (i + 1) * `rows_a_range` rows (but for the last).

    `columns` are the columns with the types that reading all rows has shown, where the format tells them by its rows.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    rows_a_range: int
    ends: list[int]
    columns: dict[str, str] | None = None


class FileFolder:
    """The folder in which indexes and parts of one version of one file lie, read in one way."""

    def __init__(self, county_id: str, file: StoredObject, description: FileDescription) -> None:
        way = hashlib.sha256(description.model_dump_json().encode()).hexdigest()[:16]
        self._of_file = county_key(county_id, "sync-files", description.file)
        version = file.etag.strip('"')
        self._folder = f"{self._of_file}/{version}/{way}"

    def index(self) -> FileIndex | None:
        """The index, where the file has been cut before."""
        try:
            return FileIndex.model_validate_json(storage.get(f"{self._folder}/index.json"))
        except NotFound:
            return None

    def put_index(self, index: FileIndex) -> None:
        """Keep the index: from now on every part is there."""
        storage.put(f"{self._folder}/index.json", index.model_dump_json().encode(), "application/json")

    def part_key(self, number: int) -> str:
        """The key of a part, counted from 0."""
        return f"{self._folder}/part-{number:05}.parquet"

    def clear(self) -> None:
        """Forget what was kept of this file, in this version or an earlier one."""
        storage.delete_below(f"{self._of_file}/")
