"""Preview of a mapping on a few rows; nothing is stored.

Polars is imported when a preview is asked for: no other route needs it, and a cold start would wait for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from functions.sync.repository import runs
from functions.sync.run_data import source_table
from functions.sync.schemas.source_checks import MappingPreview, PreviewedRow, PreviewRequest
from functions.sync.service.requested_mapping import parse_requested, requested_table
from shared.contracts.source_rows import ADDED_COLUMNS
from shared.counties.configuration import CountyConfiguration
from shared.db import unit_of_work
from shared.mapping import CountyMapping, TableMapping
from shared.problems import NotFound, Unprocessable
from shared.sources.network import request_timeouts
from shared.sources.opening import open_source

if TYPE_CHECKING:
    import polars as pl

MAX_SHOWN_CHARACTERS = 2_000
"""Characters of a value that are shown; geometries have more. A choice: an answer is to stay readable."""


def preview(county_id: str, request: PreviewRequest) -> MappingPreview:
    """Map the rows of the request, or a sample of the county's source.

    Raises NotFound, Unprocessable for an invalid mapping, an unknown table or a missing column, SourceUnavailable.
    """
    from shared.mapping.compile.tables import compile_table

    with unit_of_work(county_id) as connection:
        county = runs.county(connection, county_id)
    if county is None:
        raise NotFound(f"{county_id} is not onboarded.", slug="county-not-found")
    mapping = parse_requested(request.mapping or county[1])
    table = requested_table(mapping, request.table) if request.table else mapping.table_mappings[0]
    configuration = CountyConfiguration.model_validate(county[0])
    mapping = mapping.model_copy(update={"table_mappings": (table,)})
    frame, numbers, lookups = _rows(configuration, mapping, table, request)
    missing = sorted(table.source_fields - set(frame.columns))
    if missing:
        raise Unprocessable(
            f"The rows have no column {', '.join(missing)}, which the mapping names.",
            pointer="/body/rows" if request.rows else None,
            slug="source-column-missing",
        )
    compiled = compile_table(
        mapping,
        table.target_table_name,
        today=datetime.now(UTC).date(),
        lookups=lookups,
        timezone=configuration.timezone,
        numeric_columns=numbers,
    )
    rows = [_previewed(row) for row in compiled.explain(frame).iter_rows(named=True)]
    return MappingPreview(
        table=table.target_table_name,
        unmapped_columns=[name for name in frame.columns if name not in {*table.source_fields, *ADDED_COLUMNS}],
        rows=rows,
        rejected=sum(bool(row.rejected) for row in rows),
        warned=sum(bool(row.warned) and not row.rejected for row in rows),
    )


def _rows(
    configuration: CountyConfiguration, mapping: CountyMapping, table: TableMapping, request: PreviewRequest
) -> tuple[pl.DataFrame, frozenset[str], dict[str, pl.DataFrame]]:
    """The rows to map, their numeric columns, and the lookups. The source is opened only where it is needed."""
    from functions.sync.lookups import read_lookups
    from shared.sources.text_values import number_columns, remove_nuls

    requested = _request_frame(request.rows) if request.rows is not None else None
    if requested is not None and not table.lookups:
        return requested, frozenset(), {}
    source = open_source(configuration, request_timeouts())
    try:
        if requested is not None:
            return requested, frozenset(), read_lookups(source, mapping)
        sample = source.sample(source_table(table), request.sample_size)
        return remove_nuls(sample.frame), number_columns(sample.types), read_lookups(source, mapping)
    finally:
        source.close()


def _request_frame(rows: Sequence[dict[str, str | None]]) -> pl.DataFrame:
    import polars as pl

    columns = list(dict.fromkeys(name for row in rows for name in row))
    return pl.DataFrame(
        [[row.get(name) for name in columns] for row in rows], schema=dict.fromkeys(columns, pl.String), orient="row"
    )


def _previewed(row: dict[str, str]) -> PreviewedRow:
    source_row, result = (
        {name: _shortened(value) for name, value in orjson.loads(row[part]).items()}
        for part in ("source_row", "result")
    )
    rejected, warned = orjson.loads(row["rejected"]), orjson.loads(row["warned"])
    return PreviewedRow(source_row=source_row, result=result, rejected=rejected, warned=warned)


def _shortened(value: Any) -> Any:
    return (
        f"{value[:MAX_SHOWN_CHARACTERS]}..." if isinstance(value, str) and len(value) > MAX_SHOWN_CHARACTERS else value
    )
