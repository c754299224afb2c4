"""Rows in quarantine, and rows with warnings, as people look at them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from functions.sync.repository import findings, quarantine, runs, warnings
from functions.sync.schemas import Finding, FindingFilter, RejectedFilter, RejectedRow, RowState, WarnedRow
from functions.sync.service.change_views import exact
from functions.sync.service.run_views import MAX_PAGE, found
from shared import storage
from shared.csv_export.tables import CSV
from shared.db import unit_of_work
from shared.filters import require_known
from shared.jobs.lifecycle import digest
from shared.mapping import RULE_NAMES
from shared.mapping.targets import target_tables
from shared.paging import Page, decode_token, encode_token
from shared.precedence.overrides import ATTRIBUTE_PREFIX


def page(
    county_id: str,
    run_id: UUID,
    wanted: RejectedFilter,
    state: RowState | None,
    *,
    page_size: int,
    page_token: str | None,
) -> Page[RejectedRow]:
    """The rows that a run put into quarantine. Raises NotFound, Unprocessable for a rule or field that there is not."""
    require_known_rule(wanted.rule, wanted.field)
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
    require_known_rule(wanted.rule, wanted.field)
    name = f"{digest(wanted)[:16]}-{state or 'all'}.csv"
    key = storage.county_key(county_id, "sync", str(run_id), "rejected-rows", name)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        with unit_of_work(county_id) as connection:
            found(runs.find(connection, county_id, run_id), county_id, run_id)
            quarantine.export(connection, county_id, run_id, wanted, is_open=_is_open(state), target=file)
        storage.put_file(key, file, CSV)
    return storage.signed_url(key, f"rejected-rows-{run_id}.csv", CSV)


def findings_page(
    county_id: str, run_id: UUID, wanted: FindingFilter, *, page_size: int, page_token: str | None
) -> Page[Finding]:
    """What a run found of single rows. Raises NotFound."""
    query = ["sync-findings", county_id, str(run_id), wanted.model_dump()]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, int)
    with unit_of_work(county_id) as connection:
        found(runs.find(connection, county_id, run_id), county_id, run_id)
        rows = findings.page(connection, county_id, run_id, wanted, after=after[0] if after else 0, limit=size + 1)
    items = [
        Finding(
            finding_no=row.finding_no,
            kind=row.kind,
            table=row.table_name,
            key=row.row_key,
            field=row.field,
            details=_details(row.table_name, row.field, row.details),
        )
        for row in rows[:size]
    ]
    token = encode_token(query, [str(items[-1].finding_no)]) if len(rows) > size else None
    return Page[Finding](items=items, next_page_token=token)


def _details(table: str, field: str | None, details: dict[str, Any]) -> dict[str, Any]:
    """Values of the row's fields as they are shown everywhere."""
    values = {"decided", "source_before", "source"}
    return {
        name: exact(table, field, value) if field and name in values else exact(table, name, value)
        for name, value in details.items()
    }


def warnings_page(
    county_id: str, run_id: UUID, *, table: str | None, rule: str | None, page_size: int, page_token: str | None
) -> Page[WarnedRow]:
    """The rows that a run took with a warning. Raises NotFound, Unprocessable for a rule that there is not."""
    require_known_rule(rule, None)
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


def require_known_rule(rule: str | None, field: str | None) -> None:
    """Raise Unprocessable for a rule or a field that no reason names."""
    require_known("rule", rule, RULE_NAMES)
    if field is None or not field.startswith(ATTRIBUTE_PREFIX):
        fields = {name for table in target_tables().values() for name in table.columns}
        require_known("field", field, fields | {"county_id"})
