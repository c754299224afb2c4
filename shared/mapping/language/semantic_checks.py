"""What a mapping of correct form can still get wrong. Each check yields (path, message)."""

import re
from collections.abc import Iterator
from datetime import datetime

from shared.mapping.language.document import Path
from shared.mapping.language.faults import OTHER_WORDS, Fault, unknown
from shared.mapping.language.literals import unreadable
from shared.mapping.language.model import ConfigName, CountyMapping, FieldMap, FieldType, LookupTable, TableMapping
from shared.mapping.language.rule_checks import validation_faults
from shared.mapping.language.wellformed import FIELDS, LOOKUPS, VALUE_MAPS, Gaps
from shared.mapping.targets import ColumnKind, TargetColumn, TargetTable, target_tables
from shared.mapping.transformations import Add, Constant, Lookup, ParseDate, ParseTimestamp, ValueMap
from shared.mapping.transformations.step import Kind, Step

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

_READS: dict[Kind, frozenset[FieldType]] = {
    Kind.TEXT: frozenset(FieldType),
    Kind.NUMBER: frozenset({FieldType.INTEGER, FieldType.DECIMAL, FieldType.MONEY, FieldType.FLOAT}),
    Kind.DATE: frozenset({FieldType.DATE, FieldType.STRING}),
    Kind.TIMESTAMP: frozenset({FieldType.TIMESTAMP, FieldType.DATE, FieldType.STRING}),
}


def faults(mapping: CountyMapping, gaps: Gaps) -> Iterator[Fault]:
    """Every fault of sense in what is well-formed; `gaps` is what is not."""
    return (fault for fault in _faults(mapping, gaps) if not gaps.cover(fault[0]))


def _faults(mapping: CountyMapping, gaps: Gaps) -> Iterator[Fault]:
    if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", mapping.county_id_default):
        yield ("county_id_default",), f"{mapping.county_id_default!r} is not a county's id, like benton_wa"
    seen: set[str] = set()
    for index, table in enumerate(mapping.table_mappings):
        path: Path = ("table_mappings", index)
        if table.target_table_name in seen:
            yield (*path, "target_table_name"), f"{table.target_table_name} is filled by another table mapping already"
        seen.add(table.target_table_name)
        yield from _source_faults(table, path)
        target = target_tables().get(table.target_table_name)
        if target is None:
            yield (*path, "target_table_name"), unknown("table", table.target_table_name, target_tables())
        else:
            yield from _key_faults(table, target, path, gaps)
            yield from _attribute_faults(table, target, path)
        yield from _field_faults(mapping, table, target, path, gaps)
        yield from validation_faults(mapping, table, path, gaps)
    for name, lookup in mapping.lookups.items():
        yield from _lookup_faults(lookup, ("lookups", name))


def _source_faults(table: TableMapping | LookupTable, path: Path) -> Iterator[Fault]:
    if (table.source_table_name is None) == (table.source_query is None):
        yield path, "give either `source_table_name` or `source_query`"
    query = table.source_query
    if query is not None and not re.match(r"\s*(select|with)\b", query, re.IGNORECASE):
        yield (*path, "source_query"), "a source query begins with SELECT or WITH"
    if query is not None and ";" in query:
        yield (*path, "source_query"), "a source query is one statement, without a semicolon"


def _lookup_faults(lookup: LookupTable, path: Path) -> Iterator[Fault]:
    yield from _source_faults(lookup, path)
    if len({*lookup.key, *lookup.columns}) < len(lookup.key) + len(lookup.columns):
        yield (*path, "columns"), "a column stands in the key or among the columns twice"


def _attribute_faults(table: TableMapping, target: TargetTable, path: Path) -> Iterator[Fault]:
    if table.attributes.unmapped == "keep" and "attributes" not in target.columns:
        yield (*path, "attributes"), f"{target.name} has no column `attributes` to keep unmapped columns in"
    if table.attributes.unmapped == "keep" and any(field.target == "attributes" for field in table.field_map):
        yield (*path, "attributes"), "a field fills `attributes` as a whole, so nothing can be kept there"


def _key_faults(table: TableMapping, target: TargetTable, path: Path, gaps: Gaps) -> Iterator[Fault]:
    if len(set(table.primary_key_source_fields)) < len(table.primary_key_source_fields):
        yield (*path, "primary_key_source_fields"), "a field stands here twice"
    if table.key != target.key:
        yield (*path, "primary_key_target_fields"), f"the key of {target.name} is {target.key}, not {table.key}"
    if (*path, FIELDS) in gaps.incomplete:
        return
    mapped = {field.target for field in table.field_map}
    for column in target.columns.values():
        if column.required and column.name not in mapped:
            yield (*path, "field_map"), f"{target.name}.{column.name} is required, and no field fills it"


def _field_faults(
    mapping: CountyMapping, table: TableMapping, target: TargetTable | None, path: Path, gaps: Gaps
) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, field in enumerate(table.field_map):
        where = (*path, "field_map", index)
        if field.target in seen or (field.entry and field.column in seen):
            yield (*where, "target"), f"{field.target} is filled by another field already"
        seen.add(field.target)
        if target is not None:
            yield from _column_faults(field, target, where)
        yield from _origin_faults(field, where)
        yield from _chain_faults(mapping, field, where, gaps)


def _column_faults(field: FieldMap, target: TargetTable, where: Path) -> Iterator[Fault]:
    if field.unreadable == "warn" and field.target == target.key:
        yield (*where, "unreadable"), "a key that cannot be read rejects its row"
    if field.column == "county_id":
        if field.default_from_config is not ConfigName.COUNTY_ID_DEFAULT or field.type is not FieldType.STRING:
            yield (
                (*where, "target"),
                "a row's county is the run's: a string with `default_from_config: county_id_default`",
            )
        return
    column = target.columns.get(field.column)
    if column is None:
        yield (*where, "target"), unknown(f"column of {target.name}", field.column, target.columns, OTHER_WORDS)
        return
    yield from _type_faults(field, column, where)


def _type_faults(field: FieldMap, column: TargetColumn, where: Path) -> Iterator[Fault]:
    if field.entry is not None:
        if column.kind is not ColumnKind.JSON:
            yield (*where, "target"), f"{column.name} is no JSON column, so it has no entries"
        elif not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", field.entry):
            yield (*where, "target"), f"{field.entry!r} is not an entry's name: small letters, digits and underscores"
        elif field.type not in _ENTRY_TYPES:
            yield (*where, "type"), f"an entry of {column.name} cannot be of the type {field.type}"
    elif field.type not in FIELD_TYPES[column.kind]:
        fitting = " or ".join(sorted(FIELD_TYPES[column.kind]))
        yield (*where, "type"), f"{column.name} holds {column.kind}: the type has to be {fitting}, not {field.type}"


def _origin_faults(field: FieldMap, where: Path) -> Iterator[Fault]:
    starts = bool(field.transformations) and field.transformations[0].starts
    if not field.sources and not starts and field.default is None and field.default_from_config is None:
        yield where, "there is no source, no constant and no default, so nothing fills this field"
    if field.default is not None and field.default_from_config is not None:
        yield (*where, "default"), "give either `default` or `default_from_config`"
    if field.default is not None and (fault := unreadable(field.default, field.type)):
        yield (*where, "default"), fault


def _chain_faults(mapping: CountyMapping, field: FieldMap, where: Path, gaps: Gaps) -> Iterator[Fault]:
    count, kind = len(field.sources), Kind.TEXT
    for index, step in enumerate(field.transformations):
        place = (*where, "transformations", index)
        yield from _step_faults(mapping, step, count, kind, place, gaps)
        if step.starts or step.joins:
            count = 1
        kind = step.returns
    if count > 1:
        yield (
            (*where, "source"),
            "several sources need a transformation that joins them: concat, coalesce, lookup or arithmetic",
        )
    if field.type not in _READS[kind]:
        yield (*where, "type"), f"the last transformation gives a {kind}, which is not read as {field.type}"
    elif (fault := _constant_fault(field)) is not None:
        yield (*where, "transformations", 0, "value"), fault


def _constant_fault(field: FieldMap) -> str | None:
    """Why no row could have the constant that a field begins with."""
    match field.transformations:
        case (Constant(value=value),):
            return unreadable(value, field.type)
        case (Constant(value=value), ParseDate() | ParseTimestamp() as step, *_):
            return (
                None
                if any(_fits(value, pattern) for pattern in step.patterns)
                else (f"{value!r} has none of the formats {', '.join(step.patterns)}")
            )
    return None


def _fits(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        return False
    return True


def _step_faults(
    mapping: CountyMapping, step: Step, count: int, kind: Kind, place: Path, gaps: Gaps
) -> Iterator[Fault]:
    name = getattr(step, "type", "")
    if kind not in step.accepts:
        yield place, f"{name} works on {' or '.join(sorted(step.accepts))}, and gets a {kind}"
    if not step.starts and count == 0:
        yield place, f"{name} has nothing to work on: there is no source"
    if isinstance(step, ValueMap) and not (step.map in mapping.value_maps or gaps.may_define((VALUE_MAPS,), step.map)):
        yield (*place, "map"), unknown("value map", step.map, mapping.value_maps)
    if isinstance(step, Lookup):
        yield from _lookup_step_faults(mapping, step, count, place, gaps)
    if step.joins and not step.least <= count <= step.most:
        wanted = f"{step.least}" if step.least == step.most else f"{step.least} or more"
        yield place, f"{name} works on {wanted} sources, and there are {count}"
    if isinstance(step, Add) and step.weights is not None and len(step.weights) != count:
        yield (*place, "weights"), f"there are {count} source(s) and {len(step.weights)} weight(s)"


def _lookup_step_faults(mapping: CountyMapping, step: Lookup, count: int, place: Path, gaps: Gaps) -> Iterator[Fault]:
    lookup = mapping.lookups.get(step.table)
    if lookup is None and not gaps.may_define((LOOKUPS,), step.table):
        yield (*place, "table"), unknown("lookup", step.table, mapping.lookups)
    if lookup is None or gaps.cover((LOOKUPS, step.table)):
        return
    if step.column not in lookup.columns:
        yield (*place, "column"), unknown(f"column of the lookup {step.table}", step.column, lookup.columns)
    if count != len(lookup.key):
        yield place, f"the key of {step.table} has {len(lookup.key)} column(s), and there are {count} source(s)"
