"""Changes of a run, waiting or applied: row by row, and in total."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from functions.sync.domain.runs import RunState
from functions.sync.repository import changes, runs
from functions.sync.run_data import filled_columns, mapping_of
from functions.sync.schemas.runs import ChangeFilter, ChangeSummary, FieldChange, RowChange
from functions.sync.service.pages import MAX_PAGE, require_run
from shared.db import unit_of_work
from shared.db.models import PROVENANCE, SYNC_TARGETS
from shared.mapping.targets import ColumnKind, target_tables
from shared.paging import Page, decode_token, encode_token
from shared.precedence.field_changes import changed_fields
from shared.precedence.overrides import ATTRIBUTE_PREFIX, ATTRIBUTES
from shared.problems import Conflict, Unprocessable
from shared.rolls.totals import compare_by_class, sum_of_classes, totals_of

_NOT_SHOWN = PROVENANCE | {"action", "held", "base_version", "partition_no", "location"}
_ROLL = "properties_operational"


def page(
    county_id: str, run_id: UUID, row_filter: ChangeFilter, *, page_size: int, page_token: str | None
) -> Page[RowChange]:
    """A page of the changes of a run, waiting or applied, by table and key.

    Raises NotFound, Unprocessable for an unknown table or field, Conflict for a run without changes to show.
    """
    query = ["sync-changes", county_id, str(run_id), row_filter.model_dump()]
    size = min(page_size, MAX_PAGE)
    after = decode_token(query, page_token, str, str)
    tables = _tables(row_filter)
    with unit_of_work(county_id) as connection:
        run = _with_changes(connection, county_id, run_id)
        items: list[RowChange] = []
        for table in tables:
            if (after and _position(table) < _position(after[0])) or not _may_have_changes(run, table, row_filter):
                continue
            read = changes.applied_page if run.applied_at else changes.staged_page
            last = after[1] if after and after[0] == table else None
            rows = read(connection, county_id, run_id, table, row_filter, after=last, limit=size + 1 - len(items))
            items += [_row_change(table, *row) for row in rows]
            if len(items) > size:
                break
    more = len(items) > size
    items = items[:size]
    token = encode_token(query, [items[-1].table, items[-1].key]) if more else None
    return Page[RowChange](items=items, next_page_token=token)


def summary(county_id: str, run_id: UUID) -> ChangeSummary:
    """The changes of a run in total. Raises NotFound, Conflict for a run without changes to show."""
    with unit_of_work(county_id) as connection:
        run = _with_changes(connection, county_id, run_id)
        if run.applied_at is not None:
            before = totals_of(connection, county_id, run.applied_at, "just before")
            after = totals_of(connection, county_id, run.applied_at)
        elif _ROLL in run.plan:
            columns = filled_columns(run, mapping_of(county_id, run_id), _ROLL)
            before, after = changes.staged_totals(connection, county_id, run_id, columns)
        else:
            before, after = {}, {}
    return ChangeSummary(
        guard_findings=run.guard_findings,
        tables=run.tables,
        before=sum_of_classes(before),
        after=sum_of_classes(after),
        property_classes=compare_by_class(before, after),
    )


def _with_changes(connection: Connection, county_id: str, run_id: UUID) -> RunState:
    run = require_run(runs.find(connection, county_id, run_id), county_id, run_id)
    if run.applied_at is None and run.status != "awaiting_approval":
        raise Conflict(f"The run is {run.status}: there are no changes to look at.", slug="no-changes-to-show")
    return run


def _tables(row_filter: ChangeFilter) -> list[str]:
    """The tables that a filter allows."""
    tables = [name for name in SYNC_TARGETS if row_filter.table in (None, name)]
    if row_filter.field is None:
        return tables
    column = ATTRIBUTES if row_filter.field.startswith(ATTRIBUTE_PREFIX) else row_filter.field
    with_field = [name for name in tables if column in target_tables()[name].columns]
    if not with_field:
        raise Unprocessable(
            f"{' and '.join(tables)} have no field {row_filter.field}.", pointer="/query/field", slug="field-unknown"
        )
    return with_field


def _may_have_changes(run: RunState, table: str, row_filter: ChangeFilter) -> bool:
    """False where the run's counts show that it has no such change."""
    counts = run.tables.get(table)
    if counts is None or counts.differences == 0:
        return False
    return row_filter.field is None or row_filter.field in counts.changed_fields


def _row_change(table: str, key: str, change: Any, before: dict[str, Any], after: dict[str, Any]) -> RowChange:
    if before and after:  # a staged row has only the columns that the mapping fills
        before = {name: value for name, value in before.items() if name in after}
    old, new = ({name: value for name, value in row.items() if name not in _NOT_SHOWN} for row in (before, after))
    fields = [
        FieldChange(field=name, old=json_value(table, name, was), new=json_value(table, name, now))
        for name, (was, now) in sorted(changed_fields(old, new).items())
    ]
    return RowChange(
        table=table,
        key=key,
        change=change,
        fields=[change for change in fields if change.old is not None or change.new is not None],
    )


def json_value(table: str, name: str, value: Any) -> Any:
    """A field's value as JSON; money and quantities as decimal text, since JSON numbers are read as floats."""
    column = target_tables()[table].columns.get(name)
    if value is None or column is None or column.kind is not ColumnKind.NUMERIC:
        return value
    return str(Decimal(str(value)).quantize(Decimal(1).scaleb(-column.scale)))


def _position(table: str) -> int:
    return list(SYNC_TARGETS).index(table)
