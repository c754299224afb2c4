"""Guards on values: fields that a run empties, sets to one value or changes throughout, and totals that jump.

The rows that change are read first, and the whole table only where a field of these exceeds a limit.
"""

from collections.abc import Iterator, Mapping

from functions.sync.repository.value_changes import ChangedRows, FieldChanges
from shared.contracts.sync_run import GuardFinding, TableCounts
from shared.counties.configuration import Guards
from shared.db.models import SYNC_TARGETS
from shared.precedence.overrides import ATTRIBUTE_PREFIX, ATTRIBUTES

VALUES = ("land_value", "improvement_value", "total_value", "assessed_value")
"""Money columns: a revaluation changes them in every row, so they are judged by their totals by class."""

MIN_ROWS = 10
"""Fewer changed rows are single corrections, unless they are most of a small table (`_is_majority`). A choice, of the
order of what somebody edits in a day."""
MIN_CHANGED_ROWS = 20
"""Fewer changed rows of a column are not judged by their share: of 30 parcels half are soon corrected. A choice, twice
MIN_ROWS."""
MIN_CLASS_ROWS = 20
"""In a class of fewer rows one parcel has more than 5 % of the total. A choice."""
MAX_INCREMENTAL_EMPTIED_SHARE = 0.9
"""Of an incremental reading: a field that more of the rows read have lost is lost in the source, whatever its share of
the table. A choice: a batch of demolitions empties some fields of some rows, a dropped column empties all."""
_UNCOUNTED_FIELDS = ("geometry",)
"""Fields too large for their distinct values to be counted."""


def value_findings(
    rows: ChangedRows, guards: Guards, counts: TableCounts, fields: Mapping[str, FieldChanges], columns: tuple[str, ...]
) -> Iterator[GuardFinding]:
    """Every reason to wait in the values of one table.

    `fields`: changes by field; `columns`: the columns that the mapping fills.
    """
    suspects = {
        name: changes
        for name, changes in fields.items()
        if name != ATTRIBUTES and (_is_many(changes.emptied, counts) or _is_many(changes.changed, counts))
    }
    if suspects:
        filled_rows = rows.count_filled(list(suspects))
        for name, changes in suspects.items():
            yield from _field_findings(rows, guards, counts, name, changes, filled_rows[name])
    yield from _total_findings(rows, guards, fields, columns)


def _field_findings(
    rows: ChangedRows, guards: Guards, counts: TableCounts, name: str, changes: FieldChanges, filled_rows: int
) -> Iterator[GuardFinding]:
    limits = guards.of(rows.target, name)
    emptied = _share(changes.emptied, filled_rows)
    exceeds = emptied > limits.max_emptied_share and _is_many(changes.emptied, counts)
    lost = counts.read_by != "whole" and changes.emptied >= max(
        MIN_CHANGED_ROWS, MAX_INCREMENTAL_EMPTIED_SHARE * changes.filled
    )
    if exceeds or (lost and limits.max_emptied_share < 1):
        of, share = (filled_rows, emptied) if exceeds else (changes.filled, _share(changes.emptied, changes.filled))
        limit = float(limits.max_emptied_share) if exceeds else MAX_INCREMENTAL_EMPTIED_SHARE
        message = f"{name} would become empty in {changes.emptied:,} of {of:,} {'rows' if exceeds else 'changed rows'}"
        yield _finding(rows, "emptied_column", name, message, share, limit)
        return
    changed = _share(changes.changed, filled_rows)
    if not _is_many(changes.changed, counts) or changed <= limits.max_emptied_share:
        return
    before, after = rows.count_distinct(name) if name not in _UNCOUNTED_FIELDS else (changes.changed, changes.changed)
    # a column of one value that gets another one was recoded
    was_mixed = before > 1 or filled_rows > changes.changed
    if was_mixed and after == 1 and rows.becomes_single_valued(name):
        message = f"{name} would have one value throughout: {changes.changed:,} of {filled_rows:,} rows change"
        yield _finding(rows, "single_value", name, message, changed, float(limits.max_emptied_share))
        return
    judged = name not in VALUES and not name.startswith(ATTRIBUTE_PREFIX) and changes.changed >= MIN_CHANGED_ROWS
    if judged and changed > limits.max_changed_share and max(before, after) > 1:
        message = f"{name} would change in {changes.changed:,} of {filled_rows:,} rows"
        yield _finding(rows, "changed_column", name, message, changed, float(limits.max_changed_share))


def _total_findings(
    rows: ChangedRows, guards: Guards, fields: Mapping[str, FieldChanges], columns: tuple[str, ...]
) -> Iterator[GuardFinding]:
    """Findings on totals by property class; the whole table is read only where the changed rows exceed the limit."""
    table = SYNC_TARGETS[rows.target].__table__.columns
    if "property_class" not in table:
        return
    class_column = "s.property_class" if "property_class" in columns else None
    limit = guards.max_value_change
    for name in (column for column in VALUES if column in fields):
        differences = rows.class_differences(name, class_column)
        exceeds = {
            property_class: sums
            for property_class, sums in differences.items()
            if abs(sums.after - sums.before) > limit * abs(sums.before)
        }
        totals = rows.class_totals(name) if exceeds else {}
        for property_class, sums in sorted(exceeds.items(), key=lambda item: item[0] or ""):
            number, before = totals.get(property_class, (0, 0))
            difference = sums.after - sums.before
            if number < MIN_CLASS_ROWS or before <= 0 or abs(difference) <= limit * before:
                continue
            share = float(difference / before)
            message = (
                f"{name} of {property_class or 'parcels without a class'} would go from {before:,.0f} to"
                f" {before + difference:,.0f}"
            )
            yield _finding(rows, "value_total", name, message, share, float(limit), signed=True)


def _finding(
    rows: ChangedRows, guard: str, field: str, message: str, share: float, limit: float, *, signed: bool = False
) -> GuardFinding:
    percent = f"{share:+.0%}" if signed else f"{share:.0%}"
    detail = f"{message} ({percent}; the limit is {limit:.0%})".replace("%", " %")
    return GuardFinding.model_validate(
        {"guard": guard, "table": rows.target, "field": field, "detail": detail, "share": abs(share), "limit": limit}
    )


def _is_many(rows: int, counts: TableCounts) -> bool:
    """True where rows are more than single corrections: MIN_ROWS, or the majority of a small table."""
    return rows >= MIN_ROWS or _is_majority(rows, counts.known)


def _is_majority(rows: int, rows_of_table: int) -> bool:
    return rows > 1 and 2 * rows > rows_of_table


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
