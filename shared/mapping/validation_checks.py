"""What the rules of a mapping can get wrong: columns that no field fills, bounds of another type."""

from collections.abc import Iterator
from datetime import date

from shared.mapping.document import Path
from shared.mapping.faults import Fault, unknown
from shared.mapping.literals import unreadable
from shared.mapping.model import CountyMapping, FieldType, TableMapping
from shared.mapping.targets import TargetTable, target_tables
from shared.mapping.validations import Compare, Matches, Range, Reference, Rule, Total, Unique

TODAY, THIS_YEAR = "today", "this_year"
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.FLOAT})
_TIMES = frozenset({FieldType.DATE, FieldType.TIMESTAMP})


def validation_faults(mapping: CountyMapping, table: TableMapping, target: TargetTable, path: Path) -> Iterator[Fault]:
    """Every fault of a table's rules."""
    types = {field.target: field.type for field in table.field_map if field.column != "county_id"}
    for index, rule in enumerate(table.validations):
        where = (*path, "validations", index)
        strange = [name for name in rule.columns if name not in types]
        for name in strange:
            yield where, unknown(f"field of {target.name} in this mapping", name, types)
        if not strange:
            yield from _rule_faults(mapping, rule, types, target, where)


def _rule_faults(
    mapping: CountyMapping, rule: Rule, types: dict[str, FieldType], target: TargetTable, where: Path
) -> Iterator[Fault]:
    kind = types[rule.columns[0]]
    match rule:
        case Range():
            yield from _range_faults(rule, kind, where)
        case Matches() if kind is not FieldType.STRING:
            yield (*where, "field"), f"a pattern needs a string, and {rule.field} is {kind}"
        case Compare(other=other) if _sort(kind) != _sort(types[other]):
            yield (*where, "other"), f"{rule.field} is {kind} and {other} is {types[other]}: they do not compare"
        case Total():
            strange = (name for name in rule.columns if types[name] not in _NUMBERS)
            yield from ((where, f"a total needs numbers, and {name} is {types[name]}") for name in strange)
        case Unique():
            entries = (name for name in rule.fields if "." in name)
            yield from (((*where, "fields"), f"{name} is an entry of a JSON column, no column") for name in entries)
        case Reference(table=name):
            yield from _reference_faults(mapping, rule, name, target, where)
        case _:
            pass


def _range_faults(rule: Range, kind: FieldType, where: Path) -> Iterator[Fault]:
    for name, bound in (("min", rule.min), ("max", rule.max)):
        if bound is not None and (fault := _bound_fault(bound, kind)):
            yield (*where, name), fault


def _reference_faults(
    mapping: CountyMapping, rule: Reference, name: str, target: TargetTable, where: Path
) -> Iterator[Fault]:
    mapped = [table.target_table_name for table in mapping.table_mappings]
    if name not in target_tables():
        yield (*where, "table"), unknown("table", name, target_tables())
    elif name not in mapped:
        yield (*where, "table"), f"this mapping does not fill {name}"
    elif name == target.name:
        yield (*where, "table"), "a reference leads to another table"
    if "." in rule.field:
        yield (*where, "field"), f"{rule.field} is an entry of a JSON column, which cannot be a key"


def _bound_fault(bound: str, kind: FieldType) -> str | None:
    if kind in _TIMES:
        if bound == TODAY:
            return None
        try:
            date.fromisoformat(bound)
        except ValueError:
            return f"{bound!r} is no date (2015-01-31), nor `{TODAY}`"
        return None
    if kind in _NUMBERS:
        return None if bound == THIS_YEAR else unreadable(bound, FieldType.DECIMAL)
    return f"a range needs a number or a date, and the field is {kind}"


def _sort(kind: FieldType) -> str:
    return "number" if kind in _NUMBERS else "time" if kind in _TIMES else str(kind)
