"""Rows in quarantine, and rows with warnings, as people look at them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from functions.sync.repository import quarantine, runs, warnings
from functions.sync.schemas import RejectedFilter, RejectedRow, RowState, WarnedRow
from functions.sync.service.showing import MAX_PAGE, found
from shared import storage
from shared.db import unit_of_work
from shared.jobs.lifecycle import digest
from shared.paging import Page, decode_token, encode_token
from shared.tables import CSV


def page(
    county_id: str,
    run_id: UUID,
    wanted: RejectedFilter,
    state: RowState | None,
    *,
    page_size: int,
    page_token: str | None,
) -> Page[RejectedRow]:
    """The rows that a run put into quarantine. Raises NotFound."""
    query = ["sync-rejected", county_id, str(run_id), wanted.model_dump(), state]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, int)
    with unit_of_work(county_id) as connection:
        found(runs.find(connection, county_id, run_id), county_id, run_id)
        rows = quarantine.page(
            connection,
            county_id,
            run_id,
            wanted,
            is_open=_is_open(state),
            after=after[0] if after else 0,
            limit=size + 1,
        )
    items = [
        RejectedRow(
            row_no=row.row_no,
            table=row.table_name,
            source_key=row.source_key,
            source_row=row.source_row,
            reasons=row.reasons,
            resolution=row.resolution,
            resolved_by_run=row.resolved_by_run,
            resolved_at=row.resolved_at,
        )
        for row in rows[:size]
    ]
    token = encode_token(query, [str(items[-1].row_no)]) if len(rows) > size else None
    return Page[RejectedRow](items=items, next_page_token=token)


def export_url(county_id: str, run_id: UUID, wanted: RejectedFilter, state: RowState | None) -> str:
    """A signed address of the rows as CSV, made when it is asked for. Raises NotFound."""
    name = f"{digest(wanted)[:16]}-{state or 'all'}.csv"
    key = storage.county_key(county_id, "sync", str(run_id), "rejected-rows", name)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        with unit_of_work(county_id) as connection:
            found(runs.find(connection, county_id, run_id), county_id, run_id)
            quarantine.export(connection, county_id, run_id, wanted, is_open=_is_open(state), target=file)
        storage.put_file(key, file, CSV)
    return storage.signed_url(key, f"rejected-rows-{run_id}.csv", CSV)


def warnings_page(
    county_id: str, run_id: UUID, *, table: str | None, rule: str | None, page_size: int, page_token: str | None
) -> Page[WarnedRow]:
    """The rows that a run took with a warning. Raises NotFound."""
    query = ["sync-warnings", county_id, str(run_id), table, rule]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, int)
    with unit_of_work(county_id) as connection:
        found(runs.find(connection, county_id, run_id), county_id, run_id)
        rows = warnings.page(
            connection, county_id, run_id, table=table, rule=rule, after=after[0] if after else 0, limit=size + 1
        )
    items = [
        WarnedRow(
            row_no=row.row_no,
            table=row.table_name,
            source_key=row.source_key,
            target_key=row.target_key,
            source_row=row.source_row,
            reasons=row.reasons,
        )
        for row in rows[:size]
    ]
    token = encode_token(query, [str(items[-1].row_no)]) if len(rows) > size else None
    return Page[WarnedRow](items=items, next_page_token=token)


def _is_open(state: RowState | None) -> bool | None:
    return None if state is None else state == "open"
