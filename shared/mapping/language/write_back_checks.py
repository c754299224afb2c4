"""Semantic checks of a mapping's way back."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from shared.mapping.language.errors import ElementError, Path, unknown_name
from shared.mapping.language.inversion import inversion_error, key_columns, written_columns
from shared.mapping.language.model import CountyMapping, TableMapping
from shared.mapping.language.write_back import WriteBack, WriteBackTable

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def write_back_errors(mapping: CountyMapping) -> Iterator[ElementError]:
    """The errors of a way back, whose mapping is well-formed."""
    write_back = mapping.write_back
    if write_back is None:
        return
    path: Path = ("write_back",)
    if (write_back.format == "sql") != (write_back.dialect is not None):
        yield (*path, "format"), "a script (`sql`) has a `dialect`, a file has none"
    if write_back.format != "sql" and len(write_back.tables) > 1:
        yield (*path, "tables"), f"a file ({write_back.format}) is of one table"
    tables = {table.target_table_name: table for table in mapping.table_mappings}
    seen: set[str] = set()
    for index, way in enumerate(write_back.tables):
        own = (*path, "tables", index)
        if way.target_table_name in seen:
            yield (*own, "target_table_name"), f"{way.target_table_name} goes back by another element already"
        seen.add(way.target_table_name)
        table = tables.get(way.target_table_name)
        if table is None:
            message = unknown_name("table mapping", way.target_table_name, tables)
            yield (*own, "target_table_name"), message
        else:
            yield from _table_errors(mapping, write_back, table, way, own)


def _table_errors(
    mapping: CountyMapping, write_back: WriteBack, table: TableMapping, way: WriteBackTable, path: Path
) -> Iterator[ElementError]:
    if (way.source_table_name or table.source_table_name) is None:
        yield path, "the rows come from a query: `source_table_name` has to say which table is changed"
    key = key_columns(table, way)
    for name in key:
        if name not in table.source_fields:
            yield (*path, "key"), unknown_name("column that the table mapping reads", name, table.source_fields)
    errors = list(_column_errors(mapping, table, way, path))
    yield from errors
    if not errors:
        columns = [*written_columns(mapping, table, way)]
        if not columns:
            yield path, "no field of this table has an inverse, so there is nothing to write back"
        yield from _name_errors(write_back, table, way, columns, path)
        if write_back.format == "fixed_width":
            yield from _position_errors(way, [*key, *columns], path)
        elif way.positions:
            yield (*path, "positions"), "positions are those of `fixed_width`"


def _name_errors(
    write_back: WriteBack, table: TableMapping, way: WriteBackTable, columns: list[str], path: Path
) -> Iterator[ElementError]:
    names = [*key_columns(table, way), *columns, *way.where]
    for name, count in Counter(names).items():
        if count > 1:
            yield path, f"{name} stands twice among `key`, `where` and the columns that go back"
    for name in way.column_types:
        if name not in names:
            yield (*path, "column_types", name), f"{name} is no column of this way back"
    for name in [*names, *(way.source_table_name or table.source_table_name or "nameless").split(".")]:
        if not name or _CONTROL.search(name) or (write_back.dialect == "oracle" and '"' in name):
            yield path, f"{name!r} cannot be the name of a column or of a table"


def _column_errors(
    mapping: CountyMapping, table: TableMapping, way: WriteBackTable, path: Path
) -> Iterator[ElementError]:
    fields = {field.target: field for field in table.field_map}
    for index, chosen in enumerate(way.columns):
        own = (*path, "columns", index)
        field = fields.get(chosen.target)
        if field is None:
            yield (*own, "target"), unknown_name("field of the table mapping", chosen.target, fields)
        elif (error := inversion_error(field, mapping.value_maps)) is not None:
            yield (*own, "target"), f"{chosen.target} cannot be written back: {error}"
        elif chosen.target == table.key:
            yield (*own, "target"), f"{chosen.target} is the key: it does not change"
    targets = Counter(chosen.target for chosen in way.columns)
    for target, count in targets.items():
        if count > 1:
            yield (*path, "columns"), f"{target} goes back twice"


def _position_errors(way: WriteBackTable, columns: list[str], path: Path) -> Iterator[ElementError]:
    for name in columns:
        if name not in way.positions:
            yield (*path, "positions"), f"{name} has no position"
    for name in way.positions:
        if name not in columns:
            yield (*path, "positions", name), f"{name} is neither of the key nor a column that goes back"
    placed = sorted(way.positions.items(), key=lambda item: item[1].start)
    for (before, place), (name, following) in pairwise(placed):
        if following.start <= place.end:
            yield (*path, "positions", name), f"{name} begins within {before}"
