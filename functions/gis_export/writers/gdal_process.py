"""A layer written by GDAL in a process of its own: it may crash, and its settings hold for it alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, cast

from nanoarrow import ipc

from functions.gis_export.domain.formats import FileFormat
from functions.gis_export.domain.layer_file import FeatureBlock, FileLayer
from functions.gis_export.writers import arrow
from shared.layers.model import CodedDomain
from shared.problems import Unprocessable

_PROGRAM = ("-m", "functions.gis_export.writers.process")
_PASSED_VARIABLES = ("PATH", "HOME", "TMPDIR", "LANG", "LD_LIBRARY_PATH", "PYTHONHOME")
"""Environment variables passed to the process, without credentials."""


class GdalProcess:
    """The process that writes one layer, within a block. Blocks of features go to it as Arrow's stream format."""

    def __init__(self, request: dict[str, Any], schema: Any) -> None:
        environment = {name: os.environ[name] for name in _PASSED_VARIABLES if name in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._schema = schema
        self._process = subprocess.Popen(  # noqa: S603 - no shell, and the program is a constant
            [sys.executable, *_PROGRAM, json.dumps(request)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._input, self._output = cast("IO[bytes]", self._process.stdin), cast("IO[bytes]", self._process.stdout)
        self._writer = ipc.StreamWriter.from_writable(self._input)

    def __enter__(self) -> GdalProcess:
        return self

    def write(self, batch: Any) -> None:
        """Send a record batch. Raises what the process has ended with."""
        try:
            self._writer.write_array(batch)
        except Exception:
            self._finish()
            raise

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is None:
                self._close()
                self._finish()
        finally:
            self._process.kill()
            self._process.wait()
            for pipe in (self._input, self._output):
                _close_quietly(pipe)

    def _close(self) -> None:
        try:
            self._writer.close()
            self._input.close()
        except (OSError, RuntimeError):
            return  # it ended before it could read, and says why

    def _finish(self) -> None:
        """Wait for the process. Raises Unprocessable for a file that is too large, OSError for whatever it met."""
        answer = self._output.read()
        code = self._process.wait()
        if answer:
            outcome = json.loads(answer)
            if "error" not in outcome:
                return
            if "2GB" in outcome["error"]:
                raise Unprocessable(
                    "A file of a Shapefile ends at 2 GB: choose another format, or a part of the county.",
                    slug="shapefile-too-large",
                )
            raise OSError(outcome["error"])
        raise OSError(f"GDAL's process ended with {code}")


class GdalLayer:
    """A layer that takes blocks of features."""

    def __init__(
        self, path: Path, file_format: FileFormat, layer: FileLayer, code: int, as_of: datetime, options: dict[str, str]
    ) -> None:
        """`code` is the EPSG code of the coordinates; `as_of` is the time that the file says it was made at."""
        self._columns = layer.columns
        self._form = _geometry_form(file_format, layer)
        self._schema = arrow.schema(layer.columns, self._form, domains=file_format.domains)
        request = {
            "path": str(path),
            "driver": file_format.driver,
            "layer": layer.name,
            "geometry_type": layer.part.geometry_type if self._form == "wkb" else None,
            "crs": f"EPSG:{code}",
            "as_of": as_of.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "options": {**file_format.options, **options},
            "domains": [_domain(domain) for domain in layer.layer.domains] if file_format.domains else [],
        }
        self._process = GdalProcess(request, self._schema)

    def __enter__(self) -> GdalLayer:
        # a schema alone is a layer without features
        self._process.__enter__()
        self._process.write(arrow.empty_batch(self._schema))
        return self

    def add(self, block: FeatureBlock) -> None:
        """Write a block of features."""
        self._process.write(arrow.batch(self._schema, self._columns, self._form, block))

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._process.__exit__(kind, *error)


def write_table(path: Path, driver: str, name: str, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Add a table of texts, without geometries, to a file."""
    schema = arrow.text_schema(header)
    request: dict[str, Any] = {
        "path": str(path),
        "driver": driver,
        "layer": name,
        "geometry_type": None,
        "options": {},
        "domains": [],
    }
    with GdalProcess(request, schema) as process:
        process.write(arrow.text_batch(schema, list(rows)))


def _geometry_form(file_format: FileFormat, layer: FileLayer) -> arrow.GeometryForm:
    """Spreadsheets have the geometry in columns of their own."""
    if not file_format.spreadsheet:
        return "wkb"
    return "xy" if layer.part.geometry_type == "Point" else "wkt"


def _domain(domain: CodedDomain) -> dict[str, Any]:
    return {"name": domain.name, "title": domain.title, "codes": domain.codes}


def _close_quietly(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return  # unwritten bytes for a process that has ended
