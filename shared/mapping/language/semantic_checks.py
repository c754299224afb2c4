"""Semantic checks: errors of a mapping whose form is correct. Each check yields its errors as (path, message)."""

import re
from collections.abc import Iterator
from datetime import date, datetime

from shared.mapping.language.errors import COLUMN_SYNONYMS, ElementError, Path, unknown_name
from shared.mapping.language.literals import literal_error
from shared.mapping.language.model import ConfigName, CountyMapping, FieldMap, FieldType, LookupTable, TableMapping
from shared.mapping.language.wellformed import FIELDS, LOOKUPS, TABLES, VALUE_MAPS, Gaps
from shared.mapping.language.write_back_checks import write_back_errors
from shared.mapping.rules.rule_models import (
    THIS_YEAR,
    TODAY,
    Compare,
    Matches,
    Range,
    Reference,
    Rule,
    Total,
    Unique,
)
from shared.mapping.targets import ColumnKind, TargetColumn, TargetTable, target_tables
from shared.mapping.transformations import Add, Constant, Lookup, ParseDate, ParseTimestamp, ValueMap
from shared.mapping.transformations.step import Step, ValueKind

FIELD_TYPES: dict[ColumnKind, frozenset[FieldType]] = {
    ColumnKind.TEXT: frozenset({FieldType.STRING}),
    ColumnKind.INTEGER: frozenset({FieldType.INTEGER}),
    ColumnKind.NUMERIC: frozenset({FieldType.DECIMAL, FieldType.MONEY, FieldType.INTEGER}),
    ColumnKind.FLOAT: frozenset({FieldType.FLOAT, FieldType.DECIMAL, FieldType.INTEGER}),
    ColumnKind.DATE: frozenset({FieldType.DATE}),
    ColumnKind.TIMESTAMP: frozenset({FieldType.TIMESTAMP}),
    ColumnKind.BOOLEAN: frozenset({FieldType.BOOLEAN}),
    ColumnKind.JSON: frozenset({FieldType.JSON, FieldType.LIST}),
    ColumnKind.GEOMETRY: frozenset({FieldType.GEOMETRY}),
}
"""The types of a field that can fill a column."""

_ENTRY_TYPES = frozenset(FieldType) - {FieldType.JSON, FieldType.GEOMETRY}

_NUMBERS = frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.FLOAT})
_TIMES = frozenset({FieldType.DATE, FieldType.TIMESTAMP})

_READABLE_TYPES: dict[ValueKind, frozenset[FieldType]] = {
    ValueKind.TEXT: frozenset(FieldType),
    ValueKind.NUMBER: frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.FLOAT}),
    ValueKind.DATE: frozenset({FieldType.DATE, FieldType.STRING}),
    ValueKind.TIMESTAMP: frozenset({FieldType.TIMESTAMP, FieldType.DATE, FieldType.STRING}),
}


Types = dict[str, FieldType | None]
"""The type of each field by its target, None where it could not be read."""


def semantic_errors(mapping: CountyMapping, gaps: Gaps, *, partial: bool = False) -> Iterator[ElementError]:
    """The semantic errors of the well-formed part of a mapping; `gaps` is the rest. `partial` as in `parse_mapping`."""
    return (error for error in _all_errors(mapping, gaps, partial) if not gaps.cover(error[0]))


def _all_errors(mapping: CountyMapping, gaps: Gaps, partial: bool) -> Iterator[ElementError]:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", mapping.county_id_default):
        yield ("county_id_default",), f"{mapping.county_id_default!r} is not a county's id, like benton_wa"
    seen: set[str] = set()
    for index, table in enumerate(mapping.table_mappings):
        path: Path = ("table_mappings", index)
        if table.target_table_name in seen:
            yield (*path, "target_table_name"), f"{table.target_table_name} is filled by another table mapping already"
        seen.add(table.target_table_name)
        yield from _source_errors(table, path)
        target = target_tables().get(table.target_table_name)
        if target is None:
            yield (*path, "target_table_name"), unknown_name("table", table.target_table_name, target_tables())
        else:
            yield from _key_errors(table, target, path)
            if not partial:
                yield from _unfilled_errors(table, target, path, gaps)
            yield from _attribute_errors(table, target, path)
        yield from _field_errors(mapping, table, target, path, gaps)
        yield from _rules_errors(mapping, table, path, gaps)
    for name, lookup in mapping.lookups.items():
        yield from _lookup_errors(lookup, ("lookups", name))
    if gaps == Gaps():  # the way back depends on all of the way here
        yield from write_back_errors(mapping)


def _source_errors(table: TableMapping | LookupTable, path: Path) -> Iterator[ElementError]:
    if (table.source_table_name is None) == (table.source_query is None):
        yield path, "give either `source_table_name` or `source_query`"
    query = table.source_query
    if query is not None and not re.match(r"\s*(select|with)\b", query, re.IGNORECASE):
        yield (*path, "source_query"), "a source query begins with SELECT or WITH"
    if query is not None and ";" in query:
        yield (*path, "source_query"), "a source query is one statement, without a semicolon"


def _lookup_errors(lookup: LookupTable, path: Path) -> Iterator[ElementError]:
    yield from _source_errors(lookup, path)
    if len({*lookup.key, *lookup.columns}) < len(lookup.key) + len(lookup.columns):
        yield (*path, "columns"), "a column stands in the key or among the columns twice"


def _attribute_errors(table: TableMapping, target: TargetTable, path: Path) -> Iterator[ElementError]:
    if table.attributes.unmapped == "keep" and "attributes" not in target.columns:
        yield (*path, "attributes"), f"{target.name} has no column `attributes` to keep unmapped columns in"
    if table.attributes.unmapped == "keep" and any(field.target == "attributes" for field in table.field_map):
        yield (*path, "attributes"), "a field fills `attributes` as a whole, so nothing can be kept there"


def _key_errors(table: TableMapping, target: TargetTable, path: Path) -> Iterator[ElementError]:
    if len(set(table.primary_key_source_fields)) < len(table.primary_key_source_fields):
        yield (*path, "primary_key_source_fields"), "a field stands here twice"
    if table.key != target.key:
        yield (*path, "primary_key_target_fields"), f"the key of {target.name} is {target.key}, not {table.key}"


def _unfilled_errors(table: TableMapping, target: TargetTable, path: Path, gaps: Gaps) -> Iterator[ElementError]:
    if (*path, FIELDS) in gaps.incomplete:
        return
    mapped = {field.target for field in table.field_map}
    for column in target.columns.values():
        if column.required and column.name not in mapped:
            yield (*path, "field_map"), f"{target.name}.{column.name} is required, and no field fills it"


def _field_errors(
    mapping: CountyMapping, table: TableMapping, target: TargetTable | None, path: Path, gaps: Gaps
) -> Iterator[ElementError]:
    seen: set[str] = set()
    for index, field in enumerate(table.field_map):
        field_path = (*path, "field_map", index)
        if field.target in seen or (field.entry and field.column in seen):
            yield (*field_path, "target"), f"{field.target} is filled by another field already"
        seen.add(field.target)
        if target is not None:
            yield from _column_errors(field, target, field_path)
        yield from _origin_errors(field, field_path)
        yield from _chain_errors(mapping, field, field_path, gaps)


def _column_errors(field: FieldMap, target: TargetTable, path: Path) -> Iterator[ElementError]:
    if field.unreadable == "warn" and field.target == target.key:
        yield (*path, "unreadable"), "a key that cannot be read rejects its row"
    if field.column == "county_id":
        if field.default_from_config is not ConfigName.COUNTY_ID_DEFAULT or field.type is not FieldType.STRING:
            yield (
                (*path, "target"),
                "a row's county is the run's: a string with `default_from_config: county_id_default`",
            )
        return
    column = target.columns.get(field.column)
    if column is None:
        yield (*path, "target"), unknown_name(f"column of {target.name}", field.column, target.columns, COLUMN_SYNONYMS)
        return
    yield from _type_errors(field, column, path)


def _type_errors(field: FieldMap, column: TargetColumn, path: Path) -> Iterator[ElementError]:
    if field.entry is not None:
        if column.kind is not ColumnKind.JSON:
            yield (*path, "target"), f"{column.name} is no JSON column, so it has no entries"
        elif not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", field.entry):
            yield (*path, "target"), f"{field.entry!r} is not an entry's name: small letters, digits and underscores"
        elif field.type not in _ENTRY_TYPES:
            yield (*path, "type"), f"an entry of {column.name} cannot be of the type {field.type}"
    elif field.type not in FIELD_TYPES[column.kind]:
        allowed = " or ".join(sorted(FIELD_TYPES[column.kind]))
        yield (*path, "type"), f"{column.name} holds {column.kind}: the type has to be {allowed}, not {field.type}"


def _origin_errors(field: FieldMap, path: Path) -> Iterator[ElementError]:
    generated = bool(field.transformations) and field.transformations[0].generates
    if not field.sources and not generated and field.default is None and field.default_from_config is None:
        yield path, "there is no source, no constant and no default, so nothing fills this field"
    if field.default is not None and field.default_from_config is not None:
        yield (*path, "default"), "give either `default` or `default_from_config`"
    if field.default is not None and (error := literal_error(field.default, field.type)):
        yield (*path, "default"), error


def _chain_errors(mapping: CountyMapping, field: FieldMap, path: Path, gaps: Gaps) -> Iterator[ElementError]:
    count, kind = len(field.sources), ValueKind.TEXT
    for index, step in enumerate(field.transformations):
        step_path = (*path, "transformations", index)
        yield from _step_errors(mapping, step, count, kind, step_path, gaps)
        if step.generates or step.variadic:
            count = 1
        kind = step.returns
    if count > 1:
        yield (
            (*path, "source"),
            "several sources need a transformation that joins them: concat, coalesce, lookup or arithmetic",
        )
    if field.type not in _READABLE_TYPES[kind]:
        yield (*path, "type"), f"the last transformation gives a {kind}, which is not read as {field.type}"
    elif (error := _constant_error(field)) is not None:
        yield (*path, "transformations", 0, "value"), error


def _constant_error(field: FieldMap) -> str | None:
    """The message for a constant at the beginning of a field that no row could hold; None for any other."""
    match field.transformations:
        case (Constant(value=value),):
            return literal_error(value, field.type)
        case (Constant(value=value), ParseDate() | ParseTimestamp() as step, *_):
            return (
                None
                if any(_has_format(value, pattern) for pattern in step.patterns)
                else (f"{value!r} has none of the formats {', '.join(step.patterns)}")
            )
    return None


def _has_format(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        return False
    return True


def _step_errors(
    mapping: CountyMapping, step: Step, count: int, kind: ValueKind, path: Path, gaps: Gaps
) -> Iterator[ElementError]:
    name = getattr(step, "type", "")
    if kind not in step.accepts:
        yield path, f"{name} works on {' or '.join(sorted(step.accepts))}, and gets a {kind}"
    if not step.generates and count == 0:
        yield path, f"{name} has nothing to work on: there is no source"
    if isinstance(step, ValueMap) and not (step.map in mapping.value_maps or gaps.may_define((VALUE_MAPS,), step.map)):
        yield (*path, "map"), unknown_name("value map", step.map, mapping.value_maps)
    if isinstance(step, Lookup):
        yield from _lookup_step_errors(mapping, step, count, path, gaps)
    if step.variadic and not step.min_sources <= count <= step.max_sources:
        arity = f"{step.min_sources}" if step.min_sources == step.max_sources else f"{step.min_sources} or more"
        yield path, f"{name} works on {arity} sources, and there are {count}"
    if isinstance(step, Add) and step.weights is not None and len(step.weights) != count:
        yield (*path, "weights"), f"there are {count} source(s) and {len(step.weights)} weight(s)"


def _lookup_step_errors(
    mapping: CountyMapping, step: Lookup, count: int, path: Path, gaps: Gaps
) -> Iterator[ElementError]:
    lookup = mapping.lookups.get(step.table)
    if lookup is None and not gaps.may_define((LOOKUPS,), step.table):
        yield (*path, "table"), unknown_name("lookup", step.table, mapping.lookups)
    if lookup is None or gaps.cover((LOOKUPS, step.table)):
        return
    if step.column not in lookup.columns:
        yield (*path, "column"), unknown_name(f"column of the lookup {step.table}", step.column, lookup.columns)
    if count != len(lookup.key):
        yield path, f"the key of {step.table} has {len(lookup.key)} column(s), and there are {count} source(s)"


def _rules_errors(mapping: CountyMapping, table: TableMapping, path: Path, gaps: Gaps) -> Iterator[ElementError]:
    """The errors of a table's rules."""
    fields, target = (*path, FIELDS), target_tables().get(table.target_table_name)
    types: Types = {
        field.target: None if (*fields, index, "type") in gaps.malformed else field.type
        for index, field in enumerate(table.field_map)
        if field.column != "county_id" and not gaps.malformed & {fields, (*fields, index, "target")}
    }
    for index, rule in enumerate(table.validations):
        rule_path = (*path, "validations", index)
        unknown = [name for name in rule.columns if name not in types]
        if fields in gaps.incomplete:  # a field that cannot be read may fill any column of the table
            unknown = [name for name in unknown if target is not None and name.partition(".")[0] not in target.columns]
        for name in unknown:
            yield rule_path, unknown_name("field of this table mapping", name, types)
        if not unknown:
            yield from _rule_errors(rule, types, rule_path)
            if isinstance(rule, Reference):
                yield from _reference_errors(mapping, rule, table.target_table_name, rule_path, gaps)


def _rule_errors(rule: Rule, types: Types, path: Path) -> Iterator[ElementError]:
    """A rule's conflicts with the types of its fields, as far as these are known."""
    known = {name: kind for name in rule.columns if (kind := types.get(name)) is not None}
    match rule:
        case Range(field=name) if name in known:
            yield from _range_errors(rule, known[name], path)
        case Matches(field=name) if known.get(name, FieldType.STRING) is not FieldType.STRING:
            yield (*path, "field"), f"a pattern needs a string, and {name} is {known[name]}"
        case Compare(field=name, other=other) if len({_comparison_class(kind) for kind in known.values()}) > 1:
            yield (*path, "other"), f"{name} is {known[name]} and {other} is {known[other]}: they do not compare"
        case Total():
            others = (name for name in rule.columns if name in known and known[name] not in _NUMBERS)
            yield from ((path, f"a total needs numbers, and {name} is {known[name]}") for name in others)
        case Unique():
            entries = (name for name in rule.fields if "." in name)
            yield from (((*path, "fields"), f"{name} is an entry of a JSON column, no column") for name in entries)
        case _:
            pass


def _range_errors(rule: Range, kind: FieldType, path: Path) -> Iterator[ElementError]:
    for name, bound in (("min", rule.min), ("max", rule.max)):
        if bound is not None and (error := _bound_error(bound, kind)):
            yield (*path, name), error


def _reference_errors(
    mapping: CountyMapping, rule: Reference, own: str, path: Path, gaps: Gaps
) -> Iterator[ElementError]:
    name = rule.table
    mapped = [table.target_table_name for table in mapping.table_mappings]
    if name not in target_tables():
        yield (*path, "table"), unknown_name("table", name, target_tables())
    elif name not in mapped and (TABLES,) not in gaps.incomplete:
        yield (*path, "table"), f"this mapping does not fill {name}"
    elif name == own:
        yield (*path, "table"), "a reference leads to another table"
    if "." in rule.field:
        yield (*path, "field"), f"{rule.field} is an entry of a JSON column, which cannot be a key"


def _bound_error(bound: str, kind: FieldType) -> str | None:
    if kind in _TIMES:
        if bound == TODAY:
            return None
        try:
            date.fromisoformat(bound)
        except ValueError:
            return f"{bound!r} is no date (2015-01-31), nor `{TODAY}`"
        return None
    if kind in _NUMBERS:
        return None if bound == THIS_YEAR else literal_error(bound, FieldType.DECIMAL)
    return f"a range needs a number or a date, and the field is {kind}"


def _comparison_class(kind: FieldType) -> str:
    return "number" if kind in _NUMBERS else "time" if kind in _TIMES else str(kind)
