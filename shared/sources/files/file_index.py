"""The index of a file, and the folder of its parts, by which ranges are read without reading the file whole."""

from __future__ import annotations

import hashlib

from pydantic import BaseModel, ConfigDict

from shared import storage
from shared.counties.source_description import FileDescription, GeographicFile
from shared.problems import NotFound
from shared.storage import StoredObject, county_key


class FileIndex(BaseModel):
    """Positions at which the ranges of a file end: `ends[i]` follows (i + 1) * `rows_a_range` rows; the last is left
    out.

    `columns`: the columns with the types that reading all rows has shown, for formats without declared types, and for
    files that are not opened again.
    """

    model_config = ConfigDict(frozen=True)

    rows: int
    rows_a_range: int
    ends: list[int]
    columns: dict[str, str] | None = None


class FileFolder:
    """The folder of the index and the parts of one version of a file, read as one description says.

    `reader`: version of a reader whose parts are made anew when it changes.
    """

    def __init__(
        self, county_id: str, file: StoredObject, description: FileDescription | GeographicFile, reader: str = ""
    ) -> None:
        description_digest = hashlib.sha256(f"{description.model_dump_json()}{reader}".encode()).hexdigest()[:16]
        self.name = description.file
        self._of_file = county_key(county_id, "sync-files", description.file)
        version = file.etag.strip('"')
        self._of_version = f"{self._of_file}/{version}/"
        self._folder = f"{self._of_version}{description_digest}"

    def index(self) -> FileIndex | None:
        """The index, or None before the file has been cut."""
        try:
            return FileIndex.model_validate_json(storage.get(f"{self._folder}/index.json"))
        except NotFound:
            return None

    def put_index(self, index: FileIndex) -> None:
        """Store the index, which says that all parts exist."""
        storage.put(f"{self._folder}/index.json", index.model_dump_json().encode(), "application/json")

    def part_key(self, number: int, ending: str = "parquet") -> str:
        """The key of a part, counted from 0."""
        return f"{self._folder}/part-{number:05}.{ending}"

    def sample_key(self, rows: int) -> str:
        """The key of a sample of a file that has not been cut."""
        return f"{self._folder}/sample-{rows}.arrow"

    def clear(self) -> None:
        """Delete the folders of the file's other versions, and this one; not those of this version with other
        descriptions, since another table may be another layer or sheet of the file.
        """
        storage.delete_below(f"{self._of_file}/", besides=self._of_version)
        storage.delete_below(f"{self._folder}/")
