"""The rows of a load as its last step reads them, without Polars."""

from typing import Any

import nanoarrow
import orjson

from functions.districts.domain.features import SourceRows
from functions.districts.schemas import SOURCE_TABLE, DistrictLoadRequest
from functions.districts.service.source_index import SourceIndex, index_key, require_room, rows_key
from shared import storage
from shared.counties.source_description import FilesDescription
from shared.jobs import RunningJob
from shared.problems import Conflict, NotFound
from shared.sources.files.geographic.conversion import find_file


def read_rows(job: RunningJob, request: DistrictLoadRequest) -> SourceRows:
    """The rows that the earlier steps have kept. Raises Conflict where the file was replaced since."""
    try:
        index = SourceIndex.model_validate(orjson.loads(storage.get(index_key(job))))
    except NotFound:
        return _converted(job, request)
    return _read([rows_key(job, part) for part in range(index.parts)], index.types)


def _converted(job: RunningJob, request: DistrictLoadRequest) -> SourceRows:
    source = request.source.description
    if not isinstance(source, FilesDescription):
        raise Conflict("The rows of the source have not been read.", slug="rows-missing")
    _, folder, _ = find_file(job.county_id, source, SOURCE_TABLE, any_geometry=True)
    index = folder.index()
    if index is None:
        raise Conflict(f"{folder.name} was replaced while it was read.", slug="object-replaced")
    require_room(index.rows)
    keys = [folder.part_key(part, "arrow") for part in range(len(index.ends) + 1)]
    return _read(keys, index.columns or {})


def _read(keys: list[str], types: dict[str, str]) -> SourceRows:
    columns: dict[str, list[Any]] = {}
    for key in keys:
        stream = nanoarrow.ArrayStream.from_readable(storage.get(key))
        names = [field.name for field in stream.schema.fields]
        for batch in stream:
            for name, column in zip(names, batch.iter_children(), strict=True):
                columns.setdefault(name, []).extend(column.to_pylist())
    return SourceRows(columns, types)
