"""When the values that a run brings are so unlike those before that a person has to look first.

Nothing of a table is read but the rows that change, until some field of these goes beyond what is usual.
"""

from collections.abc import Iterator, Mapping

from functions.sync.repository.value_changes import ChangedRows, FieldChanges
from functions.sync.schemas import GuardFinding, TableCounts
from shared.counties.configuration import Guards
from shared.db.models import SYNC_TARGETS
from shared.precedence.overrides import ATTRIBUTE_PREFIX, ATTRIBUTES

VALUES = ("land_value", "improvement_value", "total_value", "assessed_value")
"""Columns that a revaluation changes in every row: judged by their totals."""

MIN_ROWS = 10
"""Fewer rows than this are somebody's corrections, unless the table is small (`_is_most_of`)."""
MIN_CHANGED_ROWS = 20
"""A column of fewer changed rows is not judged by their share: of 30 parcels half are soon corrected."""
MIN_CLASS_ROWS = 20
"""In a class of fewer rows a single sale or permit moves the total."""
CHANGED_ONLY_SHARE = 0.9
"""Of a reading of what changed: a field that nearly every row which it read has lost is lost in the source, whatever
its share of the table. A batch of demolitions empties some fields of some rows."""
_UNCOUNTED = ("geometry",)
"""Too large for their different values to be counted."""


def findings_of(
    rows: ChangedRows, guards: Guards, counts: TableCounts, fields: Mapping[str, FieldChanges], columns: tuple[str, ...]
) -> Iterator[GuardFinding]:
    """Every reason to wait that lies in the values of one table."""
    suspects = {
        name: changes
        for name, changes in fields.items()
        if name != ATTRIBUTES and (_is_many(changes.emptied, counts) or _is_many(changes.changed, counts))
    }
    if suspects:
        known = rows.filled_in_all(list(suspects))
        for name, changes in suspects.items():
            yield from _of_field(rows, guards, counts, name, changes, known[name])
    yield from _of_totals(rows, guards, fields, columns)


def _of_field(
    rows: ChangedRows, guards: Guards, counts: TableCounts, name: str, changes: FieldChanges, known: int
) -> Iterator[GuardFinding]:
    limits = guards.of(rows.target, name)
    emptied = _share(changes.emptied, known)
    beyond = emptied > limits.max_emptied_share and _is_many(changes.emptied, counts)
    lost = counts.read_by != "whole" and changes.emptied >= max(MIN_CHANGED_ROWS, CHANGED_ONLY_SHARE * changes.filled)
    if beyond or (lost and limits.max_emptied_share < 1):
        of, share = (known, emptied) if beyond else (changes.filled, _share(changes.emptied, changes.filled))
        limit = float(limits.max_emptied_share) if beyond else CHANGED_ONLY_SHARE
        said = f"{name} would become empty in {changes.emptied:,} of {of:,} {'rows' if beyond else 'changed rows'}"
        yield _finding(rows, "emptied_column", name, said, share, limit)
        return
    changed = _share(changes.changed, known)
    if not _is_many(changes.changed, counts) or changed <= limits.max_emptied_share:
        return
    before, after = rows.kinds(name) if name not in _UNCOUNTED else (changes.changed, changes.changed)
    # a column of one value that gets another one is coded anew
    was_mixed = before > 1 or known > changes.changed
    if was_mixed and after == 1 and rows.is_one_value(name):
        said = f"{name} would have one value throughout: {changes.changed:,} of {known:,} rows change"
        yield _finding(rows, "single_value", name, said, changed, float(limits.max_emptied_share))
        return
    judged = name not in VALUES and not name.startswith(ATTRIBUTE_PREFIX) and changes.changed >= MIN_CHANGED_ROWS
    if judged and changed > limits.max_changed_share and max(before, after) > 1:
        said = f"{name} would change in {changes.changed:,} of {known:,} rows"
        yield _finding(rows, "changed_column", name, said, changed, float(limits.max_changed_share))


def _of_totals(
    rows: ChangedRows, guards: Guards, fields: Mapping[str, FieldChanges], columns: tuple[str, ...]
) -> Iterator[GuardFinding]:
    """Totals of values by property class, the whole table read only where the changed rows alone go beyond."""
    table = SYNC_TARGETS[rows.target].__table__.columns
    if "property_class" not in table:
        return
    class_column = "s.property_class" if "property_class" in columns else None
    limit = guards.max_value_change
    for name in (one for one in VALUES if one in fields):
        differences = rows.class_differences(name, class_column)
        beyond = {
            one: sums for one, sums in differences.items() if abs(sums.after - sums.before) > limit * abs(sums.before)
        }
        totals = rows.class_totals(name) if beyond else {}
        for property_class, sums in sorted(beyond.items(), key=lambda one: one[0] or ""):
            number, before = totals.get(property_class, (0, 0))
            difference = sums.after - sums.before
            if number < MIN_CLASS_ROWS or before <= 0 or abs(difference) <= limit * before:
                continue
            share = float(difference / before)
            said = (
                f"{name} of {property_class or 'parcels without a class'} would go from {before:,.0f} to"
                f" {before + difference:,.0f}"
            )
            yield _finding(rows, "value_total", name, said, share, float(limit), signed=True)


def _finding(
    rows: ChangedRows, guard: str, field: str, said: str, share: float, limit: float, *, signed: bool = False
) -> GuardFinding:
    percent = f"{share:+.0%}" if signed else f"{share:.0%}"
    detail = f"{said} ({percent}; the limit is {limit:.0%})".replace("%", " %")
    return GuardFinding.model_validate(
        {"guard": guard, "table": rows.target, "field": field, "detail": detail, "share": abs(share), "limit": limit}
    )


def _is_many(rows: int, counts: TableCounts) -> bool:
    """Whether rows are more than single corrections: ten, or in a small table most of it."""
    return rows >= MIN_ROWS or _is_most_of(rows, counts.known)


def _is_most_of(rows: int, known: int) -> bool:
    return rows > 1 and 2 * rows > known


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
