"""SQL of features: pages of a layer, single ones, how many there are, and where they lie."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Text,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from shared.cql2 import CompiledFilter
from shared.db.literals import escaped_literal
from shared.layers import Column, Layer

MAX_COUNT = 10_000
"""Counted exactly up to here, as in the search of properties: counting reads every row."""
_UTC_TIME = 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'


@dataclass(frozen=True)
class Rows:
    """Rows of a layer by column: `shapes` are well-known binary, `properties` JSON objects, `flags` the filter's."""

    keys: tuple[str, ...]
    shapes: tuple[bytes | None, ...]
    longitudes: tuple[float | None, ...]
    latitudes: tuple[float | None, ...]
    properties: tuple[str, ...]
    flags: tuple[tuple[bool | None, ...], ...]


def page(
    connection: Connection,
    county_id: str,
    layer: Layer,
    condition: CompiledFilter | None,
    *,
    columns: frozenset[str] | None,
    after: str | None,
    limit: int,
) -> Rows:
    """Rows by key, those after `after`; `columns` None selects all."""
    statement = _rows(county_id, layer, condition, columns)
    if after is not None:
        statement = statement.where(_key(layer) > after)
    return _fetch(connection, statement.order_by(_key(layer)).limit(limit))


@dataclass(frozen=True)
class ShapeRows:
    """Where rows of a layer lie, by column."""

    keys: tuple[str, ...]
    shapes: tuple[bytes | None, ...]
    longitudes: tuple[float | None, ...]
    latitudes: tuple[float | None, ...]


def shapes_of_some(
    connection: Connection, county_id: str, layer: Layer, condition: CompiledFilter, limit: int
) -> ShapeRows:
    """Rows in any order, without their properties."""
    selected: list[ColumnElement[Any]] = [
        _key(layer),
        *(literal_column(each) for each in (layer.shape, layer.longitude, layer.latitude)),
    ]
    rows = connection.execute(_of_layer(select(*selected), county_id, layer, condition).limit(limit)).all()
    return ShapeRows(*zip(*rows, strict=True)) if rows else ShapeRows((), (), (), ())


def properties_of(connection: Connection, county_id: str, layer: Layer, keys: Sequence[str]) -> list[str]:
    """JSON objects of the rows of these keys, in their order."""
    by_key = CompiledFilter(_key(layer) == any_(bindparam("keys", list(keys), ARRAY(Text))))
    properties: ColumnElement[str] = literal_column(properties_sql(layer.columns, None))
    statement = _of_layer(select(_key(layer), properties), county_id, layer, by_key)
    texts = {row[0]: row[1] for row in connection.execute(statement)}
    return [texts[key] for key in keys]


def _key(layer: Layer) -> ColumnElement[str]:
    return literal_column(f"({layer.key_column.expression})", Text)


def _rows(
    county_id: str, layer: Layer, condition: CompiledFilter | None, columns: frozenset[str] | None
) -> Select[*tuple[Any, ...]]:
    flags = condition.flags if condition is not None else ()
    selected: list[ColumnElement[Any]] = [
        _key(layer),
        literal_column(layer.shape),
        literal_column(layer.longitude),
        literal_column(layer.latitude),
        literal_column(properties_sql(layer.columns, columns)),
        *flags,
    ]
    return _of_layer(select(*selected), county_id, layer, condition)


def _fetch(connection: Connection, statement: Select[*tuple[Any, ...]]) -> Rows:
    rows = connection.execute(statement).all()
    if not rows:
        return Rows((), (), (), (), (), ())
    keys, shapes, longitudes, latitudes, properties, *flag_columns = zip(*rows, strict=True)
    return Rows(keys, shapes, longitudes, latitudes, properties, tuple(flag_columns))


def find(connection: Connection, county_id: str, layer: Layer, feature_id: str) -> Rows:
    """The row of a key, or none."""
    by_key = CompiledFilter(_key(layer) == feature_id)
    return page(connection, county_id, layer, by_key, columns=None, after=None, limit=1)


def count(connection: Connection, county_id: str, layer: Layer, condition: CompiledFilter | None) -> int | None:
    """The number of rows, None above MAX_COUNT."""
    rows = _of_layer(select(literal_column("1")), county_id, layer, condition).limit(MAX_COUNT + 1).subquery()
    counted = connection.scalar(select(func.count()).select_from(rows)) or 0
    return None if counted > MAX_COUNT else counted


def extent(connection: Connection, county_id: str, layer: Layer) -> tuple[float, float, float, float] | None:
    """The bounds of the layer's features as its index has them: west, south, east, north."""
    west, south, east, north = layer.bounds
    ends = (f"min({west})", f"min({south})", f"max({east})", f"max({north})")
    sides: list[ColumnElement[Any]] = [literal_column(end) for end in ends]
    row = connection.execute(_of_layer(select(*sides), county_id, layer, None)).one()
    return None if row[0] is None else (row[0], row[1], row[2], row[3])


def _of_layer(
    statement: Select[*tuple[Any, ...]], county_id: str, layer: Layer, condition: CompiledFilter | None
) -> Select[*tuple[Any, ...]]:
    tables, present = (text(part.replace("{county_id}", ":county_id")) for part in (layer.tables, layer.condition))
    named = statement.select_from(tables).where(present).params(county_id=county_id)
    return named if condition is None else named.where(condition.condition)


@lru_cache(maxsize=256)
def properties_sql(columns: tuple[Column, ...], names: frozenset[str] | None) -> str:
    """SQL of a JSON object of the columns. The server writes it: a row of 25 columns takes the driver ten times as long
    as one text.
    """
    members = [_member(column) for column in columns if names is None or column.name in names]
    separated = " || ',' || ".join(members) or "''"
    return f"('{{' || {separated} || '}}')"


def _member(column: Column) -> str:
    name = escaped_literal(orjson.dumps(column.name).decode() + ":")
    value = column.expression
    if column.kind == "datetime":
        value = f"to_char(({value}) AT TIME ZONE 'UTC', {escaped_literal(_UTC_TIME)})"
    return f"{name} || coalesce(to_json({value})::text, 'null')"
