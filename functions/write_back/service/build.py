"""The job of a write-back: what was decided, held against the county's system as it is now, as rows and as a file."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from functions.write_back import repository
from functions.write_back.domain.changes import DecidedValue, MappedRow, RowComparison, WayBack, compare, prove
from functions.write_back.repository import NewRow, Selection
from functions.write_back.schemas import WriteBackRequest, WriteBackResults
from functions.write_back.service.requests import selection, way_back
from functions.write_back.service.source_rows import RawRow, SourceReader, keys_of, raw_rows
from functions.write_back.writers import WRITERS
from functions.write_back.writers.rows import WrittenRow, WrittenTable
from shared import audit
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.jobs import RunningJob
from shared.jobs.download import StoredFile, store_file
from shared.mapping import CountyMapping, FieldMap, parse_mapping
from shared.mapping.language.inversion import NUMBERS, key_columns, written_columns
from shared.mapping.language.model import FieldType
from shared.mapping.language.write_back import ColumnType, WriteBack, WriteBackTable
from shared.sources import Source
from shared.sources.opening import open_source

_PLATFORM_TABLE = "assessments"
"""The table of which approvals make rows that the county's system does not have."""


@dataclass
class _Run:
    """A write-back under way: the rows so far, and how many values need nothing."""

    job: RunningJob
    configuration: CountyConfiguration
    mapping: CountyMapping
    write_back: WriteBack
    selection: Selection
    next_no: int = 1
    rows: int = 0
    already_there: int = 0
    found: dict[str, set[str]] = field(default_factory=dict)


def write_back(job: RunningJob) -> WriteBackResults:
    """Compare, keep the rows, and make the file, unless this is a dry run. Idempotent.

    Raises SourceUnavailable where the county's system cannot be read: what it has now guards what is written.
    """
    request = WriteBackRequest.model_validate(job.parameters)
    with unit_of_work(job.county_id) as connection:
        chosen = selection(connection, job.county_id, request)
        configuration, text = repository.county(connection, job.county_id)
        repository.delete_rows(connection, job.county_id, job.job_id)
    mapping = parse_mapping(text)
    way = way_back(mapping, request)
    run = _Run(job, CountyConfiguration.model_validate(configuration), mapping, way, chosen)
    source = open_source(run.configuration)
    try:
        with TemporaryDirectory(prefix="terrafusion-write-back-") as folder:
            file, digest = _write(run, source, Path(folder), request)
    finally:
        source.close()
    return _finish(run, request, file, digest)


def _write(run: _Run, source: Source, folder: Path, request: WriteBackRequest) -> tuple[StoredFile | None, str | None]:
    """Make the file while the rows are compared; a dry run compares alone."""
    rows = _written_rows(run, source)
    if request.dry_run:
        for _ in rows:
            pass
        return None, None
    write, ending, content_type = WRITERS[run.write_back.format]
    path = folder / f"file.{ending}"
    write(run.write_back, rows, path)
    with path.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    subject = request.roll_year or str(request.valuation_run_id)[:8]
    filename = f"{run.job.county_id}-write-back-{subject}.{ending}"
    return store_file(run.job, path, filename, content_type), digest


def _written_rows(run: _Run, source: Source) -> Iterator[WrittenRow]:
    """The rows to write; what is not written is kept as a row of the write-back all the same."""
    for way in run.write_back.tables:
        if not run.selection.has(way.target_table_name):
            continue
        reader = SourceReader(source, run.configuration, run.mapping, way.target_table_name)
        ranges = reader.ranges()
        for number, keys in enumerate(ranges, start=1):
            frame = reader.keyed(keys)
            with unit_of_work(run.job.county_id) as connection:
                decided = repository.decided_values(
                    connection, run.job.county_id, way.target_table_name, run.selection, keys_of(frame)
                )
            current = [(key, raw) for key, raw in raw_rows(frame) if key in decided]
            yield from _compared(run, way, reader, current, decided)
            run.job.progress(number, len(ranges), f"comparing {way.target_table_name}")
        _keep_missing(run, way)


def _compared(
    run: _Run,
    way: WriteBackTable,
    reader: SourceReader,
    current: list[tuple[str, RawRow]],
    decided: dict[str, list[DecidedValue]],
) -> list[WrittenRow]:
    """Compare the rows of a range, keep what they come to, and return those to write."""
    table = run.mapping.table(way.target_table_name)
    fields = written_columns(run.mapping, table, way)
    back, written_table = WayBack(run.mapping, fields), _written_table(run, way, fields)
    mapped = reader.mapped(raw for _, raw in current)
    compared = {key: compare(back, raw, mapped[key], decided[key]) for key, raw in current if key in mapped}
    changed = {key: {**raw, **_new_texts(back, compared[key])} for key, raw in current if key in mapped}
    again: dict[str, MappedRow] = reader.mapped(changed[key] for key, row in compared.items() if row.is_written)
    written, kept = list[WrittenRow](), list[NewRow]()
    for key, raw in current:
        if key not in mapped:
            continue
        run.found.setdefault(way.target_table_name, set()).add(key)
        row = prove(compared[key], mapped[key], again.get(key), decided[key], back)
        run.already_there += row.already_there
        source_key = {name: raw[name] for name in written_table.key}
        if row.is_written:
            run.rows += 1
            read = {name: raw[back.read_name(name)] for name in written_table.columns}
            new = {name: changed[key][back.read_name(name)] for name in written_table.columns}
            label = f"{way.target_table_name} {key}"
            written.append(WrittenRow(written_table, run.rows, label, source_key, read, new))
        kept += _kept(way.target_table_name, key, source_key, row)
    with unit_of_work(run.job.county_id) as connection:
        run.next_no = repository.add_rows(connection, run.job.county_id, run.job.job_id, run.next_no, kept)
    return written


def _new_texts(way: WayBack, row: RowComparison) -> dict[str, str | None]:
    return {way.read_name(change.column): change.new_value for change in row.changes} if row.is_written else {}


def _kept(table: str, key: str, source_key: dict[str, str | None], row: RowComparison) -> list[NewRow]:
    return [
        NewRow(
            table,
            key,
            source_key,
            change.field,
            change.column,
            change.outcome,
            change.read_value,
            change.new_value,
            change.reason,
        )
        for change in row.changes
    ]


def _keep_missing(run: _Run, way: WriteBackTable) -> None:
    """Keep the decided values of rows that the county's system does not have."""
    table, county_id = way.target_table_name, run.job.county_id
    fields = written_columns(run.mapping, run.mapping.table(table), way)
    columns = {own.target: column for column, own in fields.items()}
    with unit_of_work(county_id) as connection:
        missing = sorted(
            repository.decided_keys(connection, county_id, table, run.selection) - run.found.get(table, set())
        )
        values = repository.decided_values(connection, county_id, table, run.selection, missing)
        reason = "the county's system has no such row, or the mapping rejects it"
        rows = [
            NewRow(
                table,
                key,
                None,
                value.field,
                columns[value.field],
                "not_in_source",
                None,
                None if value.value is None else str(value.value),
                reason,
            )
            for key, own in values.items()
            for value in own
            if value.field in columns
        ]
        run.next_no = repository.add_rows(connection, county_id, run.job.job_id, run.next_no, rows)
        if table == _PLATFORM_TABLE:
            run.next_no += repository.add_platform_rows(
                connection, county_id, run.job.job_id, run.next_no, columns, run.selection
            )


def _written_table(run: _Run, way: WriteBackTable, fields: dict[str, FieldMap]) -> WrittenTable:
    table = run.mapping.table(way.target_table_name)
    key = key_columns(table, way)
    types: dict[str, ColumnType] = {column: _column_type(own.type) for column, own in fields.items()}
    return WrittenTable(
        name=way.source_table_name or table.source_table_name or "",
        key=key,
        columns=tuple(fields),
        where=way.where,
        column_types={**types, **way.column_types},
        positions=way.positions,
    )


def _column_type(type_: FieldType) -> ColumnType:
    return "number" if type_ in NUMBERS else "date" if type_ is FieldType.DATE else "text"


def _finish(run: _Run, request: WriteBackRequest, file: StoredFile | None, digest: str | None) -> WriteBackResults:
    with unit_of_work(run.job.county_id) as connection:
        run.job.commit(connection)
        counts = repository.outcomes(connection, run.job.county_id, run.job.job_id)
        results = WriteBackResults(
            dry_run=request.dry_run,
            format=run.write_back.format,
            rows=run.rows,
            changed=counts.get("changed", 0),
            already_there=run.already_there,
            changed_in_between=counts.get("changed_in_between", 0),
            not_in_source=counts.get("not_in_source", 0),
            not_invertible=counts.get("not_invertible", 0),
            file=file,
            sha256=digest,
        )
        if file is not None:
            details = {"rows": run.rows, "changed": results.changed, "sha256": digest, "format": results.format}
            subject = f"write-backs/{run.job.job_id}"
            audit.record(connection, run.job.county_id, run.job.submitted_by, "values.written_back", subject, details)
    return results
