"""What the rules of a mapping can get wrong: columns that no field fills, bounds of another type."""

from collections.abc import Iterator
from datetime import date

from shared.mapping.language.document import Path
from shared.mapping.language.faults import Fault, unknown
from shared.mapping.language.literals import unreadable
from shared.mapping.language.model import CountyMapping, FieldType, TableMapping
from shared.mapping.language.wellformed import FIELDS, TABLES, Gaps
from shared.mapping.rules.rule_models import Compare, Matches, Range, Reference, Rule, Total, Unique
from shared.mapping.targets import target_tables

TODAY, THIS_YEAR = "today", "this_year"
_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.FLOAT})
_TIMES = frozenset({FieldType.DATE, FieldType.TIMESTAMP})


Types = dict[str, FieldType | None]
"""The type of each field by its target, None where it could not be read."""


def validation_faults(mapping: CountyMapping, table: TableMapping, path: Path, gaps: Gaps) -> Iterator[Fault]:
    """Every fault of a table's rules."""
    fields, target = (*path, FIELDS), target_tables().get(table.target_table_name)
    types: Types = {
        field.target: None if (*fields, index, "type") in gaps.malformed else field.type
        for index, field in enumerate(table.field_map)
        if field.column != "county_id" and not gaps.malformed & {fields, (*fields, index, "target")}
    }
    for index, rule in enumerate(table.validations):
        where = (*path, "validations", index)
        strange = [name for name in rule.columns if name not in types]
        if fields in gaps.incomplete:  # a field that cannot be read may fill any column of the table
            strange = [name for name in strange if target is not None and name.partition(".")[0] not in target.columns]
        for name in strange:
            yield where, unknown("field of this table mapping", name, types)
        if not strange:
            yield from _rule_faults(rule, types, where)
            if isinstance(rule, Reference):
                yield from _reference_faults(mapping, rule, table.target_table_name, where, gaps)


def _rule_faults(rule: Rule, types: Types, where: Path) -> Iterator[Fault]:
    """What does not go together with the types of a rule's fields, as far as they are known."""
    known = {name: kind for name in rule.columns if (kind := types.get(name)) is not None}
    match rule:
        case Range(field=name) if name in known:
            yield from _range_faults(rule, known[name], where)
        case Matches(field=name) if known.get(name, FieldType.STRING) is not FieldType.STRING:
            yield (*where, "field"), f"a pattern needs a string, and {name} is {known[name]}"
        case Compare(field=name, other=other) if len({_sort(kind) for kind in known.values()}) > 1:
            yield (*where, "other"), f"{name} is {known[name]} and {other} is {known[other]}: they do not compare"
        case Total():
            strange = (name for name in rule.columns if name in known and known[name] not in _NUMBERS)
            yield from ((where, f"a total needs numbers, and {name} is {known[name]}") for name in strange)
        case Unique():
            entries = (name for name in rule.fields if "." in name)
            yield from (((*where, "fields"), f"{name} is an entry of a JSON column, no column") for name in entries)
        case _:
            pass


def _range_faults(rule: Range, kind: FieldType, where: Path) -> Iterator[Fault]:
    for name, bound in (("min", rule.min), ("max", rule.max)):
        if bound is not None and (fault := _bound_fault(bound, kind)):
            yield (*where, name), fault


def _reference_faults(mapping: CountyMapping, rule: Reference, own: str, where: Path, gaps: Gaps) -> Iterator[Fault]:
    name = rule.table
    mapped = [table.target_table_name for table in mapping.table_mappings]
    if name not in target_tables():
        yield (*where, "table"), unknown("table", name, target_tables())
    elif name not in mapped and (TABLES,) not in gaps.incomplete:
        yield (*where, "table"), f"this mapping does not fill {name}"
    elif name == own:
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
