"""Inspection of a file that was sent: what it is, its columns and rows, and the mapping that fits it.

A file that cannot be read, or exceeds a limit, is refused with the reason, and nothing of it is kept.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

import polars as pl
from sqlalchemy import Connection

from functions.uploads.domain.delimited_text import require_header
from functions.uploads.domain.mapping_proposal import KnownColumns, KnownKeys, propose_mapping, signature_of
from functions.uploads.repository import intake
from functions.uploads.service.content import described
from functions.uploads.service.intake import file_limits
from shared import audit, storage
from shared.counties.configuration import FileIngestionSettings
from shared.counties.source_description import FilesDescription, GeographicFile
from shared.db import unit_of_work
from shared.jobs import NoResults, RunningJob
from shared.jobs.schemas import JobError
from shared.mapping import ROW_NUMBER
from shared.mapping.proposal import SampledColumn, SampledTable
from shared.mapping.targets import target_tables
from shared.problems import Conflict, NotFound, SourceRefused, Unprocessable
from shared.sources.files.source import DEFAULT_RANGE_ROWS
from shared.sources.source import SourceTable
from shared.uploads import repository
from shared.uploads.files import files_of
from shared.uploads.repository import UploadRow
from shared.uploads.schemas import Inspection
from shared.uploads.source import source_of
from shared.uploads.source_tables import FILE_TABLE
from shared.uploads.views import require_upload

SAMPLE_ROWS = 200
"""Rows that a proposal is based on. A choice: enough that a column of codes shows most of them, one page to look at."""
SHOWN_ROWS = 5
MAX_SHOWN_CHARACTERS = 200
_FAULT = "fault"
_TABLE = SourceTable(FILE_TABLE, None, ())


@dataclass(frozen=True)
class _Content:
    """The columns of a file with their types, its number of rows (None where that takes a conversion), and a sample."""

    columns: dict[str, str]
    rows: int | None
    sample: pl.DataFrame


def inspect(job: RunningJob) -> NoResults:
    """Inspect the upload with the job's id, and keep what was found. Idempotent.

    Raises NotFound, Conflict where the file is gone or is replaced meanwhile, ServiceUnavailable.
    """
    county_id, upload_id = job.county_id, job.job_id
    with unit_of_work(county_id) as connection:
        upload = require_upload(connection, county_id, upload_id)
        limits = file_limits(connection, county_id)
    if upload.file_status != "announced":
        return NoResults()
    try:
        files = _described(county_id, upload, limits)
        content = _read(county_id, upload_id, files, limits)
    except (Unprocessable, SourceRefused) as problem:
        detail = problem.detail.replace(_stored_name(upload), upload.filename)
        _refuse(county_id, upload, job.submitted_by, JobError(type=problem.slug, detail=detail))
        return NoResults()
    _keep(county_id, upload, job.submitted_by, files, content)
    return NoResults()


def _described(county_id: str, upload: UploadRow, limits: FileIngestionSettings) -> FilesDescription:
    """The description of the file, which is kept before the file is read: Convert reads it from there.

    Raises Unprocessable for a file that is not what was announced, or of a format that is not taken.
    """
    try:
        stored = storage.find(upload.object_key)
    except NotFound:
        raise Conflict("The file is not there: send it to its address first.", slug="file-not-sent") from None
    with TemporaryDirectory(prefix="terrafusion-upload-") as folder:
        path = Path(folder) / "content"
        stored.download(path)
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if (stored.size, digest) != (upload.size_bytes, upload.sha256):
            raise Unprocessable(f"{upload.filename} is not the file that was announced.", slug="file-altered")
        description = described(path, upload.filename, _stored_name(upload), upload.description)
    files = files_of(description)
    format_ = files.tables[FILE_TABLE].format
    if format_ not in limits.formats:
        raise Unprocessable(
            f"The county takes no files of the format {format_}; it takes: {', '.join(limits.formats)}.",
            slug="file-format-not-taken",
        )
    with unit_of_work(county_id) as connection:
        repository.set_upload(connection, county_id, upload.upload_id, description=description)
    return files


def _read(county_id: str, upload_id: UUID, files: FilesDescription, limits: FileIngestionSettings) -> _Content:
    """Read the file as a run would, to its end. Raises Unprocessable, SourceRefused."""
    description = files.tables[FILE_TABLE]
    source = source_of(county_id, upload_id, files)
    try:
        if isinstance(description, GeographicFile):
            sample = source.sample(_TABLE, SAMPLE_ROWS)
            columns, rows = dict(sample.types), None
        else:
            columns = source.schema(_TABLE).columns
            if description.format == "xlsx":
                require_header(description.file, [name for name, type_ in columns.items() if type_ != _FAULT])
            rows, _ = source.cut(_TABLE, DEFAULT_RANGE_ROWS)
            columns = source.schema(_TABLE).columns
            sample = source.sample(_TABLE, SAMPLE_ROWS)
    finally:
        source.close()
    if rows == 0:
        raise Unprocessable(f"{description.file} has no rows below its header.", slug="file-empty")
    if rows is not None and rows > limits.max_rows:
        raise Unprocessable(
            f"{description.file} has {rows:,} rows; the county takes {limits.max_rows:,}.", slug="file-too-many-rows"
        )
    named = {name: type_ for name, type_ in columns.items() if type_ != _FAULT and name != ROW_NUMBER}
    return _Content(named, rows, sample.frame.select(name for name in sample.frame.columns if name in named))


def _refuse(county_id: str, upload: UploadRow, actor: str, error: JobError) -> None:
    """Record why a file is refused, and delete what was kept of it."""
    with unit_of_work(county_id) as connection:
        repository.set_upload(
            connection, county_id, upload.upload_id, status="refused", details={"error": error.model_dump()}
        )
        subject = f"uploads/{upload.upload_id}"
        audit.record(connection, county_id, actor, "upload.refused", subject, error.model_dump())
    name = _stored_name(upload)
    storage.delete_below(upload.object_key)
    for folder in ("sync-files", "sync-unpacked"):
        storage.delete_below(storage.county_key(county_id, folder, name))


def _keep(county_id: str, upload: UploadRow, actor: str, files: FilesDescription, content: _Content) -> None:
    """Keep what was found, and propose the mapping, or remember that of an earlier file with these columns."""
    format_ = files.tables[FILE_TABLE].format
    signature = signature_of(format_, list(content.columns))
    sample = _sampled(content, upload.filename)
    with unit_of_work(county_id) as connection:
        targets = [upload.target_table] if upload.target_table else list(target_tables())
        known = _known(connection, county_id, sample, targets)
        proposal = propose_mapping(sample, upload.filename, county_id, known, upload.target_table)
        remembered = repository.remembered_mapping(connection, county_id, signature, upload.target_table)
        notes = proposal.notes if proposal is not None else ["No column tells rows apart: send a mapping."]
        if remembered is not None:
            notes = [f"Mapped as upload {remembered.upload_id}, which has the same columns."]
        mapping = proposal.mapping if proposal is not None else None
        target_table = proposal.target_table if proposal is not None else upload.target_table
        inspection = Inspection(
            format=format_,
            columns=content.columns,
            rows=content.rows,
            sample=[_shown(row) for row in content.sample.head(SHOWN_ROWS).iter_rows(named=True)],
            target_table=remembered.target_table if remembered is not None else target_table,
            fields=proposal.fields if proposal is not None else [],
            mapping=remembered.mapping if remembered is not None else mapping,
            remembered_from=remembered.upload_id if remembered is not None else None,
            same_content_as=repository.same_content(connection, county_id, upload.upload_id, upload.sha256),
            notes=notes,
        )
        repository.set_upload(
            connection,
            county_id,
            upload.upload_id,
            status="inspected",
            signature=signature,
            details={"inspection": inspection.model_dump(mode="json")},
        )
        details = {"format": format_, "rows": content.rows, "target_table": inspection.target_table}
        audit.record(connection, county_id, actor, "upload.inspected", f"uploads/{upload.upload_id}", details)


def _sampled(content: _Content, filename: str) -> SampledTable:
    columns = [
        SampledColumn(name, tuple(value if value and value.strip() else None for value in content.sample[name]))
        for name in content.columns
        if name in content.sample.columns
    ]
    return SampledTable(filename, tuple(columns))


def _known(connection: Connection, county_id: str, sample: SampledTable, targets: Sequence[str]) -> KnownColumns:
    """The number of sampled values that are keys of the county's rows, by target table and column."""
    properties = {column.name: _known_properties(connection, county_id, column) for column in sample.columns}
    known: dict[str, Mapping[str, KnownKeys]] = {}
    for table in targets:
        counts = {}
        for column in sample.columns:
            values = _values(column)
            own = intake.count_known(connection, county_id, table, intake.key_of(table), values) if values else 0
            by_id, by_number = properties[column.name]
            counts[column.name] = KnownKeys(len(values), own, by_id, by_number)
        known[table] = counts
    return known


def _known_properties(connection: Connection, county_id: str, column: SampledColumn) -> tuple[int, int]:
    values = _values(column)
    if not values:
        return 0, 0
    by_id, by_number = (
        intake.count_known(connection, county_id, "properties_operational", name, values)
        for name in ("property_id", "parcel_number")
    )
    return by_id, by_number


def _values(column: SampledColumn) -> list[str]:
    return sorted({value.strip() for value in column.values if value is not None})


def _shown(row: Mapping[str, Any]) -> dict[str, str | None]:
    return {name: None if value is None else str(value)[:MAX_SHOWN_CHARACTERS] for name, value in row.items()}


def _stored_name(upload: UploadRow) -> str:
    return str(upload.object_key).rpartition("/")[2]
