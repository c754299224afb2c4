"""Conversion of a county's geographic file into parts, by a process of its own that imports GDAL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, cast

from shared import storage
from shared.counties.source_description import FilesDescription, GeographicFile
from shared.problems import NotFound, Problem, SourceRefused, Unprocessable
from shared.sources.files.file_index import FileFolder, FileIndex
from shared.sources.files.geographic.folder import folder_of
from shared.sources.files.geographic.problems import refusal, unreadable_file
from shared.sources.source import table_description
from shared.storage import StoredObject, county_key

PART_ROWS = 50_000
"""Rows of a part: those of a partition."""
_RESERVED_MEMORY_MB = 512
"""Memory of the function that the process may not use: the function's own, and that of shared libraries. A choice."""
_PASSED_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PYTHONHOME")
"""Environment variables passed to the process, without credentials: it reads files from outside."""
_PROGRAM = ("-m", "shared.sources.files.geographic.process")
_ARROW = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True)
class Bounds:
    """Limits of a conversion in time and memory."""

    seconds: float
    memory_mb: int


def find_file(
    county_id: str, source: FilesDescription, table: str, *, any_geometry: bool = False
) -> tuple[StoredObject, FileFolder, GeographicFile]:
    """A table's file, and the folder of its parts.

    Raises Unprocessable for a table that is none or no geographic file, SourceRefused where there is no file.
    """
    description = table_description(source.tables, table)
    if not isinstance(description, GeographicFile):
        raise refusal(f"{description.file} is no geographic file: it needs no conversion.", "source-table-missing")
    try:
        file = storage.find(county_key(county_id, source.prefix, description.file))
    except NotFound:
        raise SourceRefused(
            f"There is no file {description.file} below {source.prefix}/.", slug="source-file-missing"
        ) from None
    return file, folder_of(county_id, file, description, any_geometry=any_geometry), description


def convert(county_id: str, source: FilesDescription, table: str, bounds: Bounds, *, any_geometry: bool = False) -> int:
    """Convert a table's file, unless this version of it has been converted; its number of rows.

    With `any_geometry` lines and collections of points are read as well: a map layer has them, parcels have not. Its
    index is stored after all its parts. Raises Unprocessable with the place for a file that cannot be read,
    SourceRefused, Conflict where it is replaced meanwhile.
    """
    file, folder, description = find_file(county_id, source, table, any_geometry=any_geometry)
    existing = folder.index()
    if existing is not None:
        return existing.rows
    folder.clear()
    ends: list[int] = []

    def keep(part: Path, rows: int) -> None:
        storage.put_file(folder.part_key(len(ends), "arrow"), part, _ARROW)
        ends.append((ends[-1] if ends else 0) + rows)

    done = _run(file, description, bounds, keep, any_geometry=any_geometry)
    index = FileIndex(rows=done["rows"], rows_a_range=PART_ROWS, ends=ends[:-1], columns=done["columns"])
    folder.put_index(index)
    return index.rows


def sample(county_id: str, source: FilesDescription, table: str, rows: int, bounds: Bounds) -> str:
    """Convert the first rows of a table's file; the key of their object. Raises as `convert`."""
    file, folder, description = find_file(county_id, source, table)
    key = folder.sample_key(rows)
    _run(file, description, bounds, lambda part, _: storage.put_file(key, part, _ARROW), rows)
    return key


def _run(
    file: StoredObject,
    description: GeographicFile,
    bounds: Bounds,
    keep: Callable[[Path, int], None],
    rows: int | None = None,
    *,
    any_geometry: bool = False,
) -> dict[str, Any]:
    with TemporaryDirectory(prefix="terrafusion-geographic-") as folder:
        path = Path(folder, "source")
        file.download(path)
        request = {
            "description": description.model_dump(mode="json"),
            "file": str(path),
            "folder": folder,
            "rows": rows,
            "any_geometry": any_geometry,
            "part_rows": PART_ROWS,
            "memory_mb": max(256, bounds.memory_mb - _RESERVED_MEMORY_MB),
        }
        with _Process(request, bounds.seconds) as process:
            for message in process.messages():
                if "part" in message:
                    part = Path(message["part"])
                    keep(part, message["rows"])
                    part.unlink()
                elif "refused" in message:
                    raise Unprocessable(message["refused"]["detail"], slug=message["refused"]["slug"])
                elif "done" in message:
                    return dict(message["done"])
            raise process.exit_problem(description)


class _Process:
    """The process within a block; it is killed at the end, or after `seconds`."""

    def __init__(self, request: dict[str, Any], seconds: float) -> None:
        environment = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._seconds = seconds
        self._timed_out = False
        self._reading = 0
        self._errors: list[bytes] = []
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and all arguments are constants
            [sys.executable, *_PROGRAM],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        pipes = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._input, self._output, self._errors_pipe = (cast("IO[bytes]", pipe) for pipe in pipes)
        self._timer = threading.Timer(seconds, self._kill)
        self._timer.daemon = True
        self._error_reader = threading.Thread(target=self._read_errors, daemon=True)
        self._request = json.dumps(request).encode()

    def __enter__(self) -> _Process:
        self._timer.start()
        self._error_reader.start()
        with suppress(BrokenPipeError):  # it ended before it could read; its messages say why
            self._input.write(self._request)
            self._input.close()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        self._process.wait()
        self._error_reader.join()
        self._output.close()
        self._errors_pipe.close()

    def messages(self) -> Iterator[dict[str, Any]]:
        """Its messages, until it ends."""
        for line in self._output:
            try:
                message = json.loads(line)
            except ValueError:  # cut off because the process was killed
                return
            self._reading = message.get("reading", self._reading)
            yield message

    def exit_problem(self, description: GeographicFile) -> Exception:
        """The problem of a process that ended without a result."""
        code = self._process.wait()
        self._error_reader.join()
        place = f"after feature {self._reading:,}"
        if self._timed_out:
            return refusal(
                f"{description.file} takes longer than {self._seconds:.0f} seconds to read ({place}). Send it as"
                " GeoPackage or FlatGeobuf, or in parts.",
                "file-too-large",
            )
        if code < 0:
            return unreadable_file(description, f"it ended the library that reads it (signal {-code})", place)
        detail = f"Reading {description.file} ({place}) failed by an error of ours: {self._last_error()}"
        return Problem(detail, slug="file-conversion-failed")

    def _last_error(self) -> str:
        lines = b"".join(self._errors).decode("utf-8", "replace").strip().splitlines()
        return lines[-1][:300] if lines else "no message"

    def _read_errors(self) -> None:
        for line in self._errors_pipe:
            self._errors[:] = [*self._errors[-200:], line]

    def _kill(self) -> None:
        self._timed_out = True
        self._process.kill()
