"""Parts of a layer as Arrow's stream format, each small enough for a partition in rows and bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from nanoarrow import ipc

MAX_PART_BYTES = 96 << 20
"""Largest part in bytes, for geometries of very many vertices. A choice: a partition holds a part several times in its
1,769 MB."""


class PartWriter:
    """Writer of batches into parts; `finished` is called with each part's path and number of rows."""

    def __init__(self, folder: Path, rows: int, finished: Callable[[Path, int], None]) -> None:
        self._folder = folder
        self._max_rows = rows
        self._finished = finished
        self._number = 0
        self._rows = 0
        self._file: BinaryIO | None = None
        self._writer: Any = None

    def add(self, batch: Any) -> None:
        """Write a batch, and close the part where it is full."""
        if self._file is None:
            self._file = self._path.open("wb")
            self._writer = ipc.StreamWriter.from_writable(self._file)
        self._writer.write_array(batch)
        self._rows += batch.length
        if self._rows >= self._max_rows or self._file.tell() >= MAX_PART_BYTES:
            self.close()

    def close(self) -> None:
        """Close the open part."""
        if self._file is None:
            return
        self._writer.close()
        self._file.close()
        self._finished(self._path, self._rows)
        self._file, self._rows, self._number = None, 0, self._number + 1

    @property
    def _path(self) -> Path:
        return self._folder / f"part-{self._number:05}.arrow"
