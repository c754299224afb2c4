"""The comparison of decided values with the row that the county's system has now."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from shared.mapping import CountyMapping, FieldMap
from shared.mapping.language.inversion import NotInvertibleError, Value, canonical, invert

MappedRow = Mapping[str, Any]
"""A row of a target table as the mapping reads it from the system: values by field, `attributes.NAME` for entries."""


@dataclass(frozen=True)
class DecidedValue:
    """A value that was decided here, and the source's value that it stood against."""

    field: str
    value: Any
    source_value: Any


@dataclass(frozen=True)
class ColumnChange:
    """A column of the system: what it has, and what it is to have; `reason` says why it is not written."""

    field: str
    column: str
    outcome: str
    read_value: Value
    new_value: Value
    reason: str | None = None


@dataclass(frozen=True)
class RowComparison:
    """The columns of one row of the system that differ from what was decided, and how many do not."""

    changes: tuple[ColumnChange, ...]
    already_there: int

    @property
    def is_written(self) -> bool:
        """True where there is something to write, and nothing that forbids it."""
        return bool(self.changes) and all(change.outcome == "changed" for change in self.changes)


@dataclass(frozen=True)
class WayBack:
    """The fields of a target table that go back, by the system's columns."""

    mapping: CountyMapping
    columns: Mapping[str, FieldMap]

    def column_of(self, field: str) -> str | None:
        """The column of a field; None for one that does not go back."""
        return next((column for column, own in self.columns.items() if own.target == field), None)

    def read_name(self, column: str) -> str:
        """The name under which the mapping reads a column, which a query may have given it."""
        return self.columns[column].sources[0]


def compare(way: WayBack, raw: Mapping[str, Value], mapped: MappedRow, decided: list[DecidedValue]) -> RowComparison:
    """Compare a row of the system (`raw` as it was read, `mapped` as the mapping reads it) with decided values.

    One column that has changed in between, or whose new text is not known, keeps the whole row from being written:
    half of a decision would be a value that nobody decided.
    """
    changes, already_there = list[ColumnChange](), 0
    for value in decided:
        column = way.column_of(value.field)
        if column is None:
            continue
        change = _compared(way, column, raw[way.read_name(column)], mapped.get(value.field), value)
        if change is None:
            already_there += 1
        else:
            changes.append(change)
    return RowComparison(_together(changes), already_there)


def prove(
    row: RowComparison, mapped: MappedRow, again: MappedRow | None, decided: list[DecidedValue], way: WayBack
) -> RowComparison:
    """Confirm that the mapping reads the new texts as what was decided, and every other field as before.

    `again` is the row as the mapping would read it after the writing; None where it would reject it.
    """
    if not row.is_written:
        return row
    intended = {value.field: value.value for value in decided if way.column_of(value.field) is not None}
    reason = _difference(way, mapped, again, intended)
    if reason is None:
        return row
    refused = tuple(replace(change, outcome="not_invertible", reason=reason) for change in row.changes)
    return RowComparison(refused, row.already_there)


def _compared(way: WayBack, column: str, read: Value, present: Any, decided: DecidedValue) -> ColumnChange | None:
    field = way.columns[column]
    now = canonical(present, field.type)
    wanted, stood_against = canonical(decided.value, field.type), canonical(decided.source_value, field.type)
    if now == wanted:
        return None
    try:
        new = invert(field, way.mapping.value_maps, wanted)
    except NotInvertibleError as error:
        return ColumnChange(field.target, column, "not_invertible", read, None, str(error))
    if now != stood_against:
        reason = f"the decision stood against {_shown(stood_against)}, and the system has {_shown(now)}"
        return ColumnChange(field.target, column, "changed_in_between", read, new, reason)
    return ColumnChange(field.target, column, "changed", read, new)


def _together(changes: list[ColumnChange]) -> tuple[ColumnChange, ...]:
    """The changes of a row, none of which is written where one cannot be."""
    obstacle = next((change for change in changes if change.outcome != "changed"), None)
    if obstacle is None:
        return tuple(changes)
    reason = f"{obstacle.column} of the same row is not written"
    return tuple(
        replace(change, outcome=obstacle.outcome, reason=reason) if change.outcome == "changed" else change
        for change in changes
    )


def _difference(way: WayBack, before: MappedRow, again: MappedRow | None, intended: Mapping[str, Any]) -> str | None:
    """The difference of the row from what was decided; None where there is none."""
    if again is None:
        return "the mapping would reject the row with its new values"
    for name in {**before, **again}:
        if name in intended:
            field = next(field for field in way.columns.values() if field.target == name)
            if canonical(again.get(name), field.type) != canonical(intended[name], field.type):
                return f"the mapping would read {name} as {_shown(again.get(name))}"
        elif before.get(name) != again.get(name):
            return f"the mapping would read another {name} too"
    return None


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"'{value}'"
