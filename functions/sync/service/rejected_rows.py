"""Rejected rows, warnings and findings of a run, listed and exported."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from functions.sync.repository import findings, quarantine, runs, warnings
from functions.sync.schemas.runs import Finding, FindingFilter, RejectedFilter, RejectedRow, RowState, WarnedRow
from functions.sync.service.change_views import json_value
from functions.sync.service.pages import AnyRow, from_row, page_of_run, require_run
from shared import storage
from shared.csv_export.tables import CSV
from shared.db import unit_of_work
from shared.filters import require_known
from shared.jobs.lifecycle import digest
from shared.mapping import RULE_NAMES
from shared.mapping.targets import target_tables
from shared.paging import Page
from shared.precedence.overrides import ATTRIBUTE_PREFIX


def page(
    county_id: str,
    run_id: UUID,
    row_filter: RejectedFilter,
    state: RowState | None,
    *,
    page_size: int,
    page_token: str | None,
) -> Page[RejectedRow]:
    """The rows that a run rejected. Raises NotFound, Unprocessable for an unknown rule or field."""
    require_known_rule(row_filter.rule, row_filter.field)
    return page_of_run(
        county_id,
        run_id,
        ["sync-rejected", row_filter.model_dump(), state],
        parse=[int],
        read=lambda connection, after, limit: quarantine.page(
            connection,
            county_id,
            run_id,
            row_filter,
            is_open=_is_open(state),
            after=_number(after),
            limit=limit,
        ),
        to_item=lambda row: from_row(RejectedRow, row, table=row.table_name),
        key=lambda row: [str(row.row_no)],
        page_size=page_size,
        page_token=page_token,
    )


def export_url(county_id: str, run_id: UUID, row_filter: RejectedFilter, state: RowState | None) -> str:
    """Export the rows as CSV, and return a signed address of the file. Raises as `page`."""
    require_known_rule(row_filter.rule, row_filter.field)
    name = f"{digest(row_filter)[:16]}-{state or 'all'}.csv"
    key = storage.county_key(county_id, "sync", str(run_id), "rejected-rows", name)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        with unit_of_work(county_id) as connection:
            require_run(runs.find(connection, county_id, run_id), county_id, run_id)
            quarantine.export(connection, county_id, run_id, row_filter, is_open=_is_open(state), target=file)
        storage.put_file(key, file, CSV)
    return storage.signed_url(key, f"rejected-rows-{run_id}.csv", CSV)


def findings_page(
    county_id: str, run_id: UUID, row_filter: FindingFilter, *, page_size: int, page_token: str | None
) -> Page[Finding]:
    """The findings of a run on single rows. Raises NotFound."""
    return page_of_run(
        county_id,
        run_id,
        ["sync-findings", row_filter.model_dump()],
        parse=[int],
        read=lambda connection, after, limit: findings.page(
            connection, county_id, run_id, row_filter, after=_number(after), limit=limit
        ),
        to_item=_finding,
        key=lambda finding: [str(finding.finding_no)],
        page_size=page_size,
        page_token=page_token,
    )


def _finding(row: AnyRow) -> Finding:
    """The finding, with values of the row's fields as JSON everywhere has them."""
    table, field = row.table_name, row.field
    of_field = {"decided", "source_before", "source"}
    details = {
        name: json_value(table, field if field and name in of_field else name, value)
        for name, value in row.details.items()
    }
    return from_row(Finding, row, table=table, key=row.row_key, details=details)


def warnings_page(
    county_id: str, run_id: UUID, *, table: str | None, rule: str | None, page_size: int, page_token: str | None
) -> Page[WarnedRow]:
    """The rows that a run took with a warning. Raises NotFound, Unprocessable for an unknown rule."""
    require_known_rule(rule, None)
    return page_of_run(
        county_id,
        run_id,
        ["sync-warnings", table, rule],
        parse=[int],
        read=lambda connection, after, limit: warnings.page(
            connection, county_id, run_id, table=table, rule=rule, after=_number(after), limit=limit
        ),
        to_item=lambda row: from_row(WarnedRow, row, table=row.table_name),
        key=lambda row: [str(row.row_no)],
        page_size=page_size,
        page_token=page_token,
    )


def _number(after: tuple[Any, ...] | None) -> int:
    """The number of the last row of the previous page; 0 for the first page."""
    return int(after[0]) if after else 0


def _is_open(state: RowState | None) -> bool | None:
    return None if state is None else state == "open"


def require_known_rule(rule: str | None, field: str | None) -> None:
    """Raise Unprocessable for a rule or a field that no reason names."""
    require_known("rule", rule, RULE_NAMES)
    if field is None or not field.startswith(ATTRIBUTE_PREFIX):
        fields = {name for table in target_tables().values() for name in table.columns}
        require_known("field", field, fields | {"county_id"})
