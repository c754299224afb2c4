"""What is kept about a file, so that its parts are found again without reading it whole."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from shared import storage
from shared.counties.source_description import FileDescription, GeographicFile
from shared.problems import NotFound
from shared.storage import StoredObject, county_key


class FileIndex(BaseModel):
    """Where the ranges of a file end: `ends[i]` is the place after (i + 1) * `rows_a_range` rows (but for the last).

    `columns` are the columns with the types that reading all rows has shown, where the format tells them by its rows,
    or where the file itself is not looked into again.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    rows_a_range: int
    ends: list[int]
    columns: dict[str, str] | None = None


class FileFolder:
    """The folder in which indexes and parts of one version of one file lie, read in one way.

    `reader` is the version of a reader whose parts do not outlive it.
    """

    def __init__(
        self, county_id: str, file: StoredObject, description: FileDescription | GeographicFile, reader: str = ""
    ) -> None:
        way = hashlib.sha256(f"{description.model_dump_json()}{reader}".encode()).hexdigest()[:16]
        self.name = description.file
        self._of_file = county_key(county_id, "sync-files", description.file)
        version = file.etag.strip('"')
        self._of_version = f"{self._of_file}/{version}/"
        self._folder = f"{self._of_version}{way}"

    def index(self) -> FileIndex | None:
        """The index, where the file has been cut before."""
        try:
            return FileIndex.model_validate_json(storage.get(f"{self._folder}/index.json"))
        except NotFound:
            return None

    def put_index(self, index: FileIndex) -> None:
        """Keep the index: from now on every part is there."""
        storage.put(f"{self._folder}/index.json", index.model_dump_json().encode(), "application/json")

    def part_key(self, number: int, ending: str = "parquet") -> str:
        """The key of a part, counted from 0."""
        return f"{self._folder}/part-{number:05}.{ending}"

    def sample_key(self, rows: int) -> str:
        """The key of the first rows, of a file that has not been cut."""
        return f"{self._folder}/sample-{rows}.arrow"

    def clear(self) -> None:
        """Forget what was kept of the file's other versions, and of this one read in this way: another table may be
        another layer or sheet of the same file.
        """
        storage.delete_below(f"{self._of_file}/", besides=self._of_version)
        storage.delete_below(f"{self._folder}/")
