"""`python -m shared.sources.files.geographic.process`: a geographic file converted into parts.

The request is JSON on standard input; messages are lines of JSON on standard output, with `reading` (features so far),
`part` and `rows` (a part is written), and at last `done` or `refused`. A process that ends without one of the two was
ended by a library, or by the system.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from shared.counties.source_description import FileDescription, GeographicFile
from shared.problems import Unprocessable
from shared.sources.files.geographic.gdal import GdalLog, prepare
from shared.sources.files.geographic.problems import unreadable_file
from shared.sources.files.geographic.unpacking import UnpackedFile, unpack

BATCH_ROWS = 5_000
"""Features that GDAL reads into memory at a time. A choice: a tenth of a part."""


class Report:
    """Channel to the parent process: the original standard output, on which no library can write."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def send(self, **message: Any) -> None:
        """Send one message."""
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()


def main() -> None:
    """Carry out the request on standard input."""
    report = Report()
    request = json.loads(sys.stdin.read())
    _limit_memory(request["memory_mb"])
    description: Any = TypeAdapter[Any](FileDescription).validate_python(request["description"])
    folder = Path(request["folder"])
    log = prepare(folder / "gdal.log")
    try:
        file = unpack(Path(request["file"]), folder, description)
        report.send(**_read(file, description, log, request, report))
    except Unprocessable as refusal:
        report.send(refused={"slug": refusal.slug, "detail": refusal.detail})
    except MemoryError:
        report.send(refused=_refusal(unreadable_file(description, "it needs more memory than there is")))
    except (AttributeError, ImportError, NameError, TypeError):
        raise  # an error of ours: it ends the process
    except Exception as error:  # whatever GDAL and related libraries raise is due to the file
        report.send(refused=_refusal(unreadable_file(description, _message(error, log).replace(str(folder), ""))))


def _read(
    file: UnpackedFile, description: GeographicFile, log: GdalLog, request: dict[str, Any], report: Report
) -> dict[str, Any]:
    # after `prepare`: GDAL reads its settings when it is imported
    from shared.sources.files.geographic.features import FeatureReader
    from shared.sources.files.geographic.layer import Layer
    from shared.sources.files.geographic.part_writer import PartWriter

    layer = Layer.open(file, description, any_geometry=request["any_geometry"])
    _require_no_errors(log, layer.shown, description, 0, 0)
    reader = FeatureReader(layer, BATCH_ROWS, request["rows"], any_geometry=request["any_geometry"])
    writer = PartWriter(Path(request["folder"]), request["part_rows"], lambda part, rows: report.send(
        part=str(part), rows=rows))  # fmt: skip
    rows = 0
    try:
        for batch in _with_progress(reader.batches(), report):
            _require_no_errors(log, layer.shown, description, rows, rows + batch.length)
            rows += batch.length
            writer.add(batch)
    except (RuntimeError, ValueError) as error:  # of GDAL, and of the libraries that convert its batches
        raise unreadable_file(description, _message(error, log), f"{layer.shown}, after feature {rows:,}") from None
    _require_no_errors(log, layer.shown, description, rows, rows)
    writer.close()
    expected = file.rows if file.rows is not None else layer.counted_rows
    if request["rows"] is None and expected is not None and rows != expected:
        raise unreadable_file(description, f"of {expected:,} features {rows:,} could be read", layer.shown)
    return {"done": {"rows": rows, "columns": reader.columns}}


def _with_progress(batches: Iterator[Any], report: Report) -> Iterator[Any]:
    rows = 0
    report.send(reading=rows)
    for batch in batches:
        yield batch
        rows += batch.length
        report.send(reading=rows)


def _require_no_errors(log: GdalLog, layer: str, description: GeographicFile, start: int, end: int) -> None:
    errors = log.errors()
    if errors:
        place = f"features {start + 1:,} to {end:,} of {layer}" if end > start else layer
        raise unreadable_file(description, errors[0], place)


def _message(error: Exception, log: GdalLog) -> str:
    """GDAL's own message, which is more precise than the exception's."""
    errors = log.errors()
    return errors[0] if errors else str(error) or type(error).__name__


def _refusal(problem: Unprocessable) -> dict[str, str]:
    return {"slug": problem.slug, "detail": problem.detail}


def _limit_memory(megabytes: int) -> None:
    """Limit this process's memory, so that a large file does not end the function. Not every system has such a
    limit.
    """
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes << 20, megabytes << 20))


if __name__ == "__main__":
    main()
