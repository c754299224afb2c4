"""The first step of a load: the rows of a source that Polars reads, kept as Arrow streams for the last step."""

import io
from collections.abc import Sequence
from itertools import pairwise

import orjson
import polars as pl

from functions.districts.repository import loads
from functions.districts.schemas import SOURCE_TABLE, DistrictLoadRequest, LayerFile, LayerTable, LoadPart
from functions.districts.service.load import loadable_day
from functions.districts.service.source_index import SourceIndex, index_key, require_room, rows_key
from shared import storage
from shared.counties.source_description import GeographicFile
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.sources.opening import open_described
from shared.sources.source import KeyRange, SourceTable

PART_ROWS = 50_000
"""Rows of an object. A choice: those of a sync's partition."""


def read_source(job: RunningJob) -> Sequence[LoadPart]:
    """Read the rows of a source, unless it is a geographic file: that is a part, to be converted.

    Raises SourceUnavailable, and Unprocessable for a source without rows or with too many.
    """
    request = DistrictLoadRequest.model_validate(job.parameters)
    loadable_day(job.county_id, request)
    if isinstance(request.source, LayerFile) and isinstance(request.source.file, GeographicFile):
        return [LoadPart(table=SOURCE_TABLE)]
    with unit_of_work(job.county_id) as connection:
        timezone = str(loads.configuration(connection, job.county_id).get("timezone") or "UTC")
    source = open_described(job.county_id, request.source.description, timezone)
    try:
        table = _table(request)
        types = dict(source.schema(table).columns)
        rows, ends = source.cut(table, PART_ROWS)
        require_room(rows)
        parts = 0
        for lower, upper in pairwise([None, *ends, None]):
            frame = source.read(table, source.schema(table), KeyRange(lower, upper)).frame()
            storage.put(rows_key(job, parts), _arrow(frame), "application/vnd.apache.arrow.stream")
            parts += 1
    finally:
        source.close()
    index = SourceIndex(rows=rows, parts=parts, types=types)
    storage.put(index_key(job), orjson.dumps(index.model_dump()), "application/json")
    return []


def _table(request: DistrictLoadRequest) -> SourceTable:
    if isinstance(request.source, LayerTable):
        return SourceTable(request.source.table, request.source.query, (request.key,))
    return SourceTable(SOURCE_TABLE, None, (request.key,))


def _arrow(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    # nanoarrow reads the format's plain types, without views and compression
    frame.write_ipc_stream(buffer, compat_level=pl.CompatLevel.oldest(), compression="uncompressed")
    return buffer.getvalue()
